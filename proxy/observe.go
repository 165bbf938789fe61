package proxy

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// The monitor is told of each statement that has ended. While it runs its text, or its
// parameters, are kept in a buffer of the loop: if it was slow, they are needed.

// observed is what is known of the statements of the exchange that is under way.
type observed struct {
	// runs are the statements in it, each once; what has no room counts with the last.
	runs        [4]run
	n           int
	rows, bytes uint64
	fetched     uint64 // rows of the execution that is under way
	opens       bool   // the first statement is BEGIN
	body        *body  // of the first statement, or the one behind BEGIN; nil: it is a Query's
	kept        []byte // its text if it is a Query's, else what Bind says behind the names
	state       [5]byte
	rewritten   bool          // another text was sent in place of one of them
	trace       *digest.Trace // of the statement that body is of
	lap
	pace
}

type run struct {
	shape *digest.Shape
	calls uint32
	// executions are calls, and Executes that go on with one.
	executions uint32
	took       int64 // ns, as completions tell
	rows       uint64
}

// streak is a row of executions of one statement.
type streak struct {
	shape   *digest.Shape
	n, same uint32
	last    int64
	hash    uint64 // of the parameters
}

// streakGap ends a streak, in ns.
const streakGap = int64(time.Second)

var observeSeed = maphash.MakeSeed()

// noteStatement notes that a statement is executed. what is its text, or the values of a Bind;
// nil if they are too long. It returns what it counts as.
func (s *session) noteStatement(b *body, text, what []byte) *digest.Shape {
	owner := s.who.owner
	if owner == nil {
		return nil
	}
	x := &s.sample.observed
	sh := s.addRun(owner, b, text)
	switch {
	case x.started == 1:
		x.opens = b != nil && b.class.First == sqlparse.CommandBegin
	case x.started > 2 || !x.opens:
		return sh
	}
	if s.certain(text) {
		x.trace = cmp.Or(s.observer.Trace(text), x.trace)
	}
	x.body = b
	if what == nil || len(what) > reactor.BufferSize {
		s.forgetObserved()
		return sh
	}
	if x.kept == nil {
		x.kept = s.loop.Buffer()
	}
	x.kept = append(x.kept[:0], what...)
	return sh
}

// observeQuery notes a Query, of which text may be the beginning; n is the length of
// its frame.
func (s *session) observeQuery(text []byte, n int) {
	if n > maxText {
		s.noteStatement(nil, nil, nil)
	} else {
		s.noteStatement(nil, text, text)
	}
	s.sample.observed.synced()
}

// observeBind notes that a prepared statement is executed. Without whole the values
// are not all there.
func (s *session) observeBind(portal []byte, st statement, values []byte, whole bool) {
	b := st.body
	if b == nil {
		b = st.here
	}
	var sh *digest.Shape
	switch {
	case b == nil:
		sh = s.noteStatement(nil, nil, nil)
	case whole:
		sh = s.noteStatement(b, b.sql, values)
	default:
		sh = s.noteStatement(b, b.sql, nil)
	}
	if sh != nil {
		s.portals.bind(portal, sh)
	}
}

// observeExecute notes an Execute, of which body is the message. That of a portal which was
// bound in this exchange is known already.
func (s *session) observeExecute(body []byte) {
	portal, _, ok := wire.CString(body)
	if !ok || s.who.owner == nil {
		return
	}
	if sh := s.portals.execute(portal); sh != nil {
		s.sample.observed.add(sh, 0)
	}
}

// observeServed notes a statement that needs no backend: the cache has the answer, or PgJay gives
// it.
func (s *session) observeServed(b *body, text []byte) {
	if owner := s.who.owner; owner != nil {
		x := &s.sample.observed
		if s.addRun(owner, b, text); x.started == 1 && s.certain(text) {
			x.trace = s.observer.Trace(text)
		}
	}
}

// observeAgain forgets the statements of an exchange that is to be sent again.
func (s *session) observeAgain() {
	s.forgetObserved()
	s.sample.observed = observed{}
}

