package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A session that listens does not keep a backend for it: pool.Listener listens
// for all sessions of a database. Two backends are concerned:
//
//   - LISTEN and UNLISTEN run on the session's backend as the client sends them,
//     so that errors, transactions and savepoints are PostgreSQL's. While the
//     session has a backend for something that may see or change its channels or
//     notify them, this listens to all of them: it is tuned. When the backend was
//     asked what is left on it (ask.go), the session's channels are known.
//   - The session subscribes to a channel at the listener before the COMMIT of its
//     LISTEN goes out. Notifications come to the client from there only; what the
//     session's backend sends of these channels is dropped (notify.go).
//
// A channel that cannot be subscribed to stays on the session's backend, and pins.

// listening is the part of a session that listens; nil for nearly all sessions.
type listening struct {
	sub      *pool.Subscription // nil: there was no need yet
	channels map[string]channelState
	// wanted are those that LISTEN was sent for in the transaction under way.
	wanted []string
	asking int // how many Subscribe are not answered
	// committing is set when something was sent that may have committed a LISTEN
	// although a transaction is open afterwards.
	committing bool
	// unsettled is set when something was sent after which the channels may be
	// others: the backend is to be asked.
	unsettled bool
	delivery
}

// channelState is what a session has to do with a channel.
type channelState uint8

const (
	channelHeard   channelState = iota // it listens
	channelPending                     // it is subscribed, and may listen
	channelRefused                     // it may listen, but is not subscribed
)

// readsUTF8 reports whether the client reads what the listener gets: UTF-8.
func (s *session) readsUTF8() bool {
	client, _ := s.who.params.Get("client_encoding")
	server, _ := s.who.params.Get("server_encoding")
	return client == "UTF8" || client == "SQL_ASCII" && (server == "UTF8" || server == "SQL_ASCII")
}

// heed prepares for a Query of a session that listens or is about to. It returns
// false if the Query must wait.
func (s *session) heed(class sqlparse.Class, text []byte) bool {
	if s.copyUnended() {
		return true
	}
	ends := s.noteListen(class, text)
	l := s.listen
	switch {
	case l == nil:
		return true
	case s.mustHear():
		s.pauseClient(pausedWaiting)
		return false
	case s.mayLeave(class) && !s.caughtUp(false):
		return false
	case (s.outside() || ends) && !s.subscribed(ends):
		return false
	}
	l.unsettled = l.unsettled || class.Pins.Has(sqlparse.ReasonListen)
	return true
}

// noteListen notes the channels in a text, and reports whether it may commit
// them in a transaction block.
func (s *session) noteListen(class sqlparse.Class, text []byte) (ends bool) {
	if class.Statements <= 1 && !class.Pins.Has(sqlparse.ReasonListen) {
		return class.First == sqlparse.CommandCommit || class.First == sqlparse.CommandUnknown
	}
	st := s.texts.memo.Get(text)
	if !st.Cheap() || st.Facts().Opaque {
		return true
	}
	for i := range st.Facts().Parts {
		switch d := st.Facts().Parts[i].Detail.(type) {
		case *sqlparse.Channel:
			if d.Kind == sqlparse.ChannelListen {
				s.want(d.Name)
			}
		case *sqlparse.Transaction:
			ends = ends || d.Kind == sqlparse.TransactionCommit || d.Kind == sqlparse.TransactionRollback
		}
	}
	return ends
}

// want notes a channel that the session listens to when its transaction commits.
func (s *session) want(channel string) {
	if s.listen == nil {
		if s.own || !s.pooled() {
			return
		}
		s.listen = &listening{channels: make(map[string]channelState)}
	}
	if l := s.listen; !slices.Contains(l.wanted, channel) {
		l.wanted = append(l.wanted, channel)
	}
}

// mayLeave reports whether a statement may end what the session listens to. It is asked
// before the session is subscribed to anything that the statement may make it listen to.
func (s *session) mayLeave(class sqlparse.Class) bool {
	heard := class.Pins.Has(sqlparse.ReasonListen) && class.Releases || class.Pins.Has(sqlparse.ReasonDiscard)
	for _, state := range s.listen.channels {
		heard = heard && state != channelPending
	}
	return heard && len(s.listen.channels) > 0
}

// heedBind prepares for the Bind of a statement that may commit a LISTEN, or end it. It
// returns false if that must wait.
func (s *session) heedBind(frame []byte) bool {
	name, ok := statementName(wire.Bind, frame)
	if !ok {
		return true
	}
	st, _ := s.client.statements.get(name)
	if st.body != nil && s.mayLeave(st.body.class) && !s.caughtUp(true) {
		return false
	}
	if len(s.listen.wanted) == 0 {
		return true
	}
	ends := st.body == nil || st.body.class.First == sqlparse.CommandCommit || st.body.class.First == sqlparse.CommandUnknown
	return !ends || s.subscribed(true)
}

// heedEnd prepares for a Sync or FunctionCall: outside of a transaction block it
// commits. It returns false if that must wait.
func (s *session) heedEnd() bool {
	return s.back.lease == nil || !s.outside() || s.subscribed(false)
}

// outside reports whether what is sent next finds no transaction block.
func (s *session) outside() bool { return s.back.status == wire.StatusIdle && s.begin.text == "" }

