package wire

import "encoding/binary"

// begin appends a frame header with an open length and returns its place.
func begin(dst []byte, typ byte) (frame []byte, at int) {
	at = len(dst)
	return append(dst, typ, 0, 0, 0, 0), at
}

// end closes the frame begun at at.
func end(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at+1:], uint32(len(dst)-at-1))
	return dst
}

func appendCString(dst []byte, s string) []byte {
	return append(append(dst, s...), 0)
}

// AppendEmpty appends a frame without a body: Sync, Flush, Terminate, CopyDone,
// ParseComplete, BindComplete, CloseComplete, NoData and their like.
func AppendEmpty(dst []byte, typ byte) []byte {
	return append(dst, typ, 0, 0, 0, 4)
}

// AppendReadyForQuery appends a ReadyForQuery with the given transaction status.
func AppendReadyForQuery(dst []byte, status byte) []byte {
	return append(dst, ReadyForQuery, 0, 0, 0, 5, status)
}

// AppendQuery appends a Query.
func AppendQuery(dst []byte, sql string) []byte {
	dst, at := begin(dst, Query)
	return end(appendCString(dst, sql), at)
}

// AppendParse appends a Parse without parameter types.
func AppendParse(dst []byte, name, sql string) []byte {
	dst, at := begin(dst, Parse)
	dst = appendCString(appendCString(dst, name), sql)
	return end(append(dst, 0, 0), at)
}

// AppendParseBody appends a Parse of which body is what stands behind the name:
// the SQL text, NUL, and the parameter types.
func AppendParseBody(dst []byte, name, body string) []byte {
	dst, at := begin(dst, Parse)
	dst = append(appendCString(dst, name), body...)
	return end(dst, at)
}

// AppendParseEmpty appends a Parse of a text with nothing in it that has so many
// parameters.
func AppendParseEmpty(dst []byte, name string, parameters int) []byte {
	dst, at := begin(dst, Parse)
	dst = append(appendCString(dst, name), 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(parameters))
	return end(append(dst, make([]byte, 4*parameters)...), at)
}

// AppendBindHead appends the beginning of a Bind of n bytes, up to what stands
// behind the names.
func AppendBindHead(dst []byte, n int, portal []byte, statement string) []byte {
	dst = append(dst, Bind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(n-1))
	dst = append(append(dst, portal...), 0)
	return appendCString(dst, statement)
}

// AppendDescribeStatement appends a Describe of a prepared statement.
func AppendDescribeStatement(dst []byte, name string) []byte {
	dst, at := begin(dst, Describe)
	return end(appendCString(append(dst, 'S'), name), at)
}

// AppendFrame appends a message with this body.
func AppendFrame(dst []byte, typ byte, body string) []byte {
	dst, at := begin(dst, typ)
	return end(append(dst, body...), at)
}

// AppendBindText appends a Bind of the unnamed portal to a statement, all
// parameters in text. A nil parameter is NULL.
func AppendBindText(dst []byte, statement string, params ...*string) []byte {
	dst, at := begin(dst, Bind)
	dst = appendCString(append(dst, 0), statement)
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(params)))
	for _, p := range params {
		if p == nil {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(*p))), *p...)
	}
	return end(append(dst, 0, 0), at)
}

// AppendExecute appends an Execute of the unnamed portal without a row limit.
func AppendExecute(dst []byte) []byte {
	return append(dst, Execute, 0, 0, 0, 9, 0, 0, 0, 0, 0)
}

// AppendCloseStatement appends a Close of a prepared statement.
func AppendCloseStatement(dst []byte, name string) []byte {
	dst, at := begin(dst, Close)
	return end(appendCString(append(dst, 'S'), name), at)
}

// AppendParameterStatus appends a ParameterStatus.
func AppendParameterStatus(dst []byte, name, value string) []byte {
	dst, at := begin(dst, ParameterStatus)
	return end(appendCString(appendCString(dst, name), value), at)
}

// AppendBackendKeyData appends a BackendKeyData. secret has 4 bytes in protocol
// 3.0 and 4 to 256 from 3.2 on.
func AppendBackendKeyData(dst []byte, pid uint32, secret []byte) []byte {
	dst, at := begin(dst, BackendKeyData)
	dst = binary.BigEndian.AppendUint32(dst, pid)
	return end(append(dst, secret...), at)
}

// AppendNegotiateVersion appends a NegotiateProtocolVersion: the newest minor
// version that is spoken here and the protocol options that are not known.
func AppendNegotiateVersion(dst []byte, version uint32, options []string) []byte {
	dst, at := begin(dst, NegotiateVersion)
	dst = binary.BigEndian.AppendUint32(dst, version)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(options)))
	for _, o := range options {
		dst = appendCString(dst, o)
	}
	return end(dst, at)
}

// AppendAuthentication appends an Authentication message: its code and what
// follows the code.
func AppendAuthentication(dst []byte, code uint32, data []byte) []byte {
	dst, at := begin(dst, Authentication)
	return end(append(binary.BigEndian.AppendUint32(dst, code), data...), at)
}

// AppendCancelRequest appends a CancelRequest.
func AppendCancelRequest(dst []byte, pid uint32, secret []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(12+len(secret)))
	dst = binary.BigEndian.AppendUint32(dst, cancelRequestCode)
	return append(binary.BigEndian.AppendUint32(dst, pid), secret...)
}

// AppendCopyFail appends a CopyFail.
func AppendCopyFail(dst []byte, reason string) []byte {
	dst, at := begin(dst, CopyFail)
	return end(appendCString(dst, reason), at)
}
