package pool

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// newListening returns a world with two subscribers of different users, each on
// a loop of its own.
func newListening(t *testing.T, change func(*Options)) (*board, *hearer, *hearer) {
	w := newWorld(t, 2, change)
	b := newBoard(w)
	return b, w.hearer(key, 0), w.hearer(Key{"crm", "bob"}, 1)
}

func (b *board) expectListens(want ...string) {
	b.world.t.Helper()
	if !slices.Equal(b.listens, want) {
		b.world.t.Errorf("the server ran %q, want %q", b.listens, want)
	}
	b.listens = nil
}

func TestListenersShareABackend(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	first := ann.subscribe("jobs")
	b.settle()
	second := bob.subscribe("jobs")
	b.settle()
	expectAnswer(t, first, "ok")
	expectAnswer(t, second, "ok")
	b.expectListens(`LISTEN "jobs"`)
	if b.syncs != 1 || b.world.dials != 1 || b.world.conns[0].target.User != "ann" {
		t.Errorf("%d syncs, %d logins as %v", b.syncs, b.world.dials, b.world.conns[0].target.User)
	}
	b.notify("jobs", "1")
	b.notify("Jobs", "2")
	b.notify("jobs", "3")
	b.settle()
	ann.expect("jobs=1 jobs=3")
	bob.expect("jobs=1 jobs=3")
	want := ListenerStat{Database: "crm", Channels: 1, Subscriptions: 2, Notifications: 2, Delivered: 4, Logins: 1}
	if got := b.world.set.ListenerStats(); len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
}

// TestSubscribeSkipsOldNotifications: what was committed before a session
// subscribes is not for it, also when the backend has not sent it yet.
func TestSubscribeSkipsOldNotifications(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	b.notify("jobs", "old")
	second := bob.subscribe("jobs")
	b.world.run()
	expectAnswer(t, second, "waits")
	b.settle()
	expectAnswer(t, second, "ok")
	ann.expect("jobs=old")
	bob.expect("")
}

func TestBarrierComesAfterNotifications(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	ann.subscribe("jobs")
	expectAnswer(t, bob.barrier(), "waits")
	b.settle()
	b.notify("jobs", "1")
	heard := "nothing"
	ann.ask(func(done func(error)) {
		ann.sub.Barrier(func(err error) { heard = ann.heard(); done(err) })
	})
	b.world.run()
	if heard != "nothing" {
		t.Error("the barrier ended at once")
	}
	b.settle()
	if heard != "jobs=1" {
		t.Errorf("%s before the end of the barrier", heard)
	}
}

// TestBarriersShareASync has any number of barriers cost one message.
func TestBarriersShareASync(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	before := b.syncs
	var all []*answer
	for range 50 {
		all = append(all, ann.barrier())
	}
	b.settle()
	for _, a := range all {
		expectAnswer(t, a, "ok")
	}
	if n := b.syncs - before; n > 2 {
		t.Errorf("%d syncs", n)
	}
}

func TestUnsubscribe(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	for _, h := range []*hearer{ann, bob} {
		h.subscribe("jobs")
		h.subscribe("mail")
		b.settle()
	}
	b.expectListens(`LISTEN "jobs"`, `LISTEN "mail"`)
	ann.do(func() { ann.sub.Unsubscribe("jobs") })
	b.settle()
	b.expectListens()
	b.notify("jobs", "1")
	b.notify("mail", "2")
	b.settle()
	ann.expect("mail=2")
	bob.expect("jobs=1 mail=2")
	bob.do(bob.sub.unsubscribeAll)
	b.settle()
	b.expectListens(`UNLISTEN "jobs"`)
	ann.close()
	b.settle()
	b.expectListens(`UNLISTEN "mail"`)
}

// TestUnsubscribeIsExact drops what was received before, and is not called for
// yet.
func TestUnsubscribeIsExact(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	ann.subscribe("jobs")
	ann.subscribe("mail")
	b.settle()
	ann.do(ann.sub.Pause)
	b.notify("jobs", "1")
	b.notify("mail", "2")
	b.settle()
	ann.do(func() { ann.sub.Unsubscribe("jobs") })
	ann.subscribe("jobs")
	ann.do(ann.sub.Resume)
	ann.expect("mail=2")
}

// TestListenAgain subscribes while UNLISTEN is under way.
func TestListenAgain(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	ann.do(ann.sub.unsubscribeAll)
	b.world.run() // UNLISTEN is on its way
	again := bob.subscribe("jobs")
	b.settle()
	expectAnswer(t, again, "ok")
	b.expectListens(`LISTEN "jobs"`, `UNLISTEN "jobs"`, `LISTEN "jobs"`)
	b.notify("jobs", "1")
	b.settle()
	bob.expect("jobs=1")
}

func TestListenerGoesWhenNobodyListens(t *testing.T) {
	b, ann, _ := newListening(t, config(func(c *Config) { c.MaxDatabaseConnections = 1 }))
	p := b.world.set.Pool(key)
	ann.subscribe("jobs")
	b.settle()
	s := b.world.session(p, 0)
	s.lease()
	b.settle()
	if p.check(t); s.b != nil || b.world.stat(p).Dedicated != 1 {
		t.Error("the listener does not count")
	}
	ann.do(ann.sub.unsubscribeAll)
	b.settle()
	b.world.pass(time.Duration(lingerFor) - time.Second)
	if len(b.world.open()) != 1 || s.b != nil {
		t.Fatal("the listener did not linger")
	}
	b.world.pass(2 * time.Second)
	if p.check(t); s.b == nil || b.world.stat(p).Dedicated != 0 {
		t.Error("the listener is still there")
	}
}

