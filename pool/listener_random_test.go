package pool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

// TestListenRandom lets chance decide what sessions, the listening backend, the
// network, the loops and the clock do, and follows each session's account: what
// was committed after it was told that it listens comes exactly once and in
// order, or it is told of the loss; what was committed before does not come.
func TestListenRandom(t *testing.T) {
	if *seedFlag != 0 {
		newRumour(t, *seedFlag).play()
		return
	}
	for seed := uint64(1); seed <= *seedsFlag && !t.Failed(); seed++ {
		newRumour(t, seed).play()
		if t.Failed() {
			t.Logf("replay with -run TestListenRandom -seed %d", seed)
		}
	}
}

// rumour is a world ruled by chance, in which sessions listen.
type rumour struct {
	*board
	*rand.Rand
	t    *testing.T
	down error
	keys []Key
	all  []*witness
}

// witness is a subscriber that checks what it hears. Its payloads are places in
// the board's queue.
type witness struct {
	*hearer
	rumour   *rumour
	paused   bool
	spans    map[string]*span
	last     int // place of the last notification
	notified int // of what hearer.got has, how much has been checked
}

// span is the time from Subscribe to Unsubscribe.
type span struct {
	asked int // the length of the queue at Subscribe
	sure  int // the same when that was done; -1: not yet
	next  int // what comes must be from here on
}

var rumours = []string{"a", "b", `C"c`, "refused"}

func newRumour(t *testing.T, seed uint64) *rumour {
	r := &rumour{Rand: rand.New(rand.NewPCG(seed, 1)), t: t}
	w := newWorld(t, 1+r.IntN(3), func(o *Options) {
		o.Config.AcquireTimeout = []time.Duration{0, 3 * time.Second, time.Minute}[r.IntN(3)]
		o.Config.MaxDatabaseConnections = r.IntN(2)
		o.Config.MaxNotificationBytes = []int{0, 600}[r.IntN(2)]
	})
	w.rand = r.Float64
	w.serve = func(Target) error { return r.down }
	r.board = newBoard(w)
	r.refuse["refused"] = true
	r.keys = []Key{{"crm", "ann"}, {"crm", "bob"}}
	for range 1 + r.IntN(6) {
		r.all = append(r.all, r.witness())
	}
	return r
}

func (r *rumour) witness() *witness {
	h := r.world.hearer(r.keys[r.IntN(len(r.keys))], r.IntN(len(r.world.loops)))
	return &witness{hearer: h, rumour: r, spans: make(map[string]*span), last: -1}
}

func (r *rumour) play() {
	for range 600 {
		r.act()
		for _, w := range r.all {
			w.check()
		}
		if r.t.Failed() {
			return
		}
	}
	r.finish()
}

func (r *rumour) act() {
	i := r.IntN(len(r.all))
	w := r.all[i]
	switch n := r.IntN(40); {
	case n < 5:
		w.subscribe(rumours[r.IntN(len(rumours))])
	case n < 7:
		w.leave(rumours[r.IntN(len(rumours))])
	case n == 7:
		w.pause(!w.paused)
	case n == 8 && r.IntN(4) == 0:
		w.hearer.close()
		r.all[i] = r.witness()
	case n == 9 && len(w.lost) > 0:
		w.hearer.close()
		r.all[i] = r.witness()
	case n < 12:
		w.barrier()
	case n < 14:
		w.moveSoon(r.IntN(len(r.world.loops)))
	case n < 20:
		r.notify(rumours[r.IntN(3)], strconv.Itoa(len(r.queue)))
	case n < 30:
		r.network()
	case n < 36:
		r.stepOne()
	case n == 36:
		r.trouble()
	case n == 37:
		r.down = []error{nil, nil, errRefused, serverError("28P01")}[r.IntN(4)]
	case n == 38:
		r.world.now += r.Int64N(int64(2 * time.Second))
	case len(r.world.work) > 0:
		f := r.world.work[0]
		r.world.work = r.world.work[1:]
		f()
	}
}

// network has the listening backend run something, or brings some of what it
// has sent.
func (r *rumour) network() {
	e := r.current()
	switch {
	case e == nil:
	case r.IntN(3) == 0:
		r.interrupt(e)
	case r.IntN(2) == 0:
		r.runOne(e)
	case len(e.out) > 0:
		r.bring(e, 1+r.IntN(len(e.out)))
	}
}

func (r *rumour) stepOne() {
	w := r.world
	w.loop = w.loops[r.IntN(len(w.loops))]
	w.loop.Step(w.now)
	w.loop = nil
}

func (r *rumour) trouble() {
	e := r.current()
	switch n := r.IntN(8); {
	case e == nil:
	case n == 0:
		r.kill(e, nil)
	case n == 1:
		r.kill(e, (&wire.Error{Severity: "FATAL", Code: "57P01"}).Append(nil))
	case n == 2:
		r.silent = !r.silent
	}
}

