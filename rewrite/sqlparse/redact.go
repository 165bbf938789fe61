package sqlparse

import "bytes"

// maxRedacted bounds what Redact returns, in bytes.
const maxRedacted = 200

// Redact returns the beginning of a text for a log: in one line, without comments,
// and with ? in the place of strings and numbers. It is empty where it cannot tell
// for sure what these are.
func Redact(text []byte) string {
	out, ok := appendHidden(nil, text[:min(len(text), maxParse)])
	if !ok {
		return ""
	}
	for _, literal := range []byte{shapeString, shapeInteger, shapeFloat} {
		out = bytes.ReplaceAll(out, []byte{literal}, []byte{'?'})
	}
	out = bytes.Join(bytes.Fields(out), []byte{' '})
	if len(out) > maxRedacted {
		return string(bytes.ToValidUTF8(out[:maxRedacted], nil)) + "..."
	}
	return string(bytes.ToValidUTF8(out, []byte{'?'}))
}
