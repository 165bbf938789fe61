package pool

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// maxChannel is how long the name of a channel may be, in bytes: PostgreSQL's
// NAMEDATALEN less the NUL.
const maxChannel = 63

// Subscriber is the session behind a Subscription. All calls come on its loop,
// which is the one that Enter knows.
type Subscriber interface {
	// Enter is asked on loop l before each call. False means that the session
	// has left l: what is due waits for Subscription.Move.
	reactor.Gate
	// Notified brings a NotificationResponse as it came, in UTF-8. The bytes
	// may be kept, but belong to other subscribers too.
	Notified(frame []byte)
	// SubscriptionLost says that notifications may have been missed: the
	// subscription is over. It is called once.
	SubscriptionLost(err error)
}

// Subscription is what one session listens to. Its methods are called on the
// session's loop, and none of them waits for anything.
type Subscription struct {
	pool       *Pool
	listener   *Listener
	subscriber Subscriber

	// channels is owned by the subscriber's loop.
	channels map[string]*membership

	// Owned by the listener's loop.

	joined []*membership
	over   error // why it is over

	mu    sync.Mutex // guards inbox
	inbox inbox
}

// membership is a subscription to one channel, from Subscribe to Unsubscribe.
type membership struct {
	sub  *Subscription
	name string
	left bool // by Unsubscribe; owned by the subscriber's loop

	// Owned by the listener's loop.

	channel *channel // nil: not a member yet, or not any more
	at      int      // in channel.members
	active  bool     // gets what is notified
	failed  error    // why it never will
}

// NewSubscription returns a subscription to nothing yet, for a session of this
// pool on a loop. Sessions of all users of a database share one backend.
func (p *Pool) NewSubscription(loop *reactor.Loop, s Subscriber) *Subscription {
	sub := &Subscription{
		pool: p, listener: p.base.listenerOf(p, loop), subscriber: s,
		channels: make(map[string]*membership),
	}
	sub.inbox.limit = p.set.live.Load().config.MaxNotificationBytes
	if sub.inbox.limit == 0 {
		sub.inbox.limit = DefaultConfig().MaxNotificationBytes
	}
	sub.inbox.courier = &courier{sub: sub, loop: loop}
	return sub
}

// Subscribe begins to listen. done is called when that has happened: what is
// committed from then on will be notified, and what was committed before the
// call will not. What is committed between the two is not, either: so it is
// called before the COMMIT of a transaction with LISTEN goes out, and the
// COMMIT waits for done. The name is that in pg_listening_channels, in UTF-8.
func (sub *Subscription) Subscribe(channel string, done func(error)) {
	m := sub.channels[channel]
	if m == nil {
		m = &membership{sub: sub, name: channel}
		sub.channels[channel] = m
	}
	r := &request{sub: sub, member: m, done: done}
	sub.listener.post(func(l *Listener) { l.subscribe(r) })
}

// Unsubscribe ends what Subscribe began. There is no notification of the
// channel from now on, also not of those that have been received.
func (sub *Subscription) Unsubscribe(channel string) {
	m := sub.channels[channel]
	if m == nil {
		return
	}
	m.left = true
	delete(sub.channels, channel)
	sub.listener.post(func(l *Listener) { l.unsubscribe(m) })
}

// Barrier has done called when everything has been received that was committed
// before the call: Notified has been called for it, or Resume will.
func (sub *Subscription) Barrier(done func(error)) {
	r := &request{sub: sub, done: done}
	sub.listener.post(func(l *Listener) { l.barrier(r) })
}

// Len returns how many channels it listens to or is about to.
func (sub *Subscription) Len() int { return len(sub.channels) }

// Close ends the subscription. There is no call from now on.
func (sub *Subscription) Close() {
	defer unbroken()
	sub.channels = nil
	sub.mu.Lock()
	sub.inbox.close()
	sub.mu.Unlock()
	sub.listener.post(func(l *Listener) { l.forget(sub) })
}

// Pause keeps notifications back until Resume. It holds for these only: done
// of Subscribe and Barrier, and SubscriptionLost, are called all the same.
func (sub *Subscription) Pause() {
	defer unbroken()
	sub.mu.Lock()
	sub.inbox.paused = true
	sub.mu.Unlock()
}

// Resume ends Pause. What was kept back is notified before it returns.
func (sub *Subscription) Resume() {
	sub.mu.Lock()
	sub.inbox.paused = false
	c := sub.inbox.courier
	sub.mu.Unlock()
	c.Run()
}

// Move has the session called on another loop. It is called on that loop, when
// Enter has begun to keep the old one off.
func (sub *Subscription) Move(to *reactor.Loop) {
	defer unbroken()
	sub.mu.Lock()
	sub.inbox.courier = &courier{sub: sub, loop: to}
	sub.wake()
}

// courier is a subscription as the task that calls its subscriber. There is a
// new one after each Move: those of before have nothing to say any more.
type courier struct {
	sub    *Subscription
	loop   *reactor.Loop
	posted bool // guarded by sub.mu
}

// Run calls the subscriber for all that is due.
func (c *courier) Run() {
	for c.sub.subscriber.Enter(c.loop) && c.deliver(c.sub.take(c)) {
	}
}

// deliver calls the subscriber. It returns false if nothing is due.
func (c *courier) deliver(d delivery) bool {
	switch d.due {
	case dueResult:
		c.sub.settle(d.result)
	case dueNotification:
		if !d.member.left {
			c.sub.subscriber.Notified(d.frame)
		}
	case dueLoss:
		c.sub.subscriber.SubscriptionLost(d.err)
	}
	return d.due != dueNothing
}

// take takes out what c is to deliver next.
func (sub *Subscription) take(c *courier) delivery {
	defer unbroken()
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if c != sub.inbox.courier {
		return delivery{}
	}
	d := sub.inbox.take()
	c.posted = d.due != dueNothing
	return d
}

// settle tells the subscriber what has come of a request.
func (sub *Subscription) settle(r result) {
	if m := r.member; m != nil && r.err != nil && sub.channels[m.name] == m {
		m.left = true
		delete(sub.channels, m.name)
	}
	r.done(r.err)
}

// wake posts the courier if anything is due. It is called with mu held, and
// releases it.
func (sub *Subscription) wake() {
	c := sub.inbox.courier
	post := !c.posted && sub.inbox.next() != dueNothing
	c.posted = c.posted || post
	sub.mu.Unlock()
	if post {
		c.loop.Post(c)
	}
}

// The listener's loop calls what follows.

// receive passes a notification on. It returns false if there is no room: the
// subscription must end.
func (sub *Subscription) receive(frame []byte, m *membership) bool {
	sub.mu.Lock()
	if !sub.inbox.put(frame, m) {
		sub.mu.Unlock()
		return false
	}
	sub.wake()
	return true
}

// answer passes on what has come of a request.
func (sub *Subscription) answer(r *request, err error) {
	sub.mu.Lock()
	sub.inbox.answer(r, err)
	sub.wake()
}

// lose ends the subscription. What has been received is still notified, unless
// there was too much of it.
func (sub *Subscription) lose(err error, overflown bool) {
	sub.mu.Lock()
	sub.inbox.lost = err
	if overflown {
		sub.inbox.drop()
	}
	sub.wake()
}

// checkChannel reports what is wrong with a name that PostgreSQL cannot have
// given a channel.
func checkChannel(name string) error {
	if name != "" && len(name) <= maxChannel && strings.IndexByte(name, 0) < 0 {
		return nil
	}
	return &wire.Error{Severity: "ERROR", Code: "42602", Message: fmt.Sprintf("pgjay: %.80q cannot be the name of a channel", name)}
}
