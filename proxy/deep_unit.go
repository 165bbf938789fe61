package proxy

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// In the extended protocol LIMIT and OFFSET are known at the Bind. What the client
// prepares and has described is its own statement; the Bind alone is made to another
// one, which is prepared on the backend when it is needed and which all sessions share.

// pageOfUnit notes whether a unit that p begins with asks for a deep page.
func (s *session) pageOfUnit(p []byte) {
	if s.databases.bookmarks == nil || s.page != nil || s.client.skipping || !s.mayPageUnit(p) || !s.mayPage() {
		return
	}
	u, ok := readUnit(p)
	if !ok {
		return
	}
	b := s.unitBody(&u)
	if b == nil {
		return
	}
	paging, ok := sqlparse.ReadPaging(b.sql)
	if !ok {
		return
	}
	args, ok := readArguments(u.values)
	if !ok {
		return
	}
	limit, sized := args.amount(paging.Limit)
	offset, placed := args.amount(paging.Offset)
	if !sized || !placed {
		return
	}
	made := s.newPage(&lookup{text: b.sql, body: b, hint: b.hint, values: u.values}, limit, offset)
	if made == nil || len(made.deep.Params) != len(args.values) {
		return
	}
	made.list.Lo, made.list.Hi = s.unitList(b, &args, &paging)
	made.original = bytes.Clone(p[len(u.parse):u.length])
	made.binary = args.resultFormat(made.deep.Column) == 1
	s.choosePage(made)
	s.prepareUnit(made, b, &args, &paging)
	s.page = made
	s.sampleHot(made, &sampled{text: string(b.sql), paging: paging, args: args.clone()})
}

// mayPageUnit reports whether a message may begin a unit with a deep page.
func (s *session) mayPageUnit(p []byte) bool {
	n, whole := wire.FrameLen(p)
	if !whole || n < 0 || n > len(p) {
		return false
	}
	if p[0] == wire.Parse {
		return sqlparse.MayPage(p[wire.HeaderLen:n])
	}
	_, rest, _ := wire.CString(p[wire.HeaderLen:n])
	name, _, _ := wire.CString(rest)
	st, _ := s.client.statements.get(name)
	return st.body != nil && sqlparse.MayPage(st.body.sql)
}

// prepareUnit makes the statement and the values that get the page.
func (s *session) prepareUnit(p *deepPage, b *body, args *arguments, paging *sqlparse.Paging) {
	text, n := string(b.sql), len(args.values)
	switch p.form {
	case pagePlain:
	case pageFound:
		p.parsed = s.bodies.get(parseText(p.deep.Found(text, paging), p.deep.Params), true)
		p.values = args.raw
	case pageMarked:
		types := append(append(p.deep.Params[:n:n], p.deep.Type.OID), int8OID)
		p.parsed = s.bodies.get(parseText(p.deep.Probe(text, paging, n, p.mark.Value.Null), types), true)
		p.values = args.with(p.mark.Value, p.offset-p.mark.Rank)
	}
}

const int8OID = 20

// parseText is a Parse behind the name.
func parseText(text string, types []uint32) []byte {
	out := append([]byte(text), 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(types)))
	for _, oid := range types {
		out = binary.BigEndian.AppendUint32(out, oid)
	}
	return out
}

// unitList says which list a unit asks for a page of.
func (s *session) unitList(b *body, args *arguments, p *sqlparse.Paging) (lo, hi uint64) {
	h := &s.hasher
	h.Reset()
	h.Uint64(s.who.signature.id)
	if p.Limit.Parameter > 0 && p.Offset.Parameter > 0 {
		h.String(b.keyed)
	} else { // one of them is part of the text
		h.Bytes(b.sql[:min(p.Limit.Start, p.Offset.Start)])
		h.Bytes(b.sql[max(p.Limit.End, p.Offset.End):])
		h.String(b.text[len(b.sql):])
		h.Uint64(uint64(p.Limit.Parameter))
		h.Uint64(uint64(p.Offset.Parameter))
	}
	for i, v := range args.values {
		if i+1 == p.Limit.Parameter || i+1 == p.Offset.Parameter {
			continue
		}
		h.Uint64(uint64(args.format(i)))
		if h.Bytes(v); v == nil {
			h.Uint64(0)
		}
	}
	sum := h.Sum()
	return sum.Lo, sum.Hi
}

