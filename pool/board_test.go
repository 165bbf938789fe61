package pool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// board is LISTEN and NOTIFY of a made-up server, with PostgreSQL's rules: a
// backend that begins to listen starts at the end of the queue, and one that is
// idle sends what is in the queue before each ReadyForQuery, or at any time.
type board struct {
	world   *world
	queue   []notice
	ears    []*ear
	listens []string // the LISTEN and UNLISTEN that were run
	syncs   int
	refuse  map[string]bool // channels that LISTEN fails for
	silent  bool            // nothing is run
}

// notice is a committed notification.
type notice struct{ channel, payload string }

// ear is a backend that listens. Only what it has read it runs, and only what
// the network has brought the proxy sees.
type ear struct {
	conn     *fakeConn
	channels []string
	next     int    // in the queue
	in, out  []byte // sent by the proxy and not run yet, by the backend and not brought yet
	gone     bool
}

func (b *board) notify(channel, payload string) { b.queue = append(b.queue, notice{channel, payload}) }

// hear takes what the proxy writes to a backend that listens.
func (b *board) hear(c *fakeConn, p []byte) bool {
	e := b.ear(c)
	if e == nil {
		if c.target.Params["application_name"] != listenParams["application_name"] {
			return false
		}
		e = &ear{conn: c}
		b.ears = append(b.ears, e)
	}
	e.in = append(e.in, p...)
	return true
}

func (b *board) ear(c *fakeConn) *ear {
	i := slices.IndexFunc(b.ears, func(e *ear) bool { return e.conn == c })
	if i < 0 {
		return nil
	}
	return b.ears[i]
}

// current returns the backend that listens now; nil if there is none.
func (b *board) current() *ear {
	for _, e := range b.ears {
		if !e.gone && !e.conn.closed {
			return e
		}
	}
	return nil
}

// runOne runs the next message that the backend has got.
func (b *board) runOne(e *ear) bool {
	if len(e.in) == 0 || e.gone || b.silent {
		return false
	}
	n, _ := wire.FrameLen(e.in)
	frame := e.in[:n]
	e.in = e.in[n:]
	switch frame[0] {
	case wire.Terminate:
		e.gone = true
		return true
	case wire.Sync:
		b.syncs++
	case wire.Query:
		b.query(e, string(frame[wire.HeaderLen:n-1]))
	}
	b.interrupt(e)
	e.out = wire.AppendReadyForQuery(e.out, wire.StatusIdle)
	return true
}

func (b *board) query(e *ear, sql string) {
	verb, name, _ := strings.Cut(sql, " ")
	name = strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	switch verb {
	case "LISTEN":
		b.listens = append(b.listens, sql)
		if b.refuse[name] {
			e.out = (&wire.Error{Severity: "ERROR", Code: "25006", Message: "no"}).Append(e.out)
			return
		}
		if len(e.channels) == 0 {
			e.next = len(b.queue)
		}
		if !slices.Contains(e.channels, name) {
			e.channels = append(e.channels, name)
		}
	case "UNLISTEN":
		b.listens = append(b.listens, sql)
		e.channels = slices.DeleteFunc(e.channels, func(c string) bool { return c == name })
	}
	e.out = append(e.out, 'C', 0, 0, 0, byte(4+len(verb)+1))
	e.out = append(append(e.out, verb...), 0)
}

// interrupt sends what is in the queue.
func (b *board) interrupt(e *ear) {
	if len(e.channels) == 0 {
		return
	}
	for _, n := range b.queue[e.next:] {
		if slices.Contains(e.channels, n.channel) {
			e.out = appendNotification(e.out, 4711, n.channel, n.payload)
		}
	}
	e.next = len(b.queue)
}

// bring hands n bytes to the proxy.
func (b *board) bring(e *ear, n int) {
	if !e.gone && e.conn.data(e.out[:n]) {
		e.out = e.out[n:]
	}
}

// kill ends a backend. What is on its way is lost, unless it has a last word.
func (b *board) kill(e *ear, last []byte) {
	if e.gone || e.conn.closed {
		return
	}
	if last != nil {
		e.conn.data(append(e.out, last...))
	}
	e.gone = true
	if !e.conn.closed {
		e.conn.fail(io.EOF)
	}
}

