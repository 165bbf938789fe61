package pool

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// prepareListening frees the listening backend from time limits that are meant
// for sessions. The settings are looked up because not every version of
// PostgreSQL has all of them.
const prepareListening = `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings ` +
	`WHERE name OPERATOR(pg_catalog.=) ANY ('{idle_session_timeout,statement_timeout,lock_timeout,transaction_timeout}')`

// batch is what is under way on the listening backend: LISTEN and UNLISTEN for
// the channels whose members have changed, or a Sync if there is none. One
// batch is under way at a time, and what is asked for meanwhile waits for the
// next: so any number of barriers costs one message.
//
// Why the ReadyForQuery that ends a batch is a barrier. A backend that commits
// NOTIFY writes to the queue and signals the backends that listen before it
// sends its own ReadyForQuery: from version 15 on in AtCommit_Notify, in 14 in
// ProcessCompletedNotifies (async.c, SignalBackends). A signal sent to a
// process is handled before the process returns from the system call that
// reads what was sent to it afterwards, and then notifyInterruptPending is set.
// PostgresMain sends what is in the queue before each ReadyForQuery that says
// idle, if notifyInterruptPending is set. So whoever has seen the ReadyForQuery
// of the NOTIFY, or knows somebody who has, and then sends anything that is
// answered by ReadyForQuery, gets the notification first. A Sync is enough: it
// runs nothing, but ends in the same place. A CommandComplete would not be.
type batch struct {
	replies  []reply
	answered int        // replies that have come
	requests []*request // the oldest first
	deadline int64      // when the backend must have answered; 0: none
}

// reply is what one message of a batch is answered with, up to ReadyForQuery.
type reply struct {
	kind     replyKind
	channel  *channel // of LISTEN and UNLISTEN
	complete bool     // CommandComplete has come
}

// replyKind says what was asked.
type replyKind uint8

const (
	replyPrepare replyKind = iota
	replyListen
	replyUnlisten
	replySync
)

func (b *batch) underway() bool { return len(b.replies) > 0 }

// current returns the reply that is expected next; nil if none is.
func (b *batch) current() *reply {
	if b.answered == len(b.replies) {
		return nil
	}
	return &b.replies[b.answered]
}

// send begins a batch, if there is a reason for one.
func (l *Listener) send() {
	var out []byte
	if !l.link.prepared {
		l.link.prepared = true
		out = l.ask(out, replyPrepare, nil, prepareListening)
	}
	for _, c := range l.changed {
		c.changed = false
		out = l.sendChange(out, c)
	}
	clear(l.changed)
	l.changed = l.changed[:0]
	if len(out) == 0 && len(l.waiting) > 0 {
		out = wire.AppendEmpty(out, wire.Sync)
		l.batch.replies = append(l.batch.replies, reply{kind: replySync})
	}
	if len(out) == 0 {
		l.rest()
		return
	}
	l.batch.requests, l.waiting = l.waiting, nil
	l.batch.deadline = l.deadline(l.link.pool)
	l.link.backend.conn.Write(out)
}

// sendChange begins or ends to listen to a channel, or forgets it.
func (l *Listener) sendChange(out []byte, c *channel) []byte {
	switch wanted := len(c.members) > 0; {
	case wanted && !c.listening:
		return l.ask(out, replyListen, c, "LISTEN "+quoteName(c.name))
	case !wanted && c.listening:
		return l.ask(out, replyUnlisten, c, "UNLISTEN "+quoteName(c.name))
	case !wanted:
		l.remove(c)
	}
	return out
}

// ask adds a query to the batch.
func (l *Listener) ask(out []byte, kind replyKind, c *channel, sql string) []byte {
	l.batch.replies = append(l.batch.replies, reply{kind: kind, channel: c})
	return wire.AppendQuery(out, sql)
}

// answered notes the ReadyForQuery of the current reply.
func (l *Listener) answered() {
	b := &l.batch
	r := b.current()
	b.answered++
	switch r.kind {
	case replyListen:
		r.channel.listening = r.channel.refused == nil
	case replyUnlisten:
		r.channel.listening = false
		l.change(r.channel) // to be forgotten, or listened to again
	}
	if b.answered == len(b.replies) {
		l.finish()
	}
}

// finish ends a batch.
func (l *Listener) finish() {
	requests := l.batch.requests
	refused := slices.DeleteFunc(l.batch.replies, func(r reply) bool { return r.channel == nil || r.channel.refused == nil })
	l.batch = batch{}
	l.login.failures = 0
	for _, r := range requests {
		l.fulfil(r)
	}
	for _, r := range refused {
		r.channel.refused = nil
		l.change(r.channel)
	}
	l.advance()
}

// fulfil answers a request whose batch is over. A membership that was ended
// meanwhile does not become active.
func (l *Listener) fulfil(r *request) {
	m := r.member
	switch {
	case r.sub.over != nil:
		r.sub.answer(r, r.sub.over)
		return
	case m != nil && m.failed != nil:
		r.sub.answer(r, m.failed)
		return
	case m != nil && m.channel != nil && m.channel.refused != nil:
		l.refuse(r, m.channel.refused)
		return
	case m != nil && m.channel != nil:
		m.active = true
	}
	r.sub.answer(r, nil)
}

// notified handles a NotificationResponse. It returns false if it is broken.
func (l *Listener) notified(frame []byte) bool {
	if len(frame) < wire.HeaderLen+4 {
		return false
	}
	name, _, ok := wire.CString(frame[wire.HeaderLen+4:])
	if !ok {
		return false
	}
	l.counts.notifications.Add(1)
	c := l.channels[string(name)]
	if c != nil {
		l.deliver(c, frame)
	}
	return true
}

// deliver passes a notification on to the active members of a channel.
func (l *Listener) deliver(c *channel, frame []byte) {
	var shared []byte
	for i := len(c.members) - 1; i >= 0; i-- { // who is lost is replaced by one who was here already
		m := c.members[i]
		if !m.active {
			continue
		}
		if shared == nil {
			shared = slices.Clip(bytes.Clone(frame))
		}
		if m.sub.receive(shared, m) {
			l.counts.delivered.Add(1)
		} else {
			l.end(m.sub, errOverflow(m.sub.inbox.limit), true)
		}
	}
	if c.changed {
		l.advance()
	}
}

// quoteName writes a name so that it is taken as it is.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
