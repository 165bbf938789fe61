package digest

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

const (
	maxTags     = 8
	maxTagValue = 200 // bytes
)

// Tags returns what the comment at the end of a text, or at its beginning, says under
// these names: as sqlcommenter writes it (k='url%20encoded',...) or marginalia (k:v,...).
// A backslash in a string must be what standard_conforming_strings has it for.
func Tags(text []byte, allowed []string) (tags []Tag) {
	for part := range strings.SplitSeq(comment(text), ",") {
		name, value, ok := strings.Cut(part, "=")
		if ok {
			value = strings.TrimSpace(value)
			if len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
				continue
			}
			var err error
			if value, err = url.PathUnescape(value[1 : len(value)-1]); err != nil {
				continue
			}
		} else if name, value, ok = strings.Cut(part, ":"); !ok {
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if slices.Contains(allowed, name) && len(tags) < maxTags {
			tags = append(tags, Tag{name, strings.ToValidUTF8(value[:min(len(value), maxTagValue)], "?")})
		}
	}
	return tags
}

// comment returns what is in the comment that a text ends with, or begins with: empty if it
// is not certain what is a comment in it.
func comment(text []byte) string {
	if !bytes.Contains(text, []byte("/*")) {
		return ""
	}
	tokens, ok := sqlparse.Tokens(string(text))
	if !ok {
		return ""
	}
	before, behind := text, text
	if len(tokens) > 0 {
		before = text[:tokens[0].Start]
	}
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].Word != ";" {
			behind = text[tokens[i].End:]
			break
		}
	}
	behind = bytes.TrimRight(behind, " \t\r\n;")
	if bytes.HasSuffix(behind, []byte("*/")) {
		if at := bytes.LastIndex(behind[:len(behind)-2], []byte("/*")); at >= 0 {
			return string(behind[at+2 : len(behind)-2])
		}
	}
	if before = bytes.TrimLeft(before, " \t\r\n"); bytes.HasPrefix(before, []byte("/*")) {
		if end := bytes.Index(before, []byte("*/")); end >= 2 {
			return string(before[2:end])
		}
	}
	return ""
}