// settle runs everything until nothing is left to do, without time passing.
func (b *board) settle() {
	for busy := true; busy; {
		busy = false
		b.world.run()
		for _, e := range b.ears {
			if e.gone || e.conn.closed {
				continue
			}
			for b.runOne(e) {
				busy = true
			}
			if b.interrupt(e); len(e.out) > 0 {
				b.bring(e, len(e.out))
				busy = true
			}
		}
	}
}

// appendNotification appends a NotificationResponse.
func appendNotification(dst []byte, pid uint32, channel, payload string) []byte {
	dst = append(dst, wire.NotificationResponse)
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+4+len(channel)+1+len(payload)+1))
	dst = binary.BigEndian.AppendUint32(dst, pid)
	return append(append(append(append(dst, channel...), 0), payload...), 0)
}

// readNotification takes a NotificationResponse apart.
func readNotification(frame []byte) (pid uint32, channel, payload string) {
	body := frame[wire.HeaderLen:]
	pid = binary.BigEndian.Uint32(body)
	name, rest, _ := wire.CString(body[4:])
	text, _, _ := wire.CString(rest)
	return pid, string(name), string(text)
}

// newBoard returns a world with a board.
func newBoard(w *world) *board {
	w.board = &board{world: w, refuse: make(map[string]bool)}
	return w.board
}

// hearer is a subscriber of the made-up world.
type hearer struct {
	world *world
	loop  *reactor.Loop
	sub   *Subscription
	got   []string // channel=payload
	lost  []error
	ended bool // Close was called
	away  bool // has left a loop and not come to the next one
}

func (w *world) hearer(k Key, loop int) *hearer {
	h := &hearer{world: w, loop: w.loops[loop]}
	h.sub = w.set.Pool(k).NewSubscription(h.loop, h)
	return h
}

func (h *hearer) Enter(l *reactor.Loop) bool { return l == h.loop }

func (h *hearer) called() {
	if h.world.loop != h.loop {
		h.world.t.Error("a subscriber is called on another loop")
	}
	if h.ended || h.away || len(h.lost) > 0 {
		h.world.t.Errorf("a subscriber is called, ended %v, away %v, lost %v", h.ended, h.away, h.lost)
	}
}

func (h *hearer) Notified(frame []byte) {
	h.called()
	_, channel, payload := readNotification(frame)
	h.got = append(h.got, channel+"="+payload)
}

func (h *hearer) SubscriptionLost(err error) {
	h.called()
	h.lost = append(h.lost, err)
}

// answer is what a request came to.
type answer struct {
	err  error
	done bool
}

func (a *answer) String() string {
	switch {
	case !a.done:
		return "waits"
	case a.err == nil:
		return "ok"
	}
	var e *wire.Error
	if errors.As(a.err, &e) {
		return e.Code
	}
	return a.err.Error()
}

// ask makes a request that fills an answer.
func (h *hearer) ask(request func(done func(error))) *answer {
	a := &answer{}
	h.world.on(h.loop, func() {
		request(func(err error) {
			if h.world.loop != h.loop || a.done || h.ended || h.away {
				h.world.t.Errorf("wrong answer: done before %v, ended %v", a.done, h.ended)
			}
			a.err, a.done = err, true
		})
	})
	return a
}

func (h *hearer) subscribe(channel string) *answer {
	return h.ask(func(done func(error)) { h.sub.Subscribe(channel, done) })
}

func (h *hearer) barrier() *answer { return h.ask(h.sub.Barrier) }

// do does something as the session.
func (h *hearer) do(f func()) { h.world.on(h.loop, f) }

// leaveFor leaves the loop; arrive ends that.
func (h *hearer) leaveFor(to int) { h.loop, h.away = h.world.loops[to], true }

func (h *hearer) arrive() {
	h.away = false
	h.do(func() { h.sub.Move(h.loop) })
}

func (h *hearer) close() {
	h.do(h.sub.Close)
	h.ended = true
}

// heard returns and forgets what was notified.
func (h *hearer) heard() string {
	s := strings.Join(h.got, " ")
	h.got = nil
	return s
}

func (h *hearer) expect(want string) {
	h.world.t.Helper()
	if got := h.heard(); got != want {
		h.world.t.Errorf("notified of %q, want %q", got, want)
	}
}

func expectAnswer(t interface {
	Helper()
	Errorf(string, ...any)
}, a *answer, want string) {
	t.Helper()
	if got := fmt.Sprint(a); got != want {
		t.Errorf("answered %s, want %s", got, want)
	}
}
