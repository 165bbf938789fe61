package configs

import (
	"fmt"
	"regexp"
	"strings"
)

// A scalar may have ${NAME}, anywhere and more than once; it becomes the value
// of that environment variable. $${ is a literal ${. Every other $ is itself,
// so that SCRAM verifiers and passwords need no escapes. This happens after
// the YAML was read: a value is never YAML, whatever characters it has.

var (
	variable     = regexp.MustCompile(`\$?\$\{[^}]*\}?`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// expand replaces the variables in text. problem says what is wrong with the
// first bad one, and fix what to do.
func expand(text string, lookup func(string) (string, bool)) (value, problem, fix string) {
	value = variable.ReplaceAllStringFunc(text, func(ref string) string {
		if strings.HasPrefix(ref, "$$") {
			return ref[1:]
		}
		name, closed := strings.CutSuffix(ref[2:], "}")
		if !closed || !variableName.MatchString(name) {
			problem, fix = "${ does not start the name of an environment variable", "write ${NAME}, or $${ for a literal ${"
			return ""
		}
		v, ok := lookup(name)
		if !ok && problem == "" {
			problem = fmt.Sprintf("the environment variable %s is not set", name)
			fix = fmt.Sprintf("set %s before pgjay starts, or write $${%s} if the text itself is meant", name, name)
		}
		return v
	})
	return value, problem, fix
}
