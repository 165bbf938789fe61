package digest

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
)

const (
	maxTags     = 8
	maxTagValue = 200 // bytes
)

// Tags returns what the comment at the end of a text, or at its beginning, says under
// these names: as sqlcommenter writes it (k='url%20encoded',...) or marginalia (k:v,...).
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

// comment returns what is in the comment that a text ends with, or begins with.
func comment(text []byte) string {
	text = bytes.TrimRight(text, " \t\r\n;")
	if bytes.HasSuffix(text, []byte("*/")) {
		if at := bytes.LastIndex(text[:len(text)-2], []byte("/*")); at >= 0 {
			return string(text[at+2 : len(text)-2])
		}
	}
	if text = bytes.TrimLeft(text, " \t\r\n"); bytes.HasPrefix(text, []byte("/*")) {
		if end := bytes.Index(text, []byte("*/")); end >= 2 {
			return string(text[2:end])
		}
	}
	return ""
}
