package proxy

import (
	"bytes"
	"encoding/binary"
	"unique"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Where a rule makes a better statement of the client's, the backend is given that
// one. The client's text stays what all else goes by: the cache's key, the name and
// key of a prepared statement, errors, statistics, pins, and another try.

// rewriting is what becomes of the statement of the exchange that is under way. There
// is one for each exchange at most: the first of its statements that rules are
// about. nil: there is none.
type rewriting struct {
	entry  *rewritten
	plan   *rewritePlan
	body   *body  // nil: it is a Query
	batch  uint64 // of the exchange
	choice rewrite.Choice
	// text is the client's; of a Query only if it is rewritten or compared.
	text []byte
	// values is what the Bind says behind the names, if that is to be compared.
	values []byte
	// mixed is set when the exchange has another statement: its time says nothing.
	mixed bool
}

// mayRewrite reports whether the client's next statement may be rewritten. text is
// the client's. The conditions, in order:
//
//  1. something is to be rewritten at all, and it is no exchange that runs again
//     because that has failed;
//  2. it is known what the session's settings are, and that texts are read as rules
//     read them;
//  3. the session shares its backends, and has nothing on this one that others have
//     not: no temporary table, no setting;
//  4. nothing of the client's is under way that it could depend on;
//  5. in a transaction that is open: it is READ COMMITTED, as an older snapshot may
//     have rows for which a constraint of now does not hold; and it has changed rows
//     only, no definition and no setting;
//  6. otherwise the default is READ COMMITTED.
func (s *session) mayRewrite() bool {
	engine := s.databases.engine.Load()
	if !engine.On() || s.who.database == nil || s.unwritten != nil {
		return false
	}
	if s.who.signature == nil || s.who.blurred || !s.who.plain || s.who.always != sqlparse.ReasonNone {
		return false
	}
	if s.own || !s.pooled() || s.tx.pins != 0 || s.back.exposed || s.back.lease == nil || s.back.status == wire.StatusError || s.queue.owesReady() {
		return false
	}
	if s.inTransaction() {
		return s.tx.tame
	}
	return s.readsCommitted()
}

// choose decides about a statement; nil: it is none that rules are about. b is nil for
// a Query.
func (s *session) choose(text []byte, b *body) *rewriting {
	if !mayRead(text) || len(text) > maxRewrite || !s.mayRewrite() {
		return nil
	}
	r := s.rewrittenOf(text, b)
	if r == nil {
		return nil
	}
	p := r.current(s, text, b)
	if p != nil && p.Exact && b == nil {
		if r = s.knownRewritten(text, "", r.shape); r == nil {
			return nil
		}
		p = r.current(s, text, b)
	}
	if p == nil || p.Idle() {
		return nil
	}
	return &rewriting{entry: r, plan: p, body: b, batch: s.batch(), choice: p.Choose(r.shape, s.inTransaction(), p.engine.Forced())}
}

// maxRewrite is the length in bytes of the longest text that rules are asked about.
const maxRewrite = 32 << 10

// rewriteQuery returns the Query that is sent in the place of the client's; nil if that
// is sent as it is. It is valid until the loop's scratch is used again.
func (s *session) rewriteQuery(class sqlparse.Class, text []byte, whole bool) []byte {
	s.mixRewriting()
	if !whole || s.rewriting != nil || !class.ReadOnly() || class.Locks || hintOf(text).NoRewrite {
		return nil
	}
	w := s.choose(text, nil)
	if w == nil {
		return nil
	}
	s.rewriting = w
	if w.choice.Variant != nil || w.choice.Compare != nil {
		w.text = bytes.Clone(text)
	}
	if w.choice.Variant == nil {
		return nil
	}
	frame := append(s.scratch[:0], wire.Query, 0, 0, 0, 0)
	frame, ok := w.choice.Variant.AppendText(frame, text, s.spans[:0])
	if !ok {
		w.choice.Variant = nil
		return nil
	}
	frame = append(frame, 0)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-1))
	return frame
}

// newText returns what the backend prepares in the place of a statement's text;
// asWritten: the text. It is the same for all of an exchange.
func (s *session) newText(b *body) unique.Handle[string] {
	w := s.rewriting
	switch {
	case w != nil && w.body == b && w.batch == s.batch() && s.unwritten == nil:
		return w.newText()
	case w != nil:
		w.mixed = true
		return asWritten
	case b.hint.NoRewrite || !b.class.ReadOnly() || b.class.Locks:
		return asWritten
	}
	if w = s.choose(b.sql, b); w == nil {
		return asWritten
	}
	w.text = b.sql
	s.rewriting = w
	return w.newText()
}

func (w *rewriting) newText() unique.Handle[string] {
	if w.choice.Variant == nil {
		return asWritten
	}
	return w.choice.Variant.Handle()
}

// mixRewriting notes that another statement follows in the same exchange.
func (s *session) mixRewriting() {
	if s.rewriting != nil {
		s.rewriting.mixed = true
	}
}

// noteBindValues keeps the values of a Bind if they are to be compared.
func (s *session) noteBindValues(b *body, values []byte, whole bool) {
	w := s.rewriting
	switch {
	case w == nil || b == nil:
	case w.body != b || w.values != nil:
		w.mixed = true
	case w.choice.Compare != nil && whole:
		w.values = bytes.Clone(values)
	}
}

