package proxy

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
)

// consolePrepared is a prepared statement of the console's.
type consolePrepared struct{ consoleStatement }

// consolePortal is a statement that is, or will be, executed.
type consolePortal struct {
	consoleStatement
	columns []wire.Column
	ran     bool
	rows    [][]any // that the client has not got yet
}

// maxConsoleNames bounds the prepared statements and the portals of a session.
const maxConsoleNames = 256

// consoleExtended handles a message of the extended protocol.
func (s *session) consoleExtended(typ byte, body []byte) (bad *wire.Error) {
	switch typ {
	case wire.Parse:
		return s.consoleParse(body)
	case wire.Bind:
		return s.consoleBind(body)
	case wire.Describe:
		return s.consoleDescribe(body)
	case wire.Execute:
		return s.consoleExecute(body)
	case wire.Close:
		return s.consoleClose(body)
	case wire.Flush:
		if len(body) > 0 {
			return badConsoleMessage
		}
	}
	return nil
}

func (s *session) consoleParse(body []byte) *wire.Error {
	c := s.console
	name, rest, ok := wire.CString(body)
	text, types, more := wire.CString(rest)
	if !ok || !more || len(types) < 2 {
		return badConsoleMessage
	}
	if binary.BigEndian.Uint16(types) > 0 {
		return &wire.Error{Code: "0A000", Message: "pgjay: the console takes no parameters"}
	}
	if len(types) > 2 {
		return badConsoleMessage
	}
	if string(name) == "" {
		delete(c.statements, "")
	}
	parsed, bad := allConsoleCommands.parse(string(text))
	switch {
	case bad != nil:
		return bad
	case len(parsed) > 1:
		return &wire.Error{Code: "42601", Message: "cannot insert multiple commands into a prepared statement"}
	case c.statements[string(name)] != nil:
		return &wire.Error{Code: "42P05", Message: fmt.Sprintf("prepared statement \"%s\" already exists", name)}
	case len(c.statements) >= maxConsoleNames:
		return &wire.Error{Code: "54000", Message: fmt.Sprintf("pgjay: the console keeps up to %d prepared statements", maxConsoleNames)}
	}
	st := &consolePrepared{}
	if len(parsed) == 1 {
		st.consoleStatement = parsed[0]
		if bad := c.aborted(st.command); bad != nil {
			return bad
		}
	}
	c.statements[string(name)] = st
	s.toClient(wire.AppendEmpty(s.scratch[:0], wire.ParseComplete))
	return nil
}

func (s *session) consoleBind(body []byte) *wire.Error {
	c := s.console
	portal, rest, ok := wire.CString(body)
	name, rest, more := wire.CString(rest)
	if !ok || !more {
		return badConsoleMessage
	}
	st, bad := c.prepared(string(name))
	if bad != nil {
		return bad
	}
	formats, bad := resultFormats(rest, string(name))
	if bad != nil {
		return bad
	}
	p := &consolePortal{consoleStatement: st.consoleStatement}
	if st.command != nil {
		if bad := c.aborted(st.command); bad != nil {
			return bad
		}
		if p.columns, bad = withFormats(st.command.columns, formats); bad != nil {
			return bad
		}
	}
	switch {
	case string(portal) != "" && c.portals[string(portal)] != nil:
		return &wire.Error{Code: "42P03", Message: fmt.Sprintf("cursor \"%s\" already exists", portal)}
	case len(c.portals) >= maxConsoleNames:
		return &wire.Error{Code: "54000", Message: fmt.Sprintf("pgjay: the console keeps up to %d portals", maxConsoleNames)}
	}
	c.portals[string(portal)] = p
	s.toClient(wire.AppendEmpty(s.scratch[:0], wire.BindComplete))
	return nil
}

// resultFormats reads what stands behind the names in a Bind: there are no parameters.
func resultFormats(p []byte, statement string) (formats []uint16, bad *wire.Error) {
	_, p, ok := readInt16s(p)
	if !ok || len(p) < 2 {
		return nil, badConsoleMessage
	}
	if n := binary.BigEndian.Uint16(p); n > 0 {
		return nil, &wire.Error{Code: "08P01", Message: fmt.Sprintf("bind message supplies %d parameters, but prepared statement \"%s\" requires 0", n, statement)}
	}
	formats, p, ok = readInt16s(p[2:])
	if !ok || len(p) > 0 {
		return nil, badConsoleMessage
	}
	return formats, nil
}

// readInt16s reads a list that begins with its length.
func readInt16s(p []byte) (list []uint16, rest []byte, ok bool) {
	if len(p) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(p))
	if p = p[2:]; len(p) < 2*n {
		return nil, nil, false
	}
	for i := range n {
		list = append(list, binary.BigEndian.Uint16(p[2*i:]))
	}
	return list, p[2*n:], true
}

