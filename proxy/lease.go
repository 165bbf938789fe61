package proxy

import (
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// setConfig applies one setting. A NULL value resets it (guc.c,
// set_config_by_name). Bound parameters need no quoting in any encoding.
const (
	setConfig      = "SELECT pg_catalog.set_config($1, $2, false)"
	setConfigLocal = "SELECT pg_catalog.set_config($1, $2, true)"
)

// acquire reports whether the session may send to a backend now. If not it
// has asked for one and is called back; the client is not read until then.
func (s *session) acquire() bool {
	if s.listen != nil && s.mustHear() {
		s.pauseClient(pausedWaiting)
		return false
	}
	if s.back.lease != nil {
		if s.mustSettle() && !s.copyUnended() {
			s.pauseClient(pausedWaiting)
			return false
		}
		return true
	}
	if s.wantsNewBackend() {
		s.dialOwn(sqlparse.ReasonNewBackend)
		return false
	}
	s.waiter.Lessee, s.waiter.Loop, s.waiter.Label, s.waiter.Residence = s, s.loop, s.who.label, &s.who.residence
	s.sample.asked = s.loop.Now()
	if b := s.who.pool.Lease(&s.waiter); b != nil {
		s.hold(b)
		if s.state == stateReady && s.mustSettle() {
			s.pauseClient(pausedWaiting)
			return false
		}
		return true
	}
	s.back.waiting = true
	s.pauseClient(pausedWaiting)
	s.clock.set(s, timeoutAcquire, s.who.pool.Settings().AcquireTimeout)
	return false
}

// mustSettle reports whether a new exchange must wait for what is under way on
// the lease, because
//
//  1. a cancel request that is on its way must not hit a query it was not
//     meant for;
//  2. start-up settings that a RESET undoes are to be applied again first;
//  3. the label may be refused, and what is sent must not run without it;
//  4. an earlier exchange is to run again;
//  5. it is being found out whether the session needs a new backend, or what SQL has
//     prepared, which is to be described as it is now;
//  6. settings may have been reset unseen;
//  7. what exposes the backend may be taken back;
//  8. the session may turn out not to have yielded what was refused.
func (s *session) mustSettle() bool {
	return s.back.healing || s.yields.tries() && s.back.used && !s.tx.unsynced || s.mayNeedNewBackend() || s.learnsNames() || s.mayBeReset() || s.cancel.inFlight > 0 || s.cancel.due && s.queue.owesClient() && !s.tx.unsynced ||
		s.back.labelling && s.who.perishable ||
		(s.tx.discard || s.back.reapply != nil || s.back.amid) && !s.tx.unsynced && s.queue.owesClient()
}

// Leased takes the backend that was waited for.
func (s *session) Leased(b *pool.Backend) {
	defer s.endEvent()
	s.back.waiting = false
	s.clock.clear(timeoutAcquire)
	if s.gone {
		b.Release()
		s.finish()
		return
	}
	s.hold(b)
	if s.state == stateGreeting {
		s.greetFrom(b)
		return
	}
	s.proceed()
}

// LeaseFailed says that there is no backend to be had for this client.
func (s *session) LeaseFailed(err error) {
	defer s.endEvent()
	s.back.waiting = false
	s.clock.clear(timeoutAcquire)
	switch {
	case s.gone:
		s.finish()
	case s.state == stateGreeting:
		s.fail(leaseError(err, "FATAL"))
	case s.servesOnError():
		s.proceed()
	default:
		s.answerPending(leaseError(err, "ERROR"))
	}
}

// proceed uses what the client sent meanwhile and reads it again.
func (s *session) proceed() {
	if s.back.waiting || s.back.dialing || s.loss != nil || s.page.held() && s.page.closed {
		return
	}
	s.client.paused &^= pausedWaiting
	if !s.client.consuming {
		s.useInput()
	}
	if s.client.paused == 0 && !s.gone {
		s.client.conn.Resume()
	}
}

// hold makes b the session's backend and gives it the session's label.
func (s *session) hold(b *pool.Backend) {
	s.back.lease, s.back.since = b, s.loop.Now()
	s.back.status = wire.StatusIdle
	s.back.sent = s.loop.Buffer()[:0]
	s.sample.waited += s.loop.Now() - s.sample.asked
	if dropped := s.claim(b); dropped || b.Label != s.who.label {
		s.applySettings(pool.Diff(b.Label, s.who.label), swallow)
		b.Label = s.who.label
	} else if b.Params != s.who.params && s.state == stateReady {
		s.reportChanged()
		s.toClient(s.aside)
		s.aside = s.aside[:0]
	}
	if s.strangeSequences() && s.who.pool.SequencesRead() {
		s.forgetSequences()
	}
	s.sendBegin()
	if s.client.paused&pausedClient != 0 {
		s.pauseBackend(pausedClient)
	}
}

// applySettings gives the backend the session's label and swallows the
// replies. The last one, ReadyForQuery, is dealt with as last says. Settings that end
// with the transaction come behind the others.
func (s *session) applySettings(settings []pool.Setting, last action) {
	out, guarded := s.scratch[:0], s.mayBeHurt()
	if guarded {
		out = s.appendCommand(out, "BEGIN ISOLATION LEVEL READ COMMITTED")
	}
	out = wire.AppendParse(out, "", setConfig)
	s.queue.push(expectReply, swallow)
	local := false
	for i := range settings {
		if settings[i].Local && !local {
			out = wire.AppendParse(out, "", setConfigLocal)
			s.queue.push(expectReply, swallow)
			local = true
		}
		value := &settings[i].Value
		if settings[i].Reset {
			value = nil
		}
		out = wire.AppendExecute(wire.AppendBindText(out, "", &settings[i].Name, value))
		s.queue.push(expectReply, swallow)
		s.queue.push(expectReply, swallow)
	}
	if guarded {
		out = s.appendCommand(out, "COMMIT")
	}
	s.toBackend(wire.AppendEmpty(out, wire.Sync))
	s.queue.push(expectSync, last)
	s.back.lease.UnnamedOwner = unknownOwner
	s.back.labelling = true
}

// mayBeHurt reports whether setConfig might wait for the transactions of others, as what
// is asked might (unhurt): only transactions that are READ ONLY by default do so. Before
// version 14 the server does not say whether they are; then the label counts.
func (s *session) mayBeHurt() bool {
	const setting = "default_transaction_read_only"
	b := s.back.lease
	value, told := b.Params.Get(setting)
	if !told {
		value, _ = b.Label.Get(setting)
	}
	return value == "on" && s.back.status == wire.StatusIdle
}

// appendCommand appends a command without parameters, whose replies are swallowed.
func (s *session) appendCommand(out []byte, sql string) []byte {
	for range 3 {
		s.queue.push(expectReply, swallow)
	}
	return wire.AppendExecute(wire.AppendBindText(wire.AppendParse(out, "", sql), ""))
}

// setParams notes the parameter values that the client knows.
func (s *session) setParams(p pool.Params) {
	if p == s.who.params {
		return
	}
	s.who.params = p
	standard, _ := p.Get("standard_conforming_strings")
	s.who.standard = standard == "on"
	s.who.plainness = plainnessOf(p)
	s.setAlways()
}

// setAlways notes what the session's settings mean for all its statements.
func (s *session) setAlways() {
	s.who.always = sqlparse.ReasonNone
	if encoding, _ := s.who.params.Get("client_encoding"); !sqlparse.Readable(encoding) {
		s.who.always = sqlparse.ReasonEncoding
	}
	path, _ := s.who.label.Get("search_path")
	if strings.Contains(strings.ToLower(path), "pg_temp") {
		s.who.always = sqlparse.ReasonTemporary
	}
	s.who.temporary = createsTemporary(path)
}

// beginExchange is called before the first message of an exchange is sent.
func (s *session) beginExchange(class sqlparse.Class) {
	now := s.loop.Now()
	if x := &s.sample; x.start == 0 || s.queue.empty() && s.retries == (retries{}) {
		x.start = now - x.waited
		x.command = class.First
		s.clock.set(s, timeoutQuery, s.settings().timeouts.Query)
	}
	if s.tx.began == 0 {
		s.tx.began = now
		s.clock.set(s, timeoutTransaction, s.settings().timeouts.Transaction)
	}
	if s.back.past && s.back.sent == nil && s.queue.empty() && s.back.status == wire.StatusIdle {
		s.back.sent = s.loop.Buffer()[:0]
	}
	s.clock.clear(timeoutIdleInTransaction)
	s.clock.clear(timeoutClientIdle)
	s.back.used, s.back.ready = true, false
	if s.listen != nil {
		s.heedExchange(class)
	}
}

// release gives the backend back. Caller has checked mayRelease. One that has
// said why it ends is closed: the next session would not know the reason. So is one
// that may not become what it was.
func (s *session) release() {
	s.recordHeld()
	b, last, tuned := s.back.lease, s.back.fatal, s.back.tuned
	s.noteSequences()
	s.disown(b)
	s.resumeBackend(pausedClient | pausedBackend)
	s.forgetSent()
	s.resumeClient(pausedBackend)
	s.back = backendSide{in: s.back.in}
	if last != nil {
		b.Destroy(pool.ServerClosed(last.Code))
		return
	}
	if tuned {
		b.Destroy("listening")
		return
	}
	if s.who.sticky {
		b.Destroy("sticky_setting")
		return
	}
	b.Release()
}

// destroy closes the backend: its state is unknown or not wanted.
func (s *session) destroy(reason string) {
	s.back.lease.Destroy(reason)
	s.dropLease()
}

// dropLease forgets the backend and all that was expected of it.
func (s *session) dropLease() {
	s.recordHeld()
	s.forgetSent()
	s.loseChanges()
	s.dropFill()
	s.dropPage()
	s.rewriting = nil
	if s.back.in != nil {
		s.giveBuffer(s.back.in)
	}
	s.back = backendSide{}
	s.queue.reset()
	s.begin.replies = 0
	s.client.statements.pending = s.client.statements.pending[:0]
	if s.listen != nil {
		s.listen.interrupted()
	}
	s.unpin()
	s.recordLost()
	s.tx = transaction{}
	s.restoreFormer()
	s.focus()
	if s.client.rest > 0 {
		s.client.restDropped = true
	}
	s.resumeClient(pausedBackend)
}

var _ reactor.Handler = (*session)(nil)
