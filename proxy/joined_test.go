package proxy

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
)

// An answer that was waited for is that of its own statement only, and only as long
// as nothing has changed.
func TestJoinedAnswerHasItsKey(t *testing.T) {
	cfg := cache.DefaultConfig()
	c, err := cache.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	space := c.Space("server")
	stamp, _ := space.Stamp(nil)
	later := int64(time.Hour)
	e := c.NewEntry(cache.Answer{Core: []byte("core"), Stamp: stamp, MaxEntry: cfg.MaxEntry, Shape: c.NewShape("select"), Fresh: later, Stale: later, OnError: later})
	mine, other := cache.Key{Lo: 1}, cache.Key{Lo: 2}
	s := &session{joined: joined{key: mine, entry: e}}
	if s.takeJoined(other) != nil {
		t.Error("another statement got the answer")
	}
	if s.takeJoined(mine) != e {
		t.Error("the statement did not get its answer")
	}
	s.joined = joined{key: mine, entry: e}
	space.Global.Bump()
	if s.takeJoined(mine) != nil {
		t.Error("an answer was given that is not good any more")
	}
}

// third is one more who waits.
type third struct {
	filled *cache.Entry
	leads  bool
}

func (w *third) Filled(e *cache.Entry) { w.filled = e }
func (w *third) Lead()                 { w.leads = true }

// crowd is two sessions that are about to ask for the same, and a third who waits.
type crowd struct {
	t              *testing.T
	leader, waiter *relay
	cache          *cache.Cache
	fill           func() *fill
	key            cache.Key
	third          third
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{t: t, leader: newRelay(t), waiter: newRelay(t), key: cache.Key{Lo: 1, Hi: 2}}
	c.leader.remember(relayed(t)["simple"])
	c.cache = c.leader.session.databases.cache
	c.waiter.session.databases.cache = c.cache
	space, shape := c.cache.Space("d"), c.cache.NewShape("s")
	c.fill = func() *fill {
		stamp, _ := space.Stamp(nil)
		return &fill{key: c.key, stamp: stamp, verdict: &verdict{shape: shape}, frames: make([]byte, 0, 10)}
	}
	return c
}

// join has a session join and returns whether it waits.
func (c *crowd) join(s *session, change func(*fill)) bool {
	s.fill = c.fill()
	if change != nil {
		change(s.fill)
	}
	return s.join(s.fill)
}

// wait has the leader lead, and the waiter and the third wait.
func (c *crowd) wait() {
	c.t.Helper()
	if c.join(c.leader.session, nil) || !c.join(c.waiter.session, nil) {
		c.t.Fatal("the first waits, or the second does not")
	}
	if _, leader := c.cache.Join(c.key, c.fill().stamp, &c.third); leader {
		c.t.Fatal("the third does not wait")
	}
}

func (c *crowd) entry() *cache.Entry {
	f, later := c.fill(), int64(time.Hour)
	return c.cache.NewEntry(cache.Answer{Core: []byte("core"), Stamp: f.stamp, Shape: f.verdict.shape, Fresh: later})
}

// Who waits keeps no answer himself, is not read, and stops waiting after a while.
func TestJoinWaits(t *testing.T) {
	c := newCrowd(t)
	c.wait()
	s := c.waiter.session
	if s.fill != nil || s.client.paused&pausedWaiting == 0 || s.clock.at[timeoutCoalesce] == 0 {
		t.Errorf("fill %v, paused %v, clock %v", s.fill, s.client.paused, s.clock.at[timeoutCoalesce])
	}
	e := c.entry()
	c.leader.session.fill.flight.Fill(e)
	c.waiter.settle()
	if s.client.paused&pausedWaiting != 0 || s.clock.at[timeoutCoalesce] != 0 || s.takeJoined(c.key) != e || c.third.filled != e {
		t.Error("the answer does not end the wait")
	}
}

// A leader that keeps no answer after all, as its backend or its client is lost, its
// statement fails or its answer is too long, lets the next one lead; so does one that
// asks for something else then.
func TestJoinOfWhoGivesUp(t *testing.T) {
	for _, test := range []struct {
		name   string
		giveUp func(*session)
	}{
		{"dropped", (*session).dropFill},
		{"its client is gone", func(s *session) { s.leave(closedByClient) }},
		{"no answer", func(s *session) {
			s.fill.frames, s.fill.ended = append(s.fill.frames, frames(t, &pgproto3.ErrorResponse{}, &pgproto3.ReadyForQuery{TxStatus: 'I'})...), true
			s.keepAnswer()
		}},
	} {
		c := newCrowd(t)
		c.wait()
		test.giveUp(c.leader.session)
		c.waiter.settle()
		s := c.waiter.session
		if s.joined.waiting || !s.joined.leads || c.third.leads || s.client.paused&pausedWaiting != 0 {
			t.Fatalf("%s: %+v", test.name, s.joined)
		}
		if c.join(s, nil) || s.fill.flight == nil || s.joined.leads {
			t.Errorf("%s: the second does not lead", test.name)
		}
		s.dropFill()
		if !c.third.leads {
			t.Errorf("%s: the third does not lead after the second", test.name)
		}
	}
	c := newCrowd(t)
	c.wait()
	c.leader.session.dropFill()
	c.waiter.settle()
	if c.join(c.waiter.session, func(f *fill) { f.key.Lo++ }); !c.third.leads {
		t.Error("the third waits for one that does something else")
	}
}

