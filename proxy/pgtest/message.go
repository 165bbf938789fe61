package pgtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Raw is bytes sent as they are, where no proper message will do.
type Raw []byte

// Frontend, Decode and Encode make Raw a pgproto3.FrontendMessage.
func (Raw) Frontend() {}

// Decode always fails: raw bytes are only sent.
func (Raw) Decode([]byte) error { return errors.New("raw bytes are only sent") }

// Encode appends the bytes.
func (r Raw) Encode(dst []byte) ([]byte, error) { return append(dst, r...), nil }

// Codes of the requests that stand in the place of a protocol version.
const (
	SSLRequest    = 80877103
	GSSENCRequest = 80877104
)

// Startup is a StartupMessage with any version and the parameters, name and
// value alternating, in the order given.
func Startup(version uint32, params ...string) Raw {
	if len(params) == 0 {
		return StartupPacket(version, nil)
	}
	var body []byte
	for _, s := range params {
		body = append(append(body, s...), 0)
	}
	return StartupPacket(version, append(body, 0))
}

// StartupPacket is any packet without a type byte.
func StartupPacket(code uint32, body []byte) Raw {
	p := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(binary.BigEndian.AppendUint32(p, code), body...)
}

// Message is a message of any type and content with a right length.
func Message(typ byte, body string) Raw {
	p := binary.BigEndian.AppendUint32([]byte{typ}, uint32(4+len(body)))
	return append(p, body...)
}

// Query is a simple query.
func Query(sql string) pgproto3.FrontendMessage { return &pgproto3.Query{String: sql} }

// Parse prepares a statement; name "" is the unnamed one.
func Parse(name, sql string, types ...uint32) pgproto3.FrontendMessage {
	return &pgproto3.Parse{Name: name, Query: sql, ParameterOIDs: types}
}

// Bind binds parameters in text to a statement. NULL is Null.
func Bind(portal, statement string, params ...string) *pgproto3.Bind {
	b := &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: statement}
	for _, p := range params {
		if p == Null {
			b.Parameters = append(b.Parameters, nil)
		} else {
			b.Parameters = append(b.Parameters, []byte(p))
		}
	}
	return b
}

// Null is the parameter NULL in Bind.
const Null = "\x00null"

// BindBinary is Bind with all parameters and all results in binary.
func BindBinary(portal, statement string, params ...string) *pgproto3.Bind {
	b := Bind(portal, statement, params...)
	b.ParameterFormatCodes, b.ResultFormatCodes = []int16{1}, []int16{1}
	return b
}

// DescribeStatement asks for a statement's parameters and columns.
func DescribeStatement(name string) pgproto3.FrontendMessage {
	return &pgproto3.Describe{ObjectType: 'S', Name: name}
}

// DescribePortal asks for a portal's columns.
func DescribePortal(name string) pgproto3.FrontendMessage {
	return &pgproto3.Describe{ObjectType: 'P', Name: name}
}

// Execute runs a portal for at most rows rows; 0 is all.
func Execute(portal string, rows uint32) pgproto3.FrontendMessage {
	return &pgproto3.Execute{Portal: portal, MaxRows: rows}
}

// CloseStatement forgets a prepared statement.
func CloseStatement(name string) pgproto3.FrontendMessage {
	return &pgproto3.Close{ObjectType: 'S', Name: name}
}

// ClosePortal forgets a portal.
func ClosePortal(name string) pgproto3.FrontendMessage {
	return &pgproto3.Close{ObjectType: 'P', Name: name}
}

// CopyData is a piece of a COPY.
func CopyData(data string) pgproto3.FrontendMessage { return &pgproto3.CopyData{Data: []byte(data)} }

// CopyFail ends a COPY with an error.
func CopyFail(reason string) pgproto3.FrontendMessage { return &pgproto3.CopyFail{Message: reason} }

// The messages without content.
var (
	Sync      pgproto3.FrontendMessage = &pgproto3.Sync{}
	Flush     pgproto3.FrontendMessage = &pgproto3.Flush{}
	Terminate pgproto3.FrontendMessage = &pgproto3.Terminate{}
	CopyDone  pgproto3.FrontendMessage = &pgproto3.CopyDone{}
)

// Call is a FunctionCall with binary arguments and result.
func Call(function uint32, args ...string) pgproto3.FrontendMessage {
	f := &pgproto3.FunctionCall{Function: function, ArgFormatCodes: []uint16{1}, ResultFormatCode: 1}
	for _, a := range args {
		f.Arguments = append(f.Arguments, []byte(a))
	}
	return f
}

// Int4 and Int8 are binary parameters.
func Int4(n int32) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// Int8 is a bigint in binary.
func Int8(n int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(n))) }

// renderSent says on one line what was sent.
func renderSent(m pgproto3.FrontendMessage) string {
	switch m := m.(type) {
	case *pgproto3.Query:
		return "Q " + shorten(m.String)
	case *pgproto3.Parse:
		return fmt.Sprintf("P %q %s", m.Name, shorten(m.Query))
	case *pgproto3.Bind:
		return fmt.Sprintf("B portal %q of %q, %d parameters", m.DestinationPortal, m.PreparedStatement, len(m.Parameters))
	case *pgproto3.CopyData:
		return "d " + shorten(printable(m.Data))
	case Raw:
		return "raw " + shorten(fmt.Sprintf("%q", []byte(m)))
	}
	return fmt.Sprintf("%T %+v", m, m)
}

func shorten(s string) string {
	if len(s) > 200 {
		return s[:150] + fmt.Sprintf("... (%d bytes)", len(s))
	}
	return s
}

func itoa(n int) string { return strconv.Itoa(n) }