// withFormats returns the columns in the formats that a Bind asks for.
func withFormats(columns []wire.Column, formats []uint16) ([]wire.Column, *wire.Error) {
	if len(formats) > 1 && len(formats) != len(columns) {
		return nil, &wire.Error{Code: "08P01", Message: fmt.Sprintf("bind message has %d result formats but query has %d columns", len(formats), len(columns))}
	}
	columns = slices.Clone(columns)
	for i := range columns {
		format := uint16(0)
		if len(formats) > 0 {
			format = formats[min(i, len(formats)-1)]
		}
		c := &columns[i]
		switch {
		case format > 1:
			return nil, &wire.Error{Code: "22023", Message: fmt.Sprintf("unsupported format code: %d", format)}
		case format == 1 && !hasBinary(c.Type):
			return nil, &wire.Error{
				Code: "0A000", Message: fmt.Sprintf("pgjay: the console has no binary format of column \"%s\"", c.Name),
				Hint: "Ask for the text format.",
			}
		}
		c.Binary = format == 1
	}
	return columns, nil
}

// prepared returns the prepared statement of this name.
func (c *console) prepared(name string) (*consolePrepared, *wire.Error) {
	st := c.statements[name]
	switch {
	case st != nil:
		return st, nil
	case name == "":
		return nil, &wire.Error{Code: "26000", Message: "unnamed prepared statement does not exist"}
	}
	return nil, &wire.Error{Code: "26000", Message: fmt.Sprintf("prepared statement \"%s\" does not exist", name)}
}

// portal returns the portal of this name.
func (c *console) portal(name string) (*consolePortal, *wire.Error) {
	if p := c.portals[name]; p != nil {
		return p, nil
	}
	return nil, &wire.Error{Code: "34000", Message: fmt.Sprintf("portal \"%s\" does not exist", name)}
}

// namedObject reads what Describe and Close name.
func namedObject(body []byte) (kind byte, name string, bad *wire.Error) {
	if len(body) < 2 || body[0] != 'S' && body[0] != 'P' {
		return 0, "", badConsoleMessage
	}
	text, rest, ok := wire.CString(body[1:])
	if !ok || len(rest) > 0 {
		return 0, "", badConsoleMessage
	}
	return body[0], string(text), nil
}

func (s *session) consoleDescribe(body []byte) *wire.Error {
	kind, name, bad := namedObject(body)
	if bad != nil {
		return bad
	}
	var columns []wire.Column
	out := s.scratch[:0]
	if kind == 'S' {
		st, bad := s.console.prepared(name)
		if bad != nil {
			return bad
		}
		if st.command != nil {
			columns = st.command.columns
		}
		out = wire.AppendNoParameters(out)
	} else {
		p, bad := s.console.portal(name)
		if bad != nil {
			return bad
		}
		columns = p.columns
	}
	if columns == nil {
		s.toClient(wire.AppendEmpty(out, wire.NoData))
	} else {
		s.toClient(wire.AppendRowDescription(out, columns))
	}
	return nil
}

func (s *session) consoleClose(body []byte) *wire.Error {
	kind, name, bad := namedObject(body)
	switch {
	case bad != nil:
		return bad
	case kind == 'S':
		delete(s.console.statements, name)
	default:
		delete(s.console.portals, name)
	}
	s.toClient(wire.AppendEmpty(s.scratch[:0], wire.CloseComplete))
	return nil
}

func (s *session) consoleExecute(body []byte) *wire.Error {
	name, rest, ok := wire.CString(body)
	if !ok || len(rest) != 4 {
		return badConsoleMessage
	}
	limit := int(int32(binary.BigEndian.Uint32(rest)))
	p, bad := s.console.portal(string(name))
	switch {
	case bad != nil:
		return bad
	case p.command == nil:
		s.toClient(wire.AppendEmpty(s.scratch[:0], wire.EmptyQueryResponse))
		return nil
	case p.ran && p.columns == nil:
		return &wire.Error{Code: "55000", Message: fmt.Sprintf("portal \"%s\" cannot be run", name)}
	case p.ran:
		s.fetchConsole(p, limit)
		return nil
	}
	p.ran = true
	s.runConsole(p.consoleStatement, func(a consoleAnswer, bad *wire.Error) {
		if bad != nil {
			s.consoleError(bad)
			s.client.skipping = true
			return
		}
		p.rows = a.rows
		s.fetchConsole(p, limit)
	})
	return nil
}

// fetchConsole gives the client the rows that it asks for: limit of them, or all.
func (s *session) fetchConsole(p *consolePortal, limit int) {
	n := len(p.rows)
	if limit > 0 {
		n = min(n, limit)
	}
	var out []byte
	for _, row := range p.rows[:n] {
		out = appendConsoleRow(out, p.columns, row)
	}
	p.rows = p.rows[n:]
	if limit > 0 && n == limit {
		s.toClient(wire.AppendEmpty(out, wire.PortalSuspended))
		return
	}
	s.toClient(wire.AppendCommandComplete(out, s.completed(p.command)))
}