// add notes an execution, which is a call or goes on with one, and returns what it counts as.
func (x *observed) add(sh *digest.Shape, calls uint32) *digest.Shape {
	i := 0
	for i < x.n && x.runs[i].shape != sh {
		i++
	}
	if i == len(x.runs) {
		i--
	}
	if i == x.n {
		x.runs[i] = run{shape: sh}
		x.n++
	}
	r := &x.runs[i]
	r.calls += calls
	r.executions++
	x.begins(i)
	return r.shape
}

// certain reports whether what is a literal in a text is.
func (s *session) certain(text []byte) bool {
	return s.who.always != sqlparse.ReasonEncoding && (s.who.standard || bytes.IndexByte(text, '\\') < 0)
}

// addRun notes an execution. Where there is no room for another statement no shape is made:
// nothing would be recorded of it.
func (s *session) addRun(owner *digest.Owner, b *body, text []byte) *digest.Shape {
	x := &s.sample.observed
	switch {
	case x.n < len(x.runs):
		return x.add(s.shapeOf(owner, b, text), 1)
	case b != nil:
		return x.add(b.shape.Load(), 1)
	}
	return x.add(nil, 1)
}

// shapeOf returns the shape of a text, which may be a body's.
func (s *session) shapeOf(owner *digest.Owner, b *body, text []byte) *digest.Shape {
	if !s.certain(text) {
		return s.observer.Find(owner, nil)
	}
	if b == nil {
		return s.observer.Find(owner, text)
	}
	sh := b.shape.Load()
	if !sh.Current(owner) {
		sh = s.observer.Find(owner, text)
		b.shape.Store(sh)
	}
	return sh
}

// forgetObserved gives the buffer back.
func (s *session) forgetObserved() {
	if kept := s.sample.observed.kept; kept != nil {
		s.giveBuffer(kept)
		s.sample.observed.kept = nil
	}
}

// setRows notes what a CommandComplete's tag says: the number behind its last space.
func (x *observed) setRows(tag []byte) {
	tag = bytes.TrimSuffix(tag, []byte{0})
	var n uint64
	for _, c := range tag[bytes.LastIndexByte(tag, ' ')+1:] {
		if c < '0' || c > '9' {
			return
		}
		n = n*10 + uint64(c-'0')
	}
	x.rows += n
}

// recordStatements hands the statements of an exchange that has ended to the monitor.
func (s *session) recordStatements(sample *monitor.Sample) {
	x := &s.sample.observed
	failed := x.ends(s.loop.Now())
	x.goesOn(s.loop.Now())
	alone := x.alone()
	if x.state != [5]byte{} {
		x.dropSkipped()
	}
	for i := range x.n {
		r := &x.runs[i]
		if r.executions == 0 {
			continue
		}
		share := x.shareOf(i, alone)
		rec := digest.Record{
			Shape: r.shape, Calls: r.calls, GoesOn: r.calls == 0, Source: digest.Source(sample.Source), Query: x.body == nil && x.kept != nil,
			Duration: part(sample.Duration, share), Wait: part(sample.Wait, share), Backend: part(sample.Backend, share), Rows: r.rows,
		}
		if i == max(alone, 0) {
			rec.Bytes, rec.Rewritten, rec.Trace = x.bytes, x.rewritten, x.trace
		}
		if i == failed {
			rec.Code = x.state
		}
		if i == alone {
			rec.FirstRow, rec.Stalled = x.firstRow(s.sample.sent), x.stalled
			s.inspect(&rec)
		}
		s.observer.Record(&rec)
	}
	s.forgetObserved()
}

// alone returns the run of the only statement of an exchange, where BEGIN does not count;
// -1: there are more.
func (x *observed) alone() int {
	switch {
	case x.n == 1 && x.runs[0].calls == 1:
		return 0
	case x.n == 2 && x.opens && x.runs[0].executions == 1 && x.runs[1].calls == 1:
		return 1
	}
	return -1
}

