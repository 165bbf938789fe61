package pgtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Types of Frame that are not messages.
const (
	EOF      byte = 0    // the server closed the connection
	LoneByte byte = 0xff // a byte outside any message
)

// Frame is one message from the server as it came.
type Frame struct {
	Type byte
	Body []byte
}

// String renders a frame on one line: its type byte and its decisive fields.
// Expectations are written in this form:
//
//	R ok                          Authentication
//	K                             BackendKeyData, its content left out
//	v 3.0 _pq_.x                  NegotiateProtocolVersion
//	S TimeZone=UTC                ParameterStatus
//	Z I                           ReadyForQuery
//	T a:int4 b:bytea/binary       RowDescription
//	D 1|NULL|''|\x00ff            DataRow, '' is the empty value
//	C SELECT 1                    CommandComplete
//	E ERROR 22012 division by zero    ErrorResponse; N is NoticeResponse
//	t int4 text                   ParameterDescription
//	G text 2                      CopyInResponse, with its columns; H and W alike
//	d 1\t2\n                      CopyData
//	V \x00000001                  FunctionCallResponse
//	A channel payload             NotificationResponse
//	1 2 3 n s I c                 messages without a body
//	EOF                           the server closed the connection
//	byte N                        a byte outside any message
func (f Frame) String() string {
	switch f.Type {
	case EOF:
		return "EOF"
	case LoneByte:
		return "byte " + string(f.Body)
	case 'K':
		return "K"
	}
	if render, ok := renderers[f.Type]; ok {
		return strings.TrimRight(string(f.Type)+" "+render(f.Body), " ")
	}
	return strings.TrimSpace(string(f.Type) + " " + printable(f.Body))
}

var renderers = map[byte]func([]byte) string{
	'R': renderAuthentication,
	'v': renderNegotiate,
	'S': renderParameter,
	'Z': printable,
	'T': renderRowDescription,
	'D': renderDataRow,
	'C': func(p []byte) string { return strings.TrimRight(string(p), "\x00") },
	'E': renderError,
	'N': renderError,
	't': renderParameterTypes,
	'G': renderCopy,
	'H': renderCopy,
	'W': renderCopy,
	'V': renderFunctionResult,
	'A': renderNotification,
}

func renderAuthentication(p []byte) string {
	if len(p) < 4 {
		return "short"
	}
	names := map[uint32]string{
		0: "ok", 3: "password", 5: "md5", 7: "gss", 10: "sasl", 11: "sasl-continue", 12: "sasl-final",
	}
	code := binary.BigEndian.Uint32(p)
	if code == 10 {
		return "sasl " + strings.Join(strings.FieldsFunc(string(p[4:]), func(r rune) bool { return r == 0 }), " ")
	}
	return names[code]
}

func renderNegotiate(p []byte) string {
	var m pgproto3.NegotiateProtocolVersion
	if err := m.Decode(p); err != nil {
		return err.Error()
	}
	version := fmt.Sprintf("3.%d", m.NewestMinorProtocol&0xffff)
	return strings.Join(append([]string{version}, m.UnrecognizedOptions...), " ")
}

func renderParameter(p []byte) string {
	name, value, _ := cstringPair(p)
	return name + "=" + value
}

func renderRowDescription(p []byte) string {
	var m pgproto3.RowDescription
	if err := m.Decode(p); err != nil {
		return err.Error()
	}
	columns := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		columns[i] = string(f.Name) + ":" + typeName(f.DataTypeOID)
		if f.Format == 1 {
			columns[i] += "/binary"
		}
	}
	return strings.Join(columns, " ")
}

func renderDataRow(p []byte) string {
	var m pgproto3.DataRow
	if err := m.Decode(p); err != nil {
		return err.Error()
	}
	values := make([]string, len(m.Values))
	for i, v := range m.Values {
		switch {
		case v == nil:
			values[i] = "NULL"
		case len(v) == 0:
			values[i] = "''"
		default:
			values[i] = printable(v)
		}
	}
	return strings.Join(values, "|")
}

func renderError(p []byte) string {
	var m pgproto3.ErrorResponse
	if err := m.Decode(p); err != nil {
		return err.Error()
	}
	return m.Severity + " " + m.Code + " " + m.Message
}

func renderParameterTypes(p []byte) string {
	var m pgproto3.ParameterDescription
	if err := m.Decode(p); err != nil {
		return err.Error()
	}
	names := make([]string, len(m.ParameterOIDs))
	for i, oid := range m.ParameterOIDs {
		names[i] = typeName(oid)
	}
	return strings.Join(names, " ")
}

func renderCopy(p []byte) string {
	if len(p) < 3 {
		return "short"
	}
	format := "text"
	if p[0] == 1 {
		format = "binary"
	}
	return fmt.Sprintf("%s %d", format, binary.BigEndian.Uint16(p[1:]))
}

func renderFunctionResult(p []byte) string {
	if len(p) < 4 || binary.BigEndian.Uint32(p) == 0xffffffff {
		return "NULL"
	}
	return printable(p[4:])
}

func renderNotification(p []byte) string {
	channel, payload, _ := cstringPair(p[min(4, len(p)):])
	return channel + " " + payload
}

// printable is text as it is, with escapes, and anything else in hex.
func printable(p []byte) string {
	for _, c := range p {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return fmt.Sprintf(`\x%x`, p)
		}
	}
	s := strconv.Quote(string(p))
	return strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`)
}

// cstringPair reads two NUL-terminated strings.
func cstringPair(p []byte) (first, second string, ok bool) {
	parts := bytes.SplitN(p, []byte{0}, 3)
	if len(parts) < 3 {
		return "", "", false
	}
	return string(parts[0]), string(parts[1]), true
}

// typeName names the types that the scripts use.
func typeName(oid uint32) string {
	if name, ok := typeNames[oid]; ok {
		return name
	}
	return strconv.FormatUint(uint64(oid), 10)
}

var typeNames = map[uint32]string{
	16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid",
	114: "json", 700: "float4", 701: "float8", 705: "unknown", 1042: "bpchar", 1043: "varchar", 1082: "date",
	1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1700: "numeric", 2205: "regclass", 2278: "void",
	2950: "uuid", 3802: "jsonb", 1007: "int4[]", 1790: "refcursor",
}
