package pool

import (
	"maps"
	"slices"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// Listener listens for all sessions of a database, on a backend of its own.
// There is such a backend only while somebody listens; it is logged in as the
// user of whoever asked first. All of it is owned by one loop: the methods are
// for that loop, unless they say otherwise.
type Listener struct {
	set      *Set
	database string
	home     *reactor.Loop
	counts   listenCounts // read by any goroutine

	channels map[string]*channel
	changed  []*channel // whose members have come or gone; none without link
	waiting  []*request // for the next batch; the oldest first
	batch    batch      // under way on link
	link     *link      // nil: there is no backend
	login    relogin
	linger   reactor.Timer // closes a backend that nobody needs
	patience reactor.Timer // ends requests that have waited for too long
	expiry   int64         // when patience ends; 0: it is stopped
	closed   bool
}

// channel is what somebody listens to, or did until a moment ago.
type channel struct {
	name      string
	members   []*membership
	listening bool  // as far as the replies say
	changed   bool  // it is in Listener.changed
	refused   error // what the server said to LISTEN in this batch
}

// request waits for a batch that begins after it was made.
type request struct {
	sub      *Subscription
	member   *membership // that is to become active; nil: a barrier
	done     func(error)
	deadline int64 // in the time of home; 0: none
}

// listenerOf returns the listener of the database. It may be called on any
// goroutine. It lives on the loop of whoever asks first: with few clients that
// is the only one that is awake.
func (d *database) listenerOf(p *Pool, loop *reactor.Loop) *Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		d.listener = newListener(p.set, p.key.Database, loop)
	}
	return d.listener
}

func newListener(s *Set, database string, home *reactor.Loop) *Listener {
	l := &Listener{set: s, database: database, home: home, channels: make(map[string]*channel)}
	l.linger.Task = reactor.Func(l.lingered)
	l.patience.Task = reactor.Func(l.expire)
	l.login.timer.Task = reactor.Func(l.retry)
	return l
}

// post has f called on the listener's loop. It may be called on any goroutine.
func (l *Listener) post(f func(*Listener)) {
	l.home.Post(reactor.Func(func() { f(l) }))
}

// subscribe handles Subscription.Subscribe.
func (l *Listener) subscribe(r *request) {
	m := r.member
	if m.channel == nil && m.failed == nil {
		m.failed = checkChannel(m.name)
	}
	switch {
	case m.sub.over != nil:
		m.sub.answer(r, m.sub.over)
	case m.failed != nil:
		m.sub.answer(r, m.failed)
	case m.active:
		m.sub.answer(r, nil)
	default:
		l.join(m)
		l.await(r)
	}
}

// barrier handles Subscription.Barrier. For who gets nothing, there is nothing
// to wait for.
func (l *Listener) barrier(r *request) {
	active := slices.ContainsFunc(r.sub.joined, func(m *membership) bool { return m.active })
	if r.sub.over != nil || !active {
		r.sub.answer(r, r.sub.over)
		return
	}
	l.await(r)
}

// await has r answered by the next batch.
func (l *Listener) await(r *request) {
	r.deadline = l.deadline(r.sub.pool)
	l.waiting = append(l.waiting, r)
	l.advance()
}

// deadline is when something that begins now has taken too long; 0: never.
func (l *Listener) deadline(p *Pool) int64 {
	if patience := p.settings.Load().AcquireTimeout; patience > 0 {
		return l.home.Now() + int64(patience)
	}
	return 0
}

// unsubscribe handles Subscription.Unsubscribe.
func (l *Listener) unsubscribe(m *membership) {
	l.leave(m)
	l.advance()
}

// forget handles Subscription.Close.
func (l *Listener) forget(sub *Subscription) {
	if sub.over == nil {
		sub.over = ErrClosed
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(r *request) bool { return r.sub == sub })
	l.leaveAll(sub)
	l.advance()
}

// join makes m a member of its channel.
func (l *Listener) join(m *membership) {
	if m.channel != nil {
		return
	}
	c := l.channels[m.name]
	if c == nil {
		c = &channel{name: m.name}
		l.channels[m.name] = c
		l.counts.channels.Store(int64(len(l.channels)))
	}
	m.channel, m.at = c, len(c.members)
	c.members = append(c.members, m)
	l.change(c)
	m.sub.joined = append(m.sub.joined, m)
	if len(m.sub.joined) == 1 {
		l.counts.subscriptions.Add(1)
	}
}

// leave ends a membership.
func (l *Listener) leave(m *membership) {
	c := m.channel
	if c == nil {
		return
	}
	last := c.members[len(c.members)-1]
	c.members[m.at], last.at = last, m.at
	c.members[len(c.members)-1] = nil
	c.members = c.members[:len(c.members)-1]
	m.channel, m.active = nil, false
	l.change(c)
	sub := m.sub
	i := slices.Index(sub.joined, m)
	sub.joined = slices.Delete(sub.joined, i, i+1)
	if len(sub.joined) == 0 {
		l.counts.subscriptions.Add(-1)
	}
}

func (l *Listener) leaveAll(sub *Subscription) {
	for n := len(sub.joined); n > 0; n = len(sub.joined) {
		l.leave(sub.joined[n-1])
	}
}

// change notes that the members of c have changed.
func (l *Listener) change(c *channel) {
	switch {
	case l.link == nil: // begin will see to the rest
		if len(c.members) == 0 {
			l.remove(c)
		}
	case !c.changed:
		c.changed = true
		l.changed = append(l.changed, c)
	}
}

// begin takes a backend into use that listens to nothing yet.
func (l *Listener) begin(k *link) {
	l.link = k
	for _, name := range slices.Sorted(maps.Keys(l.channels)) {
		l.change(l.channels[name])
	}
}

// remove forgets a channel that nobody listens to.
func (l *Listener) remove(c *channel) {
	delete(l.channels, c.name)
	l.counts.channels.Store(int64(len(l.channels)))
}

// advance begins whatever can be done next.
func (l *Listener) advance() {
	switch {
	case l.link == nil:
		l.connect()
	case !l.batch.underway():
		l.send()
	}
	l.watch()
}

// refuse ends a request with an error, and with it the membership; unless that
// has become active by another request.
func (l *Listener) refuse(r *request, err error) {
	m := r.member
	switch {
	case m == nil:
	case m.active:
		err = nil
	case m.failed == nil:
		m.failed = err
		l.leave(m)
	}
	r.sub.answer(r, err)
}