// endRewriting draws the conclusions from an exchange that has ended.
func (s *session) endRewriting() {
	failed := s.sample.code != [2]byte{}
	if v := s.unwritten; v != nil {
		s.unwritten = nil
		if !failed {
			s.tripped(v, "it failed ("+s.unwrittenCode+"), and the original did not")
		}
	}
	w := s.rewriting
	if w == nil {
		return
	}
	s.rewriting = nil
	if failed {
		return
	}
	if took := s.loop.Now() - s.sample.sent; !w.mixed && s.sample.sent != 0 {
		if v := w.choice.Variant; v != nil {
			v.Ran(w.entry.shape, took)
		} else {
			w.entry.shape.Original(took)
		}
	}
	if w.choice.Variant != nil {
		s.monitor.Rewritten(w.choice.Variant.Rules())
		s.sample.observed.rewritten = true
	}
	if v := w.choice.Compare; v != nil && !w.mixed && (w.body == nil || w.values != nil) {
		s.compareRewritten(w, v)
	}
}

// tripped stops rules for a shape, and says so.
func (s *session) tripped(v *rewrite.Variant, why string) {
	v.Trip(why)
	s.monitor.RewriteTripped(v.Rules())
	s.log.Warn("a rewrite has tripped", "rules", v.Rules(), "database", s.who.pool.Key().Database, "reason", why)
}

// rewriteFailed looks whether an error is that of a rewritten statement, and may be
// its own fault: then the original is to run in its place, if that is possible.
func (s *session) rewriteFailed(body []byte) bool {
	w := s.rewriting
	return w != nil && w.choice.Variant != nil && w.batch <= s.batch() && !transient(string(wire.ErrorCode(body)))
}

// runsOriginal has the original run in the place of a rewritten statement that has
// failed, and reports whether it will.
func (s *session) runsOriginal(body []byte) bool {
	if !s.rewriteFailed(body) || !s.heals() {
		return false
	}
	s.monitor.RewriteRerun(s.rewriting.choice.Variant.Rules())
	s.unwritten, s.unwrittenCode = s.rewriting.choice.Variant, string(wire.ErrorCode(body))
	s.rewriting = nil
	return true
}

// withOwnOrigins puts into a RowDescription where the columns of the client's statement
// come from, where a rewritten one says something else.
func (s *session) withOwnOrigins(body []byte) action {
	w := s.rewriting
	if w.choice.Variant == nil {
		return forward
	}
	columns := w.choice.Variant.Origins()
	if columns == nil || len(body) < 2 || int(binary.BigEndian.Uint16(body)) != len(columns) {
		return forward
	}
	made, ok := wire.WithOrigins(s.aside, body, func(i int) (uint32, uint16) { return columns[i].Table, columns[i].Number })
	if !ok {
		return forward
	}
	s.aside = made
	return swallow
}

// holdsFailure reports whether p, which the backend has sent, is all of its reply to
// the exchange, and ends with an error of a rewritten statement that makes the original
// run: then nothing of it may reach the client. PostgreSQL sends what stands before an
// error together with it, where it is short.
func (s *session) holdsFailure(p []byte) bool {
	w := s.rewriting
	if w.choice.Variant == nil || s.back.status != wire.StatusIdle || s.back.executed || len(s.back.sent) == s.back.told || s.gone ||
		s.back.rest > 0 || s.back.labelling || s.back.question != nil || !s.queue.endsWithSync() {
		return false
	}
	for len(p) > 0 {
		n, whole := wire.FrameLen(p)
		if !whole || n < 0 || n > len(p) {
			return false
		}
		switch p[0] {
		case wire.ParseComplete, wire.BindComplete, wire.CloseComplete, wire.ParameterDescription, wire.RowDescription, wire.NoData, wire.DataRow:
		case wire.ErrorResponse:
			severity := wire.ErrorSeverity(p[wire.HeaderLen:n])
			return severity == 'E' && s.rewriteFailed(p[wire.HeaderLen:n])
		default:
			return false
		}
		p = p[n:]
	}
	return false
}

// withOwnPosition puts the place in the client's text into an error message, in the
// place of that in the rewritten one. It reports whether there was one.
func (s *session) withOwnPosition(body []byte) bool {
	w := s.rewriting
	if w == nil || w.choice.Variant == nil || w.text == nil {
		return false
	}
	moved, ok := wire.WithPosition(s.scratch[:0], body, func(at int) int { return w.choice.Variant.Position(w.text, at) })
	if ok {
		s.aside = wire.AppendFrame(s.aside, wire.ErrorResponse, string(moved))
	}
	return ok
}

// rewriteSide is the session's part of rewriting.
type rewriteSide struct {
	rewriting *rewriting // of the exchange that is under way; nil: none
	// unwritten is what has failed; the exchange runs again as the client has it. nil:
	// it does not. unwrittenCode is the SQLSTATE.
	unwritten     *rewrite.Variant
	unwrittenCode string
}

// plainness is of the settings what rules depend on.
type plainness struct {
	plain bool // texts are UTF-8, and a backslash is one
	zone  string
}

func plainnessOf(p pool.Params) (w plainness) {
	standard, _ := p.Get("standard_conforming_strings")
	encoding, _ := p.Get("client_encoding")
	w.zone, _ = p.Get("TimeZone")
	w.plain = standard == "on" && encoding == "UTF8"
	return w
}

// changesOnlyRows reports whether a statement of a transaction leaves alone what rules
// depend on: the schema and the settings.
func changesOnlyRows(class sqlparse.Class) bool {
	switch class.First {
	case sqlparse.CommandSelect, sqlparse.CommandValues, sqlparse.CommandInsert, sqlparse.CommandUpdate, sqlparse.CommandDelete,
		sqlparse.CommandMerge, sqlparse.CommandCopy:
		return class.Statements == 1 && class.Pins == 0 && !class.Sets && !class.Defines
	}
	return false
}