func (w *witness) queue() int { return len(w.rumour.queue) }

func (w *witness) over() bool { return len(w.lost) > 0 }

func (w *witness) subscribe(channel string) {
	s := w.spans[channel]
	if s == nil {
		s = &span{asked: w.queue(), sure: -1, next: w.queue()}
		w.spans[channel] = s
	}
	w.ask(func(done func(error)) {
		w.sub.Subscribe(channel, func(err error) {
			done(err)
			w.check()
			switch {
			case w.spans[channel] != s: // left meanwhile
			case err != nil && s.sure >= 0 && w.sub.over == nil:
				w.world.t.Errorf("%s fails after it has succeeded: %v", channel, err)
			case err != nil:
				delete(w.spans, channel)
			case err == nil && s.sure < 0:
				s.sure = w.queue()
			}
		})
	})
}

func (w *witness) leave(channel string) {
	w.check()
	switch s := w.spans[channel]; {
	case w.paused:
	case w.rumour.IntN(4) == 0:
		clear(w.spans)
		w.do(w.sub.unsubscribeAll)
	case s != nil:
		delete(w.spans, channel)
		w.do(func() { w.sub.Unsubscribe(channel) })
	}
}

func (w *witness) pause(paused bool) {
	w.paused = paused
	if paused {
		w.do(w.sub.Pause)
	} else {
		w.do(w.sub.Resume)
	}
}

// moveSoon leaves the loop now, and arrives at the other one after some time.
func (w *witness) moveSoon(to int) {
	if w.loop == w.world.loops[to] {
		return
	}
	w.leaveFor(to)
	for range w.rumour.IntN(3) {
		w.rumour.stepOne()
		w.rumour.network()
	}
	w.arrive()
}

// barrier checks that nothing is missing when it is over.
func (w *witness) barrier() {
	committed := w.queue()
	w.ask(func(done func(error)) {
		w.sub.Barrier(func(err error) {
			done(err)
			if w.check(); err == nil && !w.paused {
				w.complete(committed)
			}
		})
	})
}

// check looks at what was notified since the last time.
func (w *witness) check() {
	for _, text := range w.got[w.notified:] {
		channel, payload, _ := strings.Cut(text, "=")
		place, _ := strconv.Atoi(payload)
		s := w.spans[channel]
		switch {
		case s == nil:
			w.world.t.Errorf("heard %s without listening", text)
			continue
		case place < s.asked:
			w.world.t.Errorf("heard %s from before %d", text, s.asked)
		case place <= w.last:
			w.world.t.Errorf("heard %s after %d", text, w.last)
		}
		w.missing(channel, s, place)
		s.next, w.last = place+1, place
	}
	w.notified = len(w.got)
	if len(w.lost) > 1 {
		w.world.t.Error("told twice")
	}
}

// missing reports what should have come on a channel before a place.
func (w *witness) missing(channel string, s *span, place int) {
	if s.sure < 0 {
		return
	}
	for i := max(s.next, s.sure); i < place; i++ {
		if w.rumour.queue[i].channel == channel {
			w.world.t.Errorf("%s=%d is missing", channel, i)
		}
	}
}

// complete checks that everything before a place has come.
func (w *witness) complete(place int) {
	for channel, s := range w.spans {
		w.missing(channel, s, place)
	}
}

// finish ends all faults: now everybody must have got everything.
func (r *rumour) finish() {
	r.down, r.silent = nil, false
	r.rest()
	for _, w := range r.all {
		if w.paused {
			w.pause(false)
		}
		for _, channel := range rumours[:3] {
			w.subscribe(channel)
		}
	}
	r.rest()
	for _, channel := range rumours[:3] {
		r.notify(channel, fmt.Sprint(len(r.queue)))
	}
	r.rest()
	for _, w := range r.all {
		if w.check(); !w.over() {
			w.complete(len(r.queue))
			if len(w.spans) != 3 || w.last != len(r.queue)-1 {
				r.t.Errorf("listens to %d channels, heard the %dth of %d", len(w.spans), w.last, len(r.queue))
			}
		}
	}
	r.leaveAll()
}

// leaveAll ends all sessions: nothing may be left.
func (r *rumour) leaveAll() {
	for _, w := range r.all {
		w.hearer.close()
	}
	r.rest()
	st := r.world.set.ListenerStats()[0]
	if st.Channels != 0 || st.Subscriptions != 0 || len(r.world.open()) != 0 {
		r.t.Errorf("%+v are left, open are %v", st, r.world.open())
	}
	for _, k := range r.keys {
		r.world.set.Pool(k).check(r.t)
	}
	r.world.set.Close(context.Background())
	r.settle()
	if n := r.world.set.working.n.Load(); n != 0 {
		r.t.Errorf("%d at work", n)
	}
}

// rest lets everything come to rest, for as long as a backend lingers.
func (r *rumour) rest() {
	for range 10 {
		r.settle()
		r.world.pass(time.Second)
	}
	r.settle()
}