// bindPage sends the Bind of what gets the page, and reports whether it has.
func (s *session) bindPage(frame, portal []byte, st statement) bool {
	p := s.page
	if p == nil || p.bound || p.closed {
		return false
	}
	if !bytes.HasPrefix(p.original, frame) {
		s.dropPage() // it is another one
		return false
	}
	p.bound, p.sent = true, true
	if p.parsed == nil || p.parsed.handle == unshared || !st.shared() || !s.shares() || s.back.exposed || s.mayHaveFailed() {
		p.form = pagePlain
		return false
	}
	on := &s.back.lease.Statements
	own := s.newStatement(p.parsed)
	known := on.Use(s.statementKey(own))
	switch {
	case known == nil:
		known = on.Add(s.statementKey(own), len(p.parsed.text))
		s.load(known, own, swallow)
	case !known.Ready && known.Batch != s.batch():
		p.form = pagePlain
		return false
	}
	s.mixRewriting()
	s.keep(frame)
	n := wire.HeaderLen + len(portal) + 1 + len(known.Name) + 1 + len(p.values)
	s.toBackend(wire.AppendBindHead(s.scratch[:0], n, portal, known.Name))
	s.toBackend(p.values)
	s.queue.push(expectReply, forward)
	return true
}

// arguments are what a Bind says behind the names.
type arguments struct {
	raw     []byte
	formats []uint16
	values  [][]byte // nil: NULL
	results []byte   // the formats of the result
}

// readArguments reads them. They refer to p.
func readArguments(p []byte) (a arguments, ok bool) {
	a.raw = p
	n, p, ok := takeUint16(p)
	if !ok || len(p) < 2*n {
		return a, false
	}
	for i := range n {
		a.formats = append(a.formats, binary.BigEndian.Uint16(p[2*i:]))
	}
	n, p, ok = takeUint16(p[2*n:])
	if !ok || len(a.formats) > 1 && len(a.formats) != n {
		return a, false
	}
	for range n {
		if len(p) < 4 {
			return a, false
		}
		length := int32(binary.BigEndian.Uint32(p))
		if p = p[4:]; int(length) > len(p) || length < -1 {
			return a, false
		}
		if length < 0 {
			a.values = append(a.values, nil)
			continue
		}
		a.values = append(a.values, p[:length:length])
		p = p[length:]
	}
	n, _, ok = takeUint16(p)
	a.results = p
	return a, ok && len(p) == 2+2*n
}

func takeUint16(p []byte) (n int, rest []byte, ok bool) {
	if len(p) < 2 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint16(p)), p[2:], true
}

// clone returns a copy that refers to nothing else.
func (a *arguments) clone() *arguments {
	c, _ := readArguments(bytes.Clone(a.raw))
	return &c
}

// format is that of a parameter: 0 text, 1 binary.
func (a *arguments) format(i int) uint16 {
	switch len(a.formats) {
	case 0:
		return 0
	case 1:
		return a.formats[0]
	}
	return a.formats[i]
}

// resultFormat is that of a column of the result.
func (a *arguments) resultFormat(column int) uint16 {
	n := int(binary.BigEndian.Uint16(a.results))
	switch {
	case n == 0 || column < 0 || n > 1 && column >= n:
		return 0
	case n == 1:
		column = 0
	}
	return binary.BigEndian.Uint16(a.results[2+2*column:])
}

// amount returns what a LIMIT or OFFSET says. ok is false for what is not a plain
// number.
func (a *arguments) amount(of sqlparse.Amount) (n int64, ok bool) {
	if of.Parameter == 0 {
		return of.Value, true
	}
	if of.Parameter > len(a.values) {
		return 0, false
	}
	v := a.values[of.Parameter-1]
	if a.format(of.Parameter-1) == 0 {
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	}
	switch len(v) {
	case 8:
		return int64(binary.BigEndian.Uint64(v)), true
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v))), true
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v))), true
	}
	return 0, false
}

// with returns the arguments with those of a bookmark behind them: its value, and how
// far behind it the page begins.
func (a *arguments) with(v rewrite.Value, offset int64) []byte {
	n := len(a.values)
	out := binary.BigEndian.AppendUint16(make([]byte, 0, len(a.raw)+2*n+len(v.Bytes)+32), uint16(n+2))
	for i := range a.values {
		out = binary.BigEndian.AppendUint16(out, a.format(i))
	}
	format := uint16(0)
	if v.Binary {
		format = 1
	}
	out = binary.BigEndian.AppendUint16(out, format)
	out = binary.BigEndian.AppendUint16(out, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(n+2))
	for _, value := range a.values {
		out = appendValue(out, value)
	}
	if v.Null {
		out = appendValue(out, nil)
	} else {
		out = appendValue(out, append([]byte{}, v.Bytes...))
	}
	out = appendValue(out, strconv.AppendInt(nil, offset, 10))
	return append(out, a.results...)
}

func appendValue(out, value []byte) []byte {
	if value == nil {
		return append(out, 0xff, 0xff, 0xff, 0xff)
	}
	return append(binary.BigEndian.AppendUint32(out, uint32(len(value))), value...)
}
