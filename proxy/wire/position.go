package wire

import "strconv"

// WithPosition appends the body of an ErrorResponse to dst with another position in
// the statement, which move makes of the one that it has; 0: none. ok is false if it
// has none.
func WithPosition(dst, body []byte, move func(int) int) (moved []byte, ok bool) {
	for len(body) > 1 && body[0] != 0 {
		value, rest, whole := CString(body[1:])
		if !whole {
			return dst, false
		}
		at, err := strconv.Atoi(string(value))
		if body[0] != 'P' || err != nil {
			dst = append(dst, body[:len(body)-len(rest)]...)
			body = rest
			continue
		}
		ok = true
		if at = move(at); at > 0 {
			dst = append(strconv.AppendInt(append(dst, 'P'), int64(at), 10), 0)
		}
		body = rest
	}
	return append(dst, 0), ok
}
