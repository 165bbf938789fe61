package pool

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// audience is a subscriber on real loops. Its methods are called by the test.
type audience struct {
	t    *testing.T
	sub  *Subscription
	home atomic.Pointer[reactor.Loop]

	mu    sync.Mutex // guards what the test looks at
	got   []string   // channel=payload
	pids  []uint32
	lost  error
	event chan struct{} // holds a token when something has happened
}

func (w *realWorld) audience(k Key, loop int) *audience {
	a := &audience{t: w.t, event: make(chan struct{}, 1)}
	a.home.Store(w.l[loop])
	a.sub = w.set.Pool(k).NewSubscription(w.l[loop], a)
	return a
}

func (a *audience) Enter(l *reactor.Loop) bool { return a.home.Load() == l }

func (a *audience) Notified(frame []byte) {
	pid, channel, payload := readNotification(frame)
	a.mu.Lock()
	a.got, a.pids = append(a.got, channel+"="+payload), append(a.pids, pid)
	a.mu.Unlock()
	a.happened()
}

func (a *audience) SubscriptionLost(err error) {
	a.mu.Lock()
	a.lost = err
	a.mu.Unlock()
	a.happened()
}

func (a *audience) happened() {
	select {
	case a.event <- struct{}{}:
	default:
	}
}

// on runs f on the subscriber's loop and waits for it.
func (a *audience) on(f func()) {
	done := make(chan struct{})
	a.home.Load().Post(reactor.Func(func() { f(); close(done) }))
	<-done
}

// request makes a request; the channel brings what comes of it.
func (a *audience) request(ask func(done func(error))) <-chan error {
	result := make(chan error, 1)
	a.on(func() { ask(func(err error) { result <- err }) })
	return result
}

func (a *audience) result(what string, result <-chan error) error {
	a.t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(30 * time.Second):
		a.t.Fatalf("waited in vain for %s", what)
		return nil
	}
}

func (a *audience) subscribe(channel string) error {
	a.t.Helper()
	return a.result("LISTEN "+channel, a.subscribing(channel))
}

func (a *audience) subscribing(channel string) <-chan error {
	return a.request(func(done func(error)) { a.sub.Subscribe(channel, done) })
}

func (a *audience) listen(channels ...string) {
	a.t.Helper()
	for _, channel := range channels {
		if err := a.subscribe(channel); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *audience) barrier() error {
	a.t.Helper()
	return a.result("a barrier", a.request(a.sub.Barrier))
}

// heard returns and forgets what was notified.
func (a *audience) heard() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	return got
}

// expect waits until a barrier is over and compares what was notified until then.
func (a *audience) expect(want ...string) {
	a.t.Helper()
	if err := a.barrier(); err != nil {
		a.t.Fatal(err)
	}
	if got := a.heard(); !slices.Equal(got, want) {
		a.t.Errorf("notified of %.200q, want %.200q", got, want)
	}
}

// awaitLoss waits until the subscription is lost, and returns the error.
func (a *audience) awaitLoss() (err error) {
	a.t.Helper()
	for deadline := time.After(30 * time.Second); err == nil; {
		select {
		case <-a.event:
		case <-deadline:
			a.t.Fatal("waited in vain for the loss")
		}
		a.mu.Lock()
		err = a.lost
		a.mu.Unlock()
	}
	return err
}

// listenerPID returns the PID of the backend that listens for the subscriber.
func (a *audience) listenerPID() (pid uint32) {
	done := make(chan struct{})
	a.sub.listener.post(func(l *Listener) { pid = l.link.backend.PID; close(done) })
	<-done
	return pid
}

// speaker is a connection that notifies.
type speaker struct {
	t    *testing.T
	conn *pgconn.PgConn
}

func (s *testServer) speaker(t *testing.T, database string) *speaker {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), s.URL(database, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return &speaker{t, conn}
}

func (s *speaker) run(sql string) {
	s.t.Helper()
	if _, err := s.conn.Exec(s.t.Context(), sql).ReadAll(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *speaker) notify(channel, payload string) {
	s.t.Helper()
	r := s.conn.ExecParams(s.t.Context(), "SELECT pg_notify($1, $2)", [][]byte{[]byte(channel), []byte(payload)}, nil, nil, nil).Read()
	if r.Err != nil {
		s.t.Fatal(r.Err)
	}
}