// subscribed has the session subscribed to the channels that what is sent next
// may make it listen to. It returns false if that must wait: first for all that
// is under way, which may notify them before the session listens.
func (s *session) subscribed(committing bool) bool {
	l := s.listen
	if len(l.wanted) == 0 || s.copyUnended() {
		return true
	}
	if s.flush(); !s.queue.empty() {
		s.pauseClient(pausedWaiting)
		return false
	}
	l.committing = l.committing || committing
	for _, name := range l.wanted {
		if _, known := l.channels[name]; !known {
			s.subscribe(name)
		}
	}
	if l.asking > 0 {
		s.pauseClient(pausedWaiting)
		return false
	}
	l.wanted = nil
	return true
}

// subscribe subscribes to a channel. A client that does not read UTF-8 gets its
// notifications from its own backend, which converts them.
func (s *session) subscribe(name string) {
	l := s.listen
	if !s.readsUTF8() {
		l.channels[name] = channelRefused
		return
	}
	if l.sub == nil {
		l.sub = s.who.pool.NewSubscription(s.loop, s)
		l.sub.Pause()
	}
	l.channels[name] = channelPending
	l.asking++
	l.sub.Subscribe(name, func(err error) {
		l.asking--
		if err != nil {
			l.channels[name] = channelRefused
			s.log.Debug("a session listens on its own backend", "session", s.id, "error", err)
		}
		s.heardBack()
	})
}

// uncommitted is called when an exchange has left a transaction open. What was
// subscribed to because it might be committed was not; it is, when that is sent
// which commits it.
func (l *listening) uncommitted() {
	if l.committing {
		l.committing = false
		return
	}
	for name, state := range l.channels {
		if state == channelPending {
			l.drop(name)
			l.wanted = append(l.wanted, name)
		}
	}
}

// drop ends the subscription to a channel.
func (l *listening) drop(name string) {
	if l.channels[name] != channelRefused {
		l.sub.Unsubscribe(name)
	}
	delete(l.channels, name)
}

// learnChannels draws the conclusions from the backend's answer. The session
// listens to those of its channels that the backend listens to; others that are
// there are not subscribed to, and pin.
func (s *session) learnChannels(q *question) {
	l := s.listen
	switch {
	case l.unsettled && !q.settles: // another question follows
		return
	case q.failed || !q.asksLeft:
		if q.settles {
			l.failure = errUnknownChannels
		}
		return
	}
	q.left &^= sqlparse.ReasonListen.Set()
	if len(q.channels) > 0 {
		q.text = nil // whether it was this that has left them is not known
	}
	answered := make(map[string]bool)
	for _, name := range q.channels {
		answered[name] = true
		if state, known := l.channels[name]; known && state != channelRefused {
			l.channels[name] = channelHeard
		} else {
			q.left |= sqlparse.ReasonListen.Set()
		}
	}
	for name, state := range l.channels {
		if state == channelRefused || !answered[name] {
			l.drop(name)
		}
	}
	s.back.tuned = len(l.channels) > 0
	l.settled()
}

// settled notes that the channels are known.
func (l *listening) settled() { l.wanted, l.committing, l.unsettled = nil, false, false }

// silence ends all subscriptions: DISCARD ALL has succeeded.
func (s *session) silence() {
	l := s.listen
	for name := range l.channels {
		l.drop(name)
	}
	l.settled()
	s.back.tuned = false
}

// interrupted is called when no LISTEN will be committed of those that were
// expected: they were skipped, or the backend is lost.
func (l *listening) interrupted() {
	for name, state := range l.channels {
		if state != channelHeard {
			l.drop(name)
		}
	}
	l.settled()
}

// unsettled reports whether it is not known what the session listens to.
func (s *session) unsettled() bool { return s.listen != nil && s.listen.unsettled }

// tune has the backend listen to the session's channels, before an exchange that
// may see or change them, or notify them:
//
//  1. it does not yet, and can: no transaction is open, and PostgreSQL does not
//     read copy data;
//  2. it is not a Query that only reads, and not the channels;
//  3. no unnamed statement is lost by it.
func (s *session) tune(class sqlparse.Class) {
	unnamed := s.client.statements.unnamed
	if s.back.tuned || !s.outside() || s.tx.unsynced || s.copyUnended() ||
		class.ReadOnly() && !class.ReadsState || !unnamed.none() && unnamed.body == nil {
		return
	}
	var sql strings.Builder
	for name, state := range s.listen.channels {
		if state == channelHeard {
			sql.WriteString("LISTEN ")
			writeChannel(&sql, name)
			sql.WriteByte(';')
		}
	}
	if sql.Len() == 0 {
		return
	}
	s.back.tuned = true
	s.back.lease.UnnamedOwner = 0
	s.toBackend(wire.AppendQuery(s.scratch[:0], sql.String()))
	s.queue.push(expectTuning, swallow)
}

// detune ends that, before others get the backend.
func (s *session) detune() {
	s.back.tuned = false
	s.clean("UNLISTEN *")
}

// writeChannel writes a name so that it means the same in all encodings.
func writeChannel(sql *strings.Builder, name string) {
	if isASCII(name) {
		sql.WriteString(`"` + strings.ReplaceAll(name, `"`, `""`) + `"`)
		return
	}
	sql.WriteString(`U&"`)
	for _, r := range name {
		switch {
		case r == '"' || r == '\\':
			sql.WriteRune(r)
			sql.WriteRune(r)
		case r < 0x80:
			sql.WriteRune(r)
		default:
			fmt.Fprintf(sql, `\+%06x`, r)
		}
	}
	sql.WriteByte('"')
}

func isASCII[T string | []byte](p T) bool {
	for i := range len(p) {
		if p[i] >= 0x80 {
			return false
		}
	}
	return true
}
