package proxy

import "encoding/binary"

// columnsOf splits a DataRow of n columns. A NULL is nil.
func columnsOf(body []byte, n int) (columns [][]byte, ok bool) {
	if len(body) < 2 || int(binary.BigEndian.Uint16(body)) != n {
		return nil, false
	}
	columns = make([][]byte, n)
	rest := body[2:]
	for i := range columns {
		if len(rest) < 4 {
			return nil, false
		}
		size := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if size < 0 {
			continue
		}
		if int(size) > len(rest) {
			return nil, false
		}
		columns[i], rest = rest[:size:size], rest[size:]
		if columns[i] == nil {
			columns[i] = []byte{}
		}
	}
	return columns, len(rest) == 0
}
