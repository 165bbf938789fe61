package proxy

import (
	"strings"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

const (
	// maxRetries bounds how often one exchange is tried on another backend
	// after backends that were told to end.
	maxRetries = 10
	// retryWindow is how long after it was sent a statement may be tried
	// again: it met a backend that was lost before. One that has run for
	// longer was what somebody ended, or what killed its backend.
	retryWindow = time.Second
)

// retries counts how often an exchange was tried again.
type retries struct {
	all     int
	crashes int // after backends that said nothing
}

// effect is what may be left of an exchange whose backend was lost before it
// replied.
type effect uint8

const (
	effectNone    effect = iota // it only reads
	effectAtomic                // nothing, unless it had replied
	effectUnknown               // it may have committed in its midst, or done what no transaction takes back
)

func effectOf(class sqlparse.Class) effect {
	switch {
	case class.ReadOnly():
		return effectNone
	case class.Atomic():
		return effectAtomic
	}
	return effectUnknown
}

// BackendClosed says that the leased backend's socket is gone.
func (s *session) BackendClosed(error) {
	defer s.endEvent()
	if s.state == stateTunnel {
		s.dropLease()
		s.leave(closedByError)
		return
	}
	s.loseBackend(s.back.fatal, false)
}

// BackendBlocked says that the backend does not take what is sent to it: the
// client is not read until it does.
func (s *session) BackendBlocked() {
	defer s.endEvent()
	s.pauseClient(pausedBackend)
}

// BackendDrained ends what BackendBlocked began.
func (s *session) BackendDrained() {
	defer s.endEvent()
	s.resumeClient(pausedBackend)
	s.afterReplies()
}

// backendViolation notes that the backend does not speak the protocol as
// expected: its state is unknown.
func (s *session) backendViolation() {
	s.back.broken = true
	s.back.fatal = &errViolation
}

// loseBackend handles the loss of the lease: the socket was closed, or is
// closed here. cause is what the backend said last, if anything.
func (s *session) loseBackend(cause *wire.Error, open bool) {
	b, lost := s.back.lease, s.back
	l := &loss{
		refused: open && lost.labelling && cause != nil && cause != &errViolation,
		cause:   cause,
		owed:    s.queue,
		fresh:   !lost.used && s.client.paused&pausedWaiting != 0,
		free:    lost.status == wire.StatusIdle && s.begin.text == "" && s.tx.pins == 0 && s.pooled() && !lost.labelling,
		again:   s.yields.tries(),
		skip:    s.client.skipping || s.tx.unsynced,
		torn:    lost.rest > 0 && lost.restAction == forward && !s.page.held(),
	}
	if s.mayTryAgain(cause) {
		l.sent = s.takeSent() // keep it from being recycled
		s.tx.began = 0        // it begins again
	}
	s.queue = expectations{}
	switch {
	case open && lost.labelling && cause != &errViolation:
		b.Destroy("label_refused")
	case open:
		b.Destroy("protocol_violation")
	}
	s.dropLease()
	if !s.doubtful(l) {
		s.afterLoss(l)
	}
}

// afterLoss does for the client what can be done.
func (s *session) afterLoss(l *loss) {
	fatal := fatalForClient(l.cause)
	switch {
	case s.gone:
		s.finish()
	case l.sent != nil:
		if l.cause == nil {
			s.retries.crashes++
		}
		s.tryAgain(l.sent, "backend_gone")
	case s.state == stateReady && l.fresh && !fatal && s.retries.all < maxRetries:
		s.retries.all++
		s.proceed() // nothing of the client's was sent
	case s.state == stateReady && l.fresh && l.refused && len(s.client.in) > 0:
		s.labelRefused(l.cause, l.again)
	case s.state == stateGreeting && l.cause != nil && l.cause.Code == "55P02":
		s.dialOwn(sqlparse.ReasonStartup) // PostgreSQL takes some settings at start-up only
	case l.torn:
		s.recordFailed(backendLost(l.cause))
		s.leave(closedByError)
	case s.state != stateReady || !l.free || fatal:
		s.fail(backendLost(l.cause))
	default:
		s.answerLost(l.owed, l.skip, backendLost(l.cause))
	}
}

// fatalForClient reports whether a backend ended because of what its client
// did, and not because somebody ended it: classes 57 (operator intervention)
// and 58 (system error) are not the client's doing.
func fatalForClient(cause *wire.Error) bool {
	return cause != nil && cause != &errViolation && !strings.HasPrefix(cause.Code, "57") && !strings.HasPrefix(cause.Code, "58")
}

// mayTryAgain reports whether what was sent on this lease can be sent to
// another backend:
//
//  1. all of it is known, it is all that was sent on this lease but a BEGIN that
//     was held back, and the client has seen no reply to it;
//  2. it was sent a moment ago: it met a backend that was ending;
//  3. it has not been tried too often: where a backend has crashed, once, for it
//     may have been this that made it crash;
//  4. it only reads; or PostgreSQL said that it ended the backend before there
//     was a reply, and takes all of it back then. It sends CommandComplete
//     before it looks at a termination request, so what was committed has one.
func (s *session) mayTryAgain(cause *wire.Error) bool {
	if len(s.back.sent) == s.back.told || s.back.past || s.gone || s.state != stateReady || s.retries.all >= maxRetries ||
		s.loop.Now()-s.sample.sent >= int64(retryWindow) {
		return false
	}
	if cause == nil {
		return s.back.effect == effectNone && s.retries.crashes == 0
	}
	switch cause.Code {
	case adminShutdown, "57P05":
		return s.back.effect <= effectAtomic
	case "57P02":
		return s.back.effect == effectNone
	}
	return false
}

// tryAgain sends once more what was sent.
func (s *session) tryAgain(sent []byte, why string) {
	s.putBack(sent, why)
	s.proceed()
}

// putBack puts what was sent back in front of the client's input.
func (s *session) putBack(sent []byte, why string) {
	s.dropPage()
	s.retries.all++
	s.recordRetry(why)
	s.sample.lost += max(s.loop.Now()-s.sample.sent, 0)
	s.sample.sent = 0
	s.observeAgain()
	s.client.rest, s.client.skipping = 0, false
	if kept := s.client.in; kept != nil {
		sent = append(sent, kept...)
		s.giveBuffer(kept)
	}
	s.client.in = sent
}

// answerLost gives the client the replies it is owed for what a lost backend
// has not answered: the session lives on.
func (s *session) answerLost(owed expectations, skip bool, e *wire.Error) {
	out := s.scratch[:0]
	told := false
	for !owed.empty() {
		head := owed.head()
		if head.kind != expectCopyEnd && head.act == forward && !told {
			out, told = e.Append(out), true
		}
		if head.act == forward && head.kind.ready() {
			s.recordFailed(e)
			out, told = wire.AppendReadyForQuery(out, wire.StatusIdle), false
		}
		owed.pop()
	}
	if skip && !told {
		out = e.Append(out)
	}
	if skip {
		s.recordFailed(e)
	}
	s.client.skipping = skip
	s.toClient(out)
	s.proceed()
}

// answerPending gives an error to the message for which there is no backend.
func (s *session) answerPending(e *wire.Error) {
	s.recordFailed(e)
	s.begin.failed = true
	out := e.Append(s.scratch[:0])
	in := s.client.in
	n, _ := wire.FrameLen(in)
	if in[0] == wire.Query {
		s.client.statements.unnamed = statement{} // PostgreSQL drops it before it does anything else
	}
	if in[0] == wire.Query || in[0] == wire.FunctionCall {
		s.toClient(wire.AppendReadyForQuery(out, s.heldStatus()))
		s.client.rest, s.client.restDropped = max(0, n-len(in)), true
		s.client.in = in[:copy(in, in[min(n, len(in)):])]
	} else {
		s.toClient(out)
		s.client.skipping = true
	}
	s.proceed()
}