// inspect looks whether an exchange of one statement is slow, or one of many that are
// the same.
func (s *session) inspect(rec *digest.Record) {
	x, owner := &s.sample.observed, rec.Shape.Owner()
	if rec.Source == digest.SourceBackend {
		rec.Streak, rec.Same = s.streak.next(rec.Shape, maphash.Bytes(observeSeed, x.kept), s.loop.Now())
	}
	if slow := owner.Slow(); slow > 0 && rec.Duration >= slow {
		rec.Slow = &digest.Slow{Session: s.id}
		if text := x.text(); s.certain(text) {
			rec.Slow.Tags = digest.Tags(text, s.monitor.Tags())
		}
		if rec.Trace == nil {
			rec.Trace = s.observer.TraceSlow()
		}
	}
	if limit := owner.Explain(); limit > 0 && rec.Backend-rec.Stalled >= limit && rec.Source == digest.SourceBackend {
		s.offer(rec)
	}
}

// text is that of the statement which body is of, empty if it is not known.
func (x *observed) text() []byte {
	if x.body != nil {
		return x.body.sql
	}
	return x.kept
}

// next counts an execution and returns the lengths if one of them is to be told.
func (k *streak) next(sh *digest.Shape, hash uint64, now int64) (n, same uint32) {
	if k.shape != sh || now-k.last > streakGap || sh.Mixed() {
		*k = streak{shape: sh}
	}
	k.n++
	if k.n == 1 || hash == k.hash {
		k.same++
	} else {
		k.same = 1
	}
	k.last, k.hash = now, hash
	if k.n%digest.StreakMark != 0 {
		return 0, 0
	}
	return k.n, k.same
}

// timedOut is the SQLSTATE of a statement that was cancelled: it is worth explaining.
const timedOut = "57014"

// offer has a slow statement explained.
func (s *session) offer(rec *digest.Record) {
	took, explainer := time.Duration(rec.Backend-rec.Stalled), s.monitor.Explainer()
	failed := rec.Code != [5]byte{} && string(rec.Code[:]) != timedOut
	if failed || !explainer.Wants(rec.Shape, took) {
		return
	}
	x := &s.sample.observed
	r := &explain.Request{
		Shape: rec.Shape, Key: s.who.pool.Key(), Settings: pool.Diff(pool.Label{}, s.who.label),
		Text: bytes.Clone(x.text()), Observed: took,
	}
	switch {
	case x.body == nil:
	case x.kept == nil:
		r.Unknown = true
	default:
		r.Types = x.body.types()
		var ok bool
		if r.Formats, r.Values, ok = readParameters(slices.Clone(x.kept)); !ok {
			return
		}
	}
	switch {
	case s.tx.sets:
		r.Unlike = "its transaction has changed settings, perhaps for itself alone (SET LOCAL)"
	case s.tx.pins.Has(sqlparse.ReasonTemporary):
		r.Note = "its session has temporary objects"
	case x.rewritten:
		r.Note = "what was executed is another text, by a rule of rewriting"
	}
	explainer.Offer(r)
}

// readParameters reads what a Bind says behind the names: formats and values.
func readParameters(p []byte) (formats []int16, values [][]byte, ok bool) {
	n, p, ok := cutCount(p)
	if !ok || len(p) < 2*n {
		return nil, nil, false
	}
	for range n {
		formats = append(formats, int16(binary.BigEndian.Uint16(p)))
		p = p[2:]
	}
	if n, p, ok = cutCount(p); !ok {
		return nil, nil, false
	}
	for range n {
		if len(p) < 4 {
			return nil, nil, false
		}
		length := int32(binary.BigEndian.Uint32(p))
		p = p[4:]
		if length < 0 {
			values = append(values, nil)
			continue
		}
		if int(length) > len(p) {
			return nil, nil, false
		}
		values = append(values, p[:length:length])
		p = p[length:]
	}
	return formats, values, true
}

// cutCount reads a number of 16 bits.
func cutCount(p []byte) (n int, rest []byte, ok bool) {
	if len(p) < 2 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint16(p)), p[2:], true
}
