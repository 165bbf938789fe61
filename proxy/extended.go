package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// extended sends a message of the extended protocol on: Parse, Bind, Describe,
// Execute, Close or Flush. n is the frame's whole length. It returns false if
// the message must wait.
func (s *session) extended(typ byte, frame []byte, n int) bool {
	if s.mustWait(typ, frame) {
		s.pauseClient(pausedWaiting)
		return false
	}
	var parsed *body
	if typ == wire.Parse && n == len(frame) {
		if parsed = s.parsed(frame); s.mustExpose(parsed.class, parsed.sql, "") || s.readsSequences(parsed.class) || s.countsLogins(parsed.class) ||
			s.looksAtPlans(parsed.class, parsed.sql) || parsed.class.Nulls && s.parsesNull(parsed.class) {
			return false
		}
	}
	if parsed != nil {
		s.client.nulls = s.client.nulls || parsed.class.Nulls
	}
	if typ == wire.Bind && s.client.nulls && s.bindsNull(frame) {
		return false
	}
	s.beginBatch()
	s.tx.bound = s.tx.bound || typ == wire.Bind || typ == wire.Execute
	body := frame[wire.HeaderLen:]
	statement := len(body) > 1 && body[0] == 'S' // what Describe and Close name
	switch {
	case typ == wire.Flush && n == wire.HeaderLen:
		s.send(frame)
		s.flushed()
	case typ == wire.Parse:
		s.traffic.Parsed()
		s.parse(frame, parsed)
	case typ == wire.Bind:
		s.traffic.Bound()
		s.bind(frame, n)
	case typ == wire.Execute:
		s.observeExecute(body)
		s.pass(frame)
	case typ == wire.Describe && statement:
		s.describe(frame)
	case typ == wire.Close && statement:
		s.closeStatement(frame)
	default:
		s.pass(frame)
	}
	return true
}

// mustWait reports whether the message must wait. What the backend waits for,
// as it reads copy data, may not.
func (s *session) mustWait(typ byte, frame []byte) bool {
	switch {
	case s.copyUnended():
		return false
	case len(s.client.statements.pending) >= maxPending:
		s.flush()
		return len(s.client.statements.pending) >= maxPending
	case typ == wire.Execute && s.client.resets != nil:
		return !s.executeReset(frame[wire.HeaderLen:])
	case typ == wire.Bind && s.listen != nil && !s.heedBind(frame):
		return true
	}
	return s.mustWaitFor(typ, frame)
}

// pass sends a message on as it is.
func (s *session) pass(frame []byte) {
	s.send(frame)
	s.queue.push(expectReply, forward)
}

// sync handles a Sync. Without a lease nothing is under way, so that it is
// answered here.
func (s *session) sync(frame []byte) bool {
	wellFormed := len(frame) == wire.HeaderLen
	if s.back.lease == nil && wellFormed && s.listen == nil {
		s.client.skipping = false
		s.toClient(wire.AppendReadyForQuery(s.scratch[:0], s.heldStatus()))
		return true
	}
	if !s.tx.unsynced && !s.acquire() {
		return false
	}
	if s.listen != nil && !s.heedEnd() {
		return false
	}
	s.client.skipping = false
	if !s.tx.unsynced {
		s.beginExchange(sqlparse.Class{})
	}
	s.sample.observed.synced()
	s.endBatch()
	s.send(frame)
	if s.page != nil && s.page.bound {
		s.closePage()
	}
	if s.tx.copyIn.active && s.queue.onlyHead() {
		s.tx.copyIn.ambiguous = true // PostgreSQL ignores it while it reads copy data
		return true
	}
	if wellFormed {
		s.queue.push(expectSync, forward)
	} else {
		s.queue.push(expectBadSync, forward)
	}
	s.queue.flush()
	return true
}

// batch numbers the runs of extended messages that end with a Sync, or another
// message that has a ReadyForQuery; from 1 on.
func (s *session) batch() uint64 { return s.tx.batch + 1 }

// beginBatch notes that an extended message is sent.
func (s *session) beginBatch() {
	if s.tx.unsynced {
		return
	}
	s.beginExchange(sqlparse.Class{})
	s.tx.unsynced = true
	s.tx.copies = s.tx.copies && !s.queue.empty()
	s.tx.spared, s.tx.bound, s.tx.ends = false, false, false
}

// endBatch notes that what is sent next ends a run of extended messages.
func (s *session) endBatch() {
	if s.who.blurred && s.who.blurredIn == s.batch() && s.tx.unsynced && s.outside() {
		s.blur() // a transaction ends that was not begun, and may take back what the batch has set
	}
	s.closeSpares()
	s.tx.unsynced = false
	s.tx.batch++
}

// copyMessage handles CopyData, CopyDone and CopyFail. PostgreSQL ignores them
// outside of a copy, as they may be on their way when a copy fails.
func (s *session) copyMessage(typ byte, frame []byte) bool {
	if s.back.lease == nil || s.client.skipping || s.queue.empty() {
		s.client.restDropped = true
		return true
	}
	s.forgetSent()
	s.send(frame)
	if typ != wire.CopyData {
		s.queue.push(expectCopyEnd, forward)
	}
	return true
}
