package pool

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

// lingerFor is how long a listening backend is kept that nobody needs.
const lingerFor = int64(5 * time.Second)

// Why a listening backend was lost, beside what the server and the socket say.
var (
	errListenProtocol = errors.New("it sent what does not belong here")
	errHung           = errors.New("it does not answer")
	errMoved          = errors.New("the database is on another server now")
)

// errWaited is what requests get whose time is up, if no login has failed.
var errWaited = &wire.Error{
	Severity: "ERROR", Code: "53300", Message: "pgjay: no backend could be had in time to listen",
	Hint: "pool.acquire_timeout bounds this.",
}

// errOverflow is what a subscription gets that has not taken what came.
func errOverflow(limit int) *wire.Error {
	return &wire.Error{
		Severity: "FATAL", Code: "53400",
		Message: "pgjay: the client does not take its notifications, and there are too many",
		Detail:  fmt.Sprintf("%d bytes are kept for a client.", limit),
	}
}

// errLost is what subscriptions get when the listening backend is lost. Its
// SQLSTATE is the server's, when that has said that it ends.
func errLost(cause error) *wire.Error {
	e := &wire.Error{
		Severity: "FATAL", Code: "08006",
		Message: "pgjay: the backend that listens for notifications was lost",
		Detail:  "Notifications may have been missed: " + cause.Error(),
		Hint:    "Connect and LISTEN again, and then look at what the notifications are about.",
	}
	var server *wire.Error
	if errors.As(cause, &server) && strings.HasPrefix(server.Code, "57P") {
		e.Code = server.Code
	}
	return e
}

// lose ends what depends on a backend that is gone.
//
//  1. Who listened may have missed something: his subscription is over.
//  2. Who was only about to listen has missed nothing, and goes on waiting.
func (l *Listener) lose(k *link, cause error) {
	if l.link != k {
		return
	}
	l.link, l.login.lost = nil, true
	l.home.Stop(&l.linger)
	l.waiting = slices.Concat(l.batch.requests, l.waiting)
	l.batch, l.changed = batch{}, nil
	l.backOff()
	listened := l.active()
	for _, c := range l.channels {
		c.listening, c.changed, c.refused = false, false, nil
		l.change(c)
	}
	err := errLost(cause)
	for _, sub := range listened {
		if sub.over == nil {
			l.end(sub, err, false)
		}
	}
	l.waiting = l.refuseSome(l.waiting, err, func(r *request) bool { return r.sub.over != nil })
	l.advance()
}

// active returns the subscriptions that get what is notified on any channel,
// some of them more than once.
func (l *Listener) active() (subs []*Subscription) {
	for _, name := range slices.Sorted(maps.Keys(l.channels)) {
		for _, m := range l.channels[name].members {
			if m.active {
				subs = append(subs, m.sub)
			}
		}
	}
	return subs
}

// end ends a subscription because something is or may be lost to it.
func (l *Listener) end(sub *Subscription, err error, overflown bool) {
	sub.over = err
	l.leaveAll(sub)
	l.counts.lost.Add(1)
	sub.lose(err, overflown)
}

// watch has expire called when there is something for it to do.
func (l *Listener) watch() {
	due := l.batch.deadline
	for _, requests := range [...][]*request{l.batch.requests, l.waiting} {
		if len(requests) > 0 && requests[0].deadline != 0 && (due == 0 || requests[0].deadline < due) {
			due = requests[0].deadline
		}
	}
	if due == l.expiry {
		return
	}
	l.expiry = due
	l.home.Stop(&l.patience)
	if due != 0 {
		l.home.Schedule(&l.patience, due)
	}
}

// expire ends what takes too long: the backend, if it is that which does not
// answer, and the wait of those whose time is up.
func (l *Listener) expire() {
	l.expiry = 0
	now := l.home.Now()
	if d := l.batch.deadline; d != 0 && d <= now {
		l.link.destroy(reasonListen, errHung)
	}
	err := error(errWaited)
	if l.login.lastErr != nil {
		err = l.login.lastErr
	}
	overdue := func(r *request) bool { return r.deadline != 0 && r.deadline <= now }
	l.batch.requests = l.refuseSome(l.batch.requests, err, overdue)
	l.waiting = l.refuseSome(l.waiting, err, overdue)
	l.advance()
}

// rest sees to it that a backend that nobody needs is closed, after a while.
func (l *Listener) rest() {
	if len(l.channels) > 0 {
		l.home.Stop(&l.linger)
		return
	}
	l.home.Schedule(&l.linger, l.home.Now()+lingerFor)
}

// lingered closes the backend, if it is still not needed.
func (l *Listener) lingered() {
	if k := l.link; k != nil && !l.batch.underway() && len(l.channels) == 0 {
		l.link = nil
		k.release()
	}
}

// shut ends everything: the set is closed.
func (l *Listener) shut() {
	l.closed = true
	if k := l.link; k != nil {
		k.release()
		l.lose(k, ErrClosed)
	}
	l.waiting = l.refuseSome(l.waiting, ErrClosed, func(*request) bool { return true })
	l.watch()
}
