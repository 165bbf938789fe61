package proxy

import (
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A BEGIN is answered here and held back until the first statement of the
// transaction needs a backend; it goes there in the same write. A transaction
// that ends before it has done anything never leaves the proxy.

// heldBegin is the BEGIN of a transaction in which the client has not got a reply
// from a backend yet.
type heldBegin struct {
	text string // empty: there is none
	// isolation is what it asks for; empty: the default.
	isolation string
	// failed is set when the transaction has: no backend was to be had.
	failed bool
	// replies is how many ReadyForQuery are still to come for it.
	replies int
}

// maxHeld bounds the texts that are looked at.
const maxHeld = 200

// handledHere handles a Query that needs no backend, as long as the session has
// none, and reports whether it did.
func (s *session) handledHere(frame []byte, n int) bool {
	if s.back.lease != nil || s.listen != nil || n > maxHeld || n > len(frame) || s.own || s.who.pool.Settings().Mode != pool.ModeTransaction {
		return false
	}
	text := textOf(frame, n)
	if !mayBeTransaction(text, s.begin.text != "") {
		return false
	}
	facts := s.texts.memo.Get(text).Facts()
	if facts.Opaque || len(facts.Parts) != 1 {
		return false
	}
	tx, ok := facts.Parts[0].Detail.(*sqlparse.Transaction)
	switch {
	case !ok:
		return false
	case s.begin.text == "" && tx.Kind == sqlparse.TransactionBegin && cannotFail(tx.Modes) && !s.who.idles:
		s.holdBegin(text, tx.Modes.Isolation)
		return true
	case s.begin.text != "" && !tx.Chain && (tx.Kind == sqlparse.TransactionCommit || tx.Kind == sqlparse.TransactionRollback):
		s.endHeld(text, tx.Kind == sqlparse.TransactionCommit && !s.begin.failed)
		return true
	}
	return false
}

// mayBeTransaction tells by the first letters whether a text is worth a look:
// BEGIN and START, or COMMIT, END, ROLLBACK and ABORT.
func mayBeTransaction(text []byte, held bool) bool {
	if len(text) < 3 {
		return false
	}
	first, second := text[0]|0x20, text[1]|0x20
	if !held {
		return first == 'b' || first == 's' && second == 't'
	}
	return first == 'c' || first == 'e' || first == 'r' || first == 'a'
}

// cannotFail reports whether BEGIN is never refused with these modes. A hot
// standby refuses SERIALIZABLE and READ WRITE.
func cannotFail(m sqlparse.Modes) bool {
	return m.Isolation != "serializable" && m.ReadOnly != sqlparse.No
}

// holdBegin answers a BEGIN.
func (s *session) holdBegin(text []byte, isolation string) {
	now := s.loop.Now()
	s.begin = heldBegin{text: string(text), isolation: isolation}
	s.client.statements.unnamed = statement{}
	s.tx.began = now
	timeouts := s.settings().timeouts
	s.clock.set(s, timeoutTransaction, timeouts.Transaction)
	s.clock.clear(timeoutClientIdle)
	s.clock.set(s, timeoutIdleInTransaction, timeouts.IdleInTransaction)
	tag := "BEGIN"
	if text[0]|0x20 == 's' {
		tag = "START TRANSACTION"
	}
	s.answerHere(text, tag, sqlparse.CommandBegin)
}

// endHeld answers the COMMIT or ROLLBACK of a transaction that no backend has
// seen.
func (s *session) endHeld(text []byte, commit bool) {
	s.begin = heldBegin{}
	s.client.statements.unnamed = statement{}
	tag := "ROLLBACK"
	if commit {
		tag = "COMMIT"
	}
	s.clock.clear(timeoutIdleInTransaction)
	s.sample.rolledBack = !commit
	result := s.transactionResult()
	s.answerHere(text, tag, sqlparse.CommandCommit)
	s.endTransaction(s.loop.Now(), result)
}

// answerHere answers a Query and counts it.
func (s *session) answerHere(text []byte, tag string, command sqlparse.Command) {
	s.observeServed(nil, text)
	s.sample.start, s.sample.command, s.sample.source = s.loop.Now(), command, monitor.SourceProxy
	out := wire.AppendFrame(s.scratch[:0], wire.CommandComplete, tag+"\x00")
	s.toClient(wire.AppendReadyForQuery(out, s.heldStatus()))
	s.record()
}

// heldStatus is the transaction status of a session that has no backend.
func (s *session) heldStatus() byte {
	switch {
	case s.begin.text == "":
		return wire.StatusIdle
	case s.begin.failed:
		return wire.StatusError
	}
	return wire.StatusTransaction
}

// failing makes a transaction a failed one. No such statement exists.
const failing = "pgjay: the transaction has failed"

// sendBegin gives the BEGIN to the backend that the session has now. If the
// transaction has failed already, it does there too, so that it is PostgreSQL
// that says so to the client.
func (s *session) sendBegin() {
	if s.begin.text == "" {
		return
	}
	s.begin.replies, s.tx.reads = 1, !s.begin.failed && s.readsCommitted()
	s.tx.tame = s.tx.reads
	out := wire.AppendQuery(s.scratch[:0], s.begin.text)
	s.queue.push(expectQuery, swallow)
	if s.begin.failed {
		s.begin.replies = 2
		out = wire.AppendQuery(out, failing)
		s.queue.push(expectQuery, swallow)
	}
	s.toBackend(out)
}
