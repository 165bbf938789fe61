package proxy

import (
	"errors"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Notifications are given to the client when PostgreSQL would: between
// transactions, at any time while the client is idle, otherwise right before
// ReadyForQuery. PostgreSQL does not send that before it has sent all that was
// notified by the transaction that ends, or by one that had ended before the
// exchange began. The listener is asked whether it has sent that (a barrier):
//
//   - when an exchange begins; mostly the answer is there before it ends;
//   - when it ends and the tuned backend has notified something, at once or since
//     then. It does what PostgreSQL does: if it has sent nothing there is nothing.
//
// ReadyForQuery is held back until the answers have come, and until it is known
// what the session listens to. No exchange begins while an earlier one is under
// way, so that nothing has to be held back behind it.

// delivery is how far a session is with its notifications.
type delivery struct {
	barriers int  // how many are not answered
	catching bool // a message waits for them
	notified bool // the session's backend has notified something in this exchange
	held     bool // the client is to get ReadyForQuery: idle
	again    int  // how many more behind it: of a copy that has failed before its Sync was read
	// told has the parameter values that the client knows, while untold is set:
	// changes are told behind the notifications, as PostgreSQL does.
	told   pool.Params
	untold bool
	open   bool // notifications may come
	// resuming is set while notifications come in the midst of an event, and
	// aside when they are for s.aside.
	resuming, aside bool
	heard           bool // the listener has answered while resuming was set
	// failure is why the session is to end, when the event allows that.
	failure *wire.Error
}

var _ pool.Subscriber = (*session)(nil)

// Errors that end a session that listens.
var (
	errUnknownChannels = &wire.Error{
		Severity: "FATAL", Code: "08006", Message: "pgjay: it is not known what this session listens to",
		Detail: "PostgreSQL did not answer when it was asked for the channels.",
	}
	errNotificationEncoding = &wire.Error{
		Severity: "FATAL", Code: "0A000", Message: "pgjay: a notification cannot be converted to the client's encoding",
		Hint: "Set client_encoding before LISTEN, or leave it UTF8.",
	}
)

// Notified passes a notification on to the client.
func (s *session) Notified(frame []byte) {
	l := s.listen
	if !l.resuming {
		defer s.endEvent()
	}
	frame, ok := s.converted(frame)
	switch {
	case l.failure != nil:
	case !ok:
		l.failure = errNotificationEncoding
		s.failListening()
	case l.aside:
		s.aside = append(s.aside, frame...)
	default:
		s.toClient(frame)
	}
}

// SubscriptionLost ends the session: nobody can say what was notified.
func (s *session) SubscriptionLost(err error) {
	l := s.listen
	if !l.resuming {
		defer s.endEvent()
	}
	if l.failure = new(wire.Error); !errors.As(err, &l.failure) {
		l.failure = leaseError(err, "FATAL")
	}
	s.failListening()
}

// failListening ends the session because of failure, if this is the time.
func (s *session) failListening() {
	if l := s.listen; l != nil && l.failure != nil && !l.resuming {
		s.fail(l.failure)
	}
}

// heardBack is called when the listener has answered.
func (s *session) heardBack() {
	if s.listen.resuming {
		s.listen.heard = true
		return
	}
	defer s.endEvent()
	s.afterReplies()
}

// mustHear reports whether a new exchange must wait for the one before it.
func (s *session) mustHear() bool {
	return (s.listen.held || !s.tx.unsynced && s.queue.owesReady()) && !s.copyUnended()
}

// holds reports whether the client waits for a ReadyForQuery that has come.
func (s *session) holds() bool { return s.listen != nil && s.listen.held }

// heedExchange is called before the first message of an exchange is sent.
func (s *session) heedExchange(class sqlparse.Class) {
	l := s.listen
	l.notified = false
	if len(l.channels) > 0 && s.outside() {
		s.barrier()
	}
	s.tune(class)
}

// caughtUp has the client told all that was notified before a transaction, by the end of
// which it may not listen any more. begun is set where its exchange has begun: the
// listener was asked then. It returns false if that must wait.
func (s *session) caughtUp(begun bool) bool {
	l := s.listen
	switch {
	case l.sub == nil || !s.betweenMessages() || s.copyUnended():
		return true
	case !begun && !l.catching && s.outside():
		s.barrier()
	}
	if l.catching = l.barriers > 0; l.catching {
		s.pauseClient(pausedWaiting)
		return false
	}
	s.resume(false)
	return true
}

// barrier asks the listener whether it has sent all that was committed.
func (s *session) barrier() {
	l := s.listen
	if l.sub == nil {
		return
	}
	l.barriers++
	l.sub.Barrier(func(err error) {
		l.barriers--
		if err != nil && l.failure == nil {
			l.failure = leaseError(err, "FATAL")
		}
		s.heardBack()
	})
}

// notification handles a NotificationResponse of the session's own backend.
func (s *session) notification(body []byte) action {
	if s.listen == nil || len(body) < 4 {
		return forward
	}
	name, _, _ := wire.CString(body[4:])
	if state, known := s.listen.channels[s.channelName(name)]; !known || state == channelRefused {
		return forward
	}
	s.listen.notified = true
	return swallow
}

// holdReady is called at a ReadyForQuery that the client is to get, and reports
// whether it must wait. Otherwise it gets what was notified before it.
func (s *session) holdReady() bool {
	l := s.listen
	switch {
	case s.back.status != wire.StatusIdle:
		l.uncommitted()
	case s.tx.unsynced || s.queue.owesReady(): // of an exchange before the first LISTEN
	case l.held:
		l.again++
		return true
	default:
		if l.notified {
			s.barrier()
		}
		if !l.unsettled {
			l.interrupted() // a LISTEN that was skipped after an error
		}
		if l.held = l.unsettled || l.barriers > 0; l.held {
			return true
		}
		s.resume(true)
		defer s.endListening()
	}
	s.aside = l.appendUntold(s.aside, s.who.params)
	return false
}

// appendUntold tells the client the parameter values that have changed in the
// exchange.
func (l *listening) appendUntold(out []byte, now pool.Params) []byte {
	if l.untold {
		l.untold = false
		for _, p := range now.Changed(l.told) {
			out = wire.AppendParameterStatus(out, p.Name, p.Value)
		}
	}
	return out
}

// endHold gives the client the ReadyForQuery that was held back, if nothing is
// in the way any more.
func (s *session) endHold() {
	l := s.listen
	if l.failure == nil && l.held && !l.unsettled && l.barriers == 0 {
		s.resume(false)
	}
	switch {
	case l.failure != nil:
		s.failListening()
	case l.held && !l.unsettled && l.barriers == 0:
		out := wire.AppendReadyForQuery(l.appendUntold(s.scratch[:0], s.who.params), wire.StatusIdle)
		for ; l.again > 0; l.again-- {
			out = wire.AppendReadyForQuery(out, wire.StatusIdle)
		}
		l.held = false
		s.toClient(out)
		s.endListening()
	}
}

// resume has all that was notified come now.
func (s *session) resume(aside bool) {
	l := s.listen
	if l.sub == nil {
		return
	}
	l.open, l.resuming, l.aside = true, true, aside
	l.sub.Resume()
	l.resuming, l.aside = false, false
}

// regulate is called at the end of an event: may notifications come now?
func (s *session) regulate() {
	for l := s.listen; l != nil && l.sub != nil && !l.resuming && s.hears() != l.open; l = s.listen {
		if l.open {
			l.open = false
			l.sub.Pause()
			return
		}
		s.resume(false)
		s.failListening()
		if l.heard {
			l.heard = false
			s.afterReplies() // the session may have waited for that
		}
	}
}

// hears reports whether PostgreSQL would send a notification now: the client is
// idle, takes what is sent to it, and is not in the midst of a message. A LISTEN
// that waits is under way.
func (s *session) hears() bool {
	l := s.listen
	if s.state != stateReady || s.gone || l.held || l.asking > 0 || len(l.wanted) > 0 || s.begin.text != "" || s.client.paused&pausedClient != 0 || s.tx.unsynced {
		return false
	}
	return s.back.lease == nil || s.back.status == wire.StatusIdle && s.betweenMessages() && !s.queue.owesClient()
}

// endListening forgets what is not needed by a session that does not listen.
func (s *session) endListening() {
	l := s.listen
	if len(l.channels)+len(l.wanted) > 0 || l.unsettled || s.tx.unsynced || !s.queue.empty() {
		return
	}
	s.closeListening()
}

// closeListening ends the subscription.
func (s *session) closeListening() {
	if s.listen != nil && s.listen.sub != nil {
		s.listen.sub.Close()
	}
	s.listen = nil
}
