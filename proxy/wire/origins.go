package wire

import "encoding/binary"

// WithOrigins appends a RowDescription frame to dst, with the body's columns but for
// where they come from: origin says that of the i-th. ok is false if the body is not
// well formed.
func WithOrigins(dst, body []byte, origin func(i int) (table uint32, column uint16)) (frame []byte, ok bool) {
	if len(body) < 2 {
		return dst, false
	}
	dst, at := begin(dst, RowDescription)
	dst = append(dst, body[:2]...)
	n, rest := int(binary.BigEndian.Uint16(body)), body[2:]
	const described = 18 // bytes behind the name
	for i := range n {
		name, more, whole := CString(rest)
		if !whole || len(more) < described {
			return dst[:at], false
		}
		table, column := origin(i)
		dst = append(append(dst, name...), 0)
		dst = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(dst, table), column)
		dst = append(dst, more[6:described]...)
		rest = more[described:]
	}
	return end(dst, at), true
}
