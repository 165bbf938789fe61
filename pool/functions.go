package pool

import (
	"fmt"
	"strings"
)

// Functions are the functions that a pool's configuration says something about. A
// nil one is about none.
type Functions struct {
	// stateful is, by function, whether it leaves something behind: schema.name
	// as PostgreSQL reads it, or name for all schemas.
	stateful map[string]bool
}

// Find returns what is declared of a function. Both names are as PostgreSQL reads
// them; the schema is empty if there is none. A function that is called without its
// schema may be any of that name: so it is harmless only if all of them are.
func (f *Functions) Find(schema, name string) (stateful, declared bool) {
	stateful, declared = f.stateful[name]
	if schema != "" {
		inSchema, also := f.stateful[schema+"."+name]
		return stateful || inSchema, declared || also
	}
	for other, leaves := range f.stateful {
		if leaves && strings.HasSuffix(other, "."+name) {
			return true, true
		}
	}
	return stateful, declared
}

// newFunctions makes Functions of the names in a configuration, which were checked
// by ParseFunction.
func newFunctions(harmless, stateful []string) *Functions {
	if len(harmless)+len(stateful) == 0 {
		return nil
	}
	f := &Functions{stateful: make(map[string]bool)}
	for leaves, names := range map[bool][]string{false: harmless, true: stateful} {
		for _, written := range names {
			if name, err := ParseFunction(written); err == nil {
				f.stateful[name] = f.stateful[name] || leaves
			}
		}
	}
	return f
}

// maxName is PostgreSQL's bound of names, in bytes.
const maxName = 63

// ParseFunction reads name or schema.name as PostgreSQL does: in lower case, but for
// what is in double quotes. A quote within quotes stays doubled.
func ParseFunction(written string) (name string, err error) {
	rest := written
	for parts := 1; ; parts++ {
		var part string
		if part, rest, err = parsePart(rest); err != nil || parts > 2 {
			return "", fmt.Errorf("%q is not the name of a function", written)
		}
		name += part
		if rest == "" {
			return name, nil
		}
		name, rest = name+".", rest[1:]
	}
}

// parsePart cuts off the first part of a name, up to a dot. Parts with a dot in
// them could be taken for two.
func parsePart(s string) (part, rest string, err error) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		end := 0
		for end < len(quoted) && (quoted[end] != '"' || strings.HasPrefix(quoted[end+1:], `"`)) {
			if quoted[end] == '"' {
				end++
			}
			end++
		}
		if end >= len(quoted) {
			return "", "", errName
		}
		part, rest = quoted[:end], quoted[end+1:]
	} else {
		part, rest = s, ""
		if dot := strings.IndexByte(s, '.'); dot >= 0 {
			part, rest = s[:dot], s[dot:]
		}
		if part = lower(part); strings.ContainsFunc(part, notInName) || part != "" && '0' <= part[0] && part[0] <= '9' {
			return "", "", errName
		}
	}
	if part == "" || len(part) > maxName || strings.Contains(part, ".") || rest != "" && (rest[0] != '.' || rest == ".") {
		return "", "", errName
	}
	return part, rest, nil
}

var errName = fmt.Errorf("not a name")

// lower folds ASCII letters only, as PostgreSQL does.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func notInName(r rune) bool {
	return r < 0x80 && r != '_' && r != '$' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
}