// TestListenerTakesNoDedicatedPlace: sessions may have as many backends of
// their own as without it.
func TestListenerTakesNoDedicatedPlace(t *testing.T) {
	b, ann, _ := newListening(t, limits(1, 0))
	ann.subscribe("jobs")
	b.settle()
	s := b.world.session(b.world.set.Pool(key), 0)
	b.world.set.DialDedicated(t.Context(), key, nil, &s.waiter, func(b *Backend, err error) { s.b, s.err = b, err })
	b.settle()
	if s.b == nil {
		t.Errorf("no dedicated backend: %v", s.err)
	}
	b.world.set.Pool(key).check(t)
}

func TestListenRefused(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	b.refuse["jobs"] = true
	all := []*answer{ann.subscribe("jobs"), ann.subscribe("mail"), ann.subscribe("jobs")}
	b.settle()
	for i, want := range []string{"25006", "ok", "25006"} {
		expectAnswer(t, all[i], want)
	}
	for _, name := range []string{"", strings.Repeat("x", 64), "a\x00b"} {
		a := ann.subscribe(name)
		b.settle()
		expectAnswer(t, a, "42602")
	}
	b.refuse["jobs"] = false
	again, other := ann.subscribe("jobs"), bob.subscribe("jobs")
	b.settle()
	expectAnswer(t, again, "ok")
	expectAnswer(t, other, "ok")
	if n := ann.sub.Len(); n != 2 {
		t.Errorf("%d channels", n)
	}
}

func TestSlowSubscriber(t *testing.T) {
	b, ann, bob := newListening(t, func(o *Options) { o.Config.MaxNotificationBytes = 1000 })
	ann.subscribe("jobs")
	b.settle()
	bob.subscribe("jobs")
	bob.subscribe("mail")
	b.settle()
	ann.do(ann.sub.Pause)
	for range 20 {
		b.notify("jobs", strings.Repeat("x", 50))
		b.settle()
	}
	if len(ann.lost) != 1 || len(ann.got) != 0 || len(bob.got) != 20 {
		t.Errorf("told %v; bob heard %d", ann.lost, len(bob.got))
	}
	if x := &ann.sub.inbox; x.bytes != 0 || x.frames.len() != 0 {
		t.Error("the notifications are kept")
	}
	again := ann.subscribe("jobs")
	bob.do(bob.sub.unsubscribeAll)
	b.listens = nil
	b.settle()
	expectAnswer(t, again, "53400")
	b.expectListens(`UNLISTEN "jobs"`, `UNLISTEN "mail"`)
}

// TestOverflowAfterBarrier drops notifications that came before the end of a
// barrier: so it has failed.
func TestOverflowAfterBarrier(t *testing.T) {
	b, ann, _ := newListening(t, func(o *Options) { o.Config.MaxNotificationBytes = 300 })
	ann.subscribe("jobs")
	b.settle()
	b.notify("jobs", strings.Repeat("x", 100))
	barrier := ann.barrier()
	b.world.run()
	e := b.current()
	b.runOne(e)
	b.notify("jobs", strings.Repeat("x", 200))
	b.interrupt(e)
	b.bring(e, len(e.out))
	b.settle()
	expectAnswer(t, barrier, "53400")
	if len(ann.lost) != 1 || len(ann.got) != 0 {
		t.Errorf("told %v, heard %d", ann.lost, len(ann.got))
	}
}

func TestSubscriptionMoves(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	send := func(payload string) { // as far as a mailbox
		b.notify("jobs", payload)
		b.interrupt(b.current())
		b.bring(b.current(), len(b.current().out))
	}
	send("1")
	ann.leaveFor(1) // the first loop has to leave it alone
	b.world.run()
	ann.expect("")
	send("2")
	ann.arrive()
	b.world.run()
	ann.expect("jobs=1 jobs=2")
	ann.leaveFor(0)
	ann.arrive()
	send("3") // to the first loop again
	ann.leaveFor(1)
	ann.arrive()
	send("4")
	ann.leaveFor(0)
	b.world.run()
	ann.expect("")
	ann.arrive()
	b.world.run()
	ann.expect("jobs=3 jobs=4")
}

func TestPause(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	ann.do(ann.sub.Pause)
	b.notify("jobs", "1")
	b.notify("jobs", "2")
	barrier := ann.barrier()
	b.settle()
	expectAnswer(t, barrier, "ok")
	ann.expect("")
	ann.do(ann.sub.Resume)
	ann.expect("jobs=1 jobs=2")
}

func TestQuoteName(t *testing.T) {
	for name, want := range map[string]string{
		`jobs`: `"jobs"`, `Jobs`: `"Jobs"`, `a"b`: `"a""b"`, `""`: `""""""`, `ä b;--`: `"ä b;--"`,
	} {
		if got := quoteName(name); got != want {
			t.Errorf("%s becomes %s", name, got)
		}
	}
}

// unsubscribeAll ends all that Subscribe began.
func (sub *Subscription) unsubscribeAll() {
	for _, channel := range slices.Sorted(maps.Keys(sub.channels)) {
		sub.Unsubscribe(channel)
	}
}
