package pool

// notificationCost is what a notification takes in an inbox, beside its bytes.
const notificationCost = 64

// inbox is what a subscriber has not been called for yet. It is guarded by
// Subscription.mu.
type inbox struct {
	courier *courier // that calls the subscriber
	frames  fifo[notification]
	results fifo[result]
	came    uint64 // how many notifications and results came
	bytes   int    // of frames
	limit   int    // of bytes
	lost    error
	told    bool // of lost
	paused  bool
	closed  bool
}

// notification is a NotificationResponse for one subscription.
type notification struct {
	came   uint64
	frame  []byte // shared with other subscriptions
	member *membership
}

// result is what has come of a request.
type result struct {
	came   uint64
	done   func(error)
	member *membership // of Subscribe
	err    error
}

// due says what the subscriber is to be called for next.
type due uint8

const (
	dueNothing due = iota
	dueResult
	dueNotification
	dueLoss
)

// delivery is one call of the subscriber.
type delivery struct {
	due
	result
	frame []byte
}

// take takes out what is due.
func (x *inbox) take() (d delivery) {
	d.due = x.next()
	switch d.due {
	case dueResult:
		d.result = x.results.pop()
	case dueNotification:
		n := x.frames.pop()
		x.bytes -= len(n.frame) + notificationCost
		d.frame, d.member = n.frame, n.member
	case dueLoss:
		d.err = x.tell()
	}
	return d
}

// next decides that: in the order in which it came, the loss last. While paused,
// notifications do not count.
func (x *inbox) next() due {
	framed := x.frames.len() > 0 && !x.paused
	switch {
	case x.closed:
		return dueNothing
	case x.results.len() > 0 && (!framed || x.results.peek().came < x.frames.peek().came):
		return dueResult
	case framed:
		return dueNotification
	case x.lost != nil && !x.told:
		return dueLoss
	}
	return dueNothing
}

// put adds a notification. It returns false if there is no room for it.
func (x *inbox) put(frame []byte, m *membership) bool {
	cost := len(frame) + notificationCost
	if x.closed {
		return true
	}
	if x.bytes+cost > x.limit {
		return false
	}
	x.bytes += cost
	x.came++
	x.frames.push(notification{came: x.came, frame: frame, member: m})
	return true
}

// answer adds what has come of a request.
func (x *inbox) answer(r *request, err error) {
	if !x.closed {
		x.came++
		x.results.push(result{came: x.came, done: r.done, member: r.member, err: err})
	}
}

// drop gives up the notifications, because of lost. Nobody may be told that he
// has got them.
func (x *inbox) drop() {
	x.frames, x.bytes = fifo[notification]{}, 0
	for i := x.results.first; i < len(x.results.items); i++ {
		x.results.items[i].err = x.lost
	}
}

// tell returns the loss, after which nothing is notified.
func (x *inbox) tell() error {
	x.told = true
	x.frames, x.bytes = fifo[notification]{}, 0
	return x.lost
}

// close drops everything, also what is still to come.
func (x *inbox) close() {
	x.closed = true
	x.frames, x.results, x.bytes = fifo[notification]{}, fifo[result]{}, 0
}