// Who does not wait any more, or is gone, when it is his turn lets the next one lead.
func TestJoinOfWhoIsGone(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*session)
	}{
		{"it is over", func(s *session) { s.joined.waiting = false }},
		{"the client is gone", func(s *session) { s.gone = true }},
	} {
		c := newCrowd(t)
		c.wait()
		c.leader.session.dropFill()
		test.end(c.waiter.session)
		c.waiter.settle()
		if c.waiter.session.joined.leads || !c.third.leads {
			t.Errorf("%s: leads %t, the third %t", test.name, c.waiter.session.joined.leads, c.third.leads)
		}
	}
	c := newCrowd(t)
	c.wait()
	c.waiter.session.leave(closedByClient)
	c.leader.session.dropFill()
	if !c.third.leads {
		t.Error("it is the turn of who has left")
	}
}

// Some do not wait: who compares, who has waited in vain, and everybody where there is
// no waiting.
func TestJoinWithoutWaiting(t *testing.T) {
	c := newCrowd(t)
	c.wait()
	if s := c.waiter.session; !s.leaveJoin() || s.leaveJoin() || c.join(s, nil) || s.fill.flight != nil {
		t.Error("who has waited in vain waits again, or others wait for him")
	}
	c = newCrowd(t)
	c.wait()
	if s := c.waiter.session; !s.leaveJoin() || c.join(s, func(f *fill) { f.key.Lo++ }) || s.fill.flight == nil {
		t.Error("who has waited in vain does not lead another statement")
	}
	c = newCrowd(t)
	if c.join(c.leader.session, func(f *fill) { f.verify = c.entry() }) || c.leader.session.fill.flight != nil {
		t.Error("others wait for who compares")
	}
	cfg := cache.DefaultConfig()
	cfg.CoalesceMaxWait = 0
	if err := c.cache.Configure(cfg); err != nil {
		t.Fatal(err)
	}
	if c.join(c.leader.session, nil) || c.join(c.waiter.session, nil) || c.waiter.session.fill.flight != nil {
		t.Error("somebody waits")
	}
}

// What is not served ends the wait: with a hit, with a statement that is not known,
// and with one that must not be kept, the next one leads.
func TestJoinEndsWithOtherStatements(t *testing.T) {
	for name, next := range map[string]func(*crowd) []byte{
		"a hit":         func(c *crowd) []byte { return relayed(t)["simple"][0] },
		"not kept":      func(c *crowd) []byte { return frames(t, &pgproto3.Query{String: "select 4711"}) },
		"no pattern":    func(c *crowd) []byte { return frames(t, &pgproto3.Query{String: "select 'x"}) },
		"not a reading": func(c *crowd) []byte { return frames(t, &pgproto3.Query{String: "update t set v = 1"}) },
	} {
		c := newCrowd(t)
		c.wait()
		// The hit is in the leader's session: it has the turn.
		s := c.leader.session
		s.joined = joined{flight: s.fill.flight, key: c.key, leads: true}
		s.fill.flight = nil
		s.dropFill()
		s.Data(next(c))
		c.waiter.settle()
		if !c.waiter.session.joined.leads {
			t.Errorf("%s: the second still waits", name)
		}
	}
}

// An answer that is kept ends the wait of the others, whose turn it then never is.
func TestJoinOfWhoKeeps(t *testing.T) {
	c := newCrowd(t)
	c.wait()
	s, reply := c.leader.session, relayed(t)["simple"][1]
	s.fill.frames, s.fill.ended = append(s.fill.frames, reply...), true
	s.keepAnswer()
	if s.fill != nil || c.third.filled == nil || c.third.leads {
		t.Errorf("fill %v, the third has %v, leads %t", s.fill, c.third.filled, c.third.leads)
	}
	if c.waiter.session.leaveJoin() {
		t.Error("it stops waiting though the answer is on its way")
	}
	c.waiter.settle()
	if c.waiter.session.takeJoined(c.key) != c.third.filled {
		t.Error("the second has another answer")
	}
}
