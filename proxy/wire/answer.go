package wire

import "encoding/binary"

// Column describes a column of an answer that the proxy makes.
type Column struct {
	Name   string
	Type   uint32 // OID
	Size   int16  // in bytes, -1: varies
	Binary bool
}

// AppendRowDescription appends a RowDescription.
func AppendRowDescription(dst []byte, columns []Column) []byte {
	dst, at := begin(dst, RowDescription)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(columns)))
	for _, c := range columns {
		dst = append(appendCString(dst, c.Name), 0, 0, 0, 0, 0, 0) // of no table
		dst = binary.BigEndian.AppendUint32(dst, c.Type)
		dst = binary.BigEndian.AppendUint16(dst, uint16(c.Size))
		dst = append(dst, 0xff, 0xff, 0xff, 0xff, 0, 0) // no type modifier; text
		if c.Binary {
			dst[len(dst)-1] = 1
		}
	}
	return end(dst, at)
}

// AppendDataRow appends a DataRow; nil is NULL.
func AppendDataRow(dst []byte, values [][]byte) []byte {
	dst, at := begin(dst, DataRow)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(values)))
	for _, v := range values {
		if v == nil {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(v))), v...)
	}
	return end(dst, at)
}

// AppendCommandComplete appends a CommandComplete.
func AppendCommandComplete(dst []byte, tag string) []byte {
	dst, at := begin(dst, CommandComplete)
	return end(appendCString(dst, tag), at)
}

// AppendNoParameters appends a ParameterDescription of a statement that has none.
func AppendNoParameters(dst []byte) []byte {
	return append(dst, ParameterDescription, 0, 0, 0, 6, 0, 0)
}

// AppendNotice appends e as a NoticeResponse.
func (e *Error) AppendNotice(dst []byte) []byte {
	at := len(dst)
	dst = e.Append(dst)
	dst[at] = NoticeResponse
	return dst
}
