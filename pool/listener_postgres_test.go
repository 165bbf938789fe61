package pool

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/wire"
)

func TestListenPostgres(t *testing.T) {
	s := startServer(t)
	onAllReactors(t, func(t *testing.T) {
		for _, test := range []struct {
			name string
			run  func(*testing.T, *testServer)
		}{
			{"names", realNames},
			{"encoding", realEncoding},
			{"barrier", realBarrier},
			{"transaction", realNotifyInTransaction},
			{"many", realManyListeners},
			{"moving", realMovingListeners},
			{"timeouts", realListenTimeouts},
			{"login", realListenLogin},
			{"terminated", realListenerTerminated},
			{"kill -9", realListenerKilled},
			{"restart", realListenerRestart},
		} {
			t.Run(test.name, func(t *testing.T) { test.run(t, s) })
		}
	})
}

func realNames(t *testing.T, s *testServer) {
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "crm")
	a := w.audience(ann, 0)
	names := []string{"jobs", "Jobs", `say "hi"`, `"`, "Grüße 🐦", "a b;c--", `back\slash`, "select", strings.Repeat("ä", 31) + "x"}
	a.listen(names...)
	for i, name := range names {
		payload := []string{"", "ok", strings.Repeat("🐦", 1999) + "end"}[i%3]
		speaker.notify(name, payload)
		a.expect(name + "=" + payload)
	}
	if pid := a.pids[0]; pid != speaker.conn.PID() {
		t.Errorf("notified by %d, not %d", pid, speaker.conn.PID())
	}
	a.on(a.sub.unsubscribeAll)
	eventually(t, func() bool { return w.set.ListenerStats()[0].Channels == 0 })
	speaker.notify("jobs", "unheard")
	a.expect()
}

// realEncoding: whatever the database speaks, subscribers hear UTF-8.
func realEncoding(t *testing.T, s *testServer) {
	s.run("DROP DATABASE IF EXISTS latin WITH (FORCE)")
	s.run("CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "latin")
	a := w.audience(Key{"latin", "ann"}, 0)
	a.listen("Grüße")
	speaker.run("SET client_encoding = 'LATIN1'")
	speaker.run("NOTIFY \"Gr\xfc\xdfe\", '\xe9'")
	a.expect("Grüße=é")
}

// realBarrier has each notification before the end of a barrier that began when
// whoever sent it was told that it is committed.
func realBarrier(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	speakers := []*speaker{s.speaker(t, "crm"), s.speaker(t, "crm")}
	a := w.audience(ann, 1)
	a.listen("jobs")
	for i := range 1000 {
		payload := strconv.Itoa(i)
		speakers[i%2].run("NOTIFY jobs, '" + payload + "'")
		a.expect("jobs=" + payload)
	}
}

func realNotifyInTransaction(t *testing.T, s *testServer) {
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "crm")
	a, b := w.audience(ann, 0), w.audience(ann, 1)
	a.listen("jobs")
	speaker.run("BEGIN; NOTIFY jobs, '1'; NOTIFY jobs, '2'; NOTIFY jobs, '1'")
	a.expect()
	b.listen("jobs")
	speaker.run("SAVEPOINT s; NOTIFY jobs, '3'; ROLLBACK TO s; COMMIT")
	a.expect("jobs=1", "jobs=2")
	b.expect("jobs=1", "jobs=2")
	speaker.run("BEGIN; NOTIFY jobs, '4'; ROLLBACK")
	a.expect()
}

// realManyListeners has 1,000 sessions listen to three of 100 channels each.
func realManyListeners(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	var all []*audience
	var results []<-chan error
	for i := range 1000 {
		a := w.audience(Key{"crm", []string{"ann", "postgres"}[i%2]}, i%2)
		all = append(all, a)
		for j := range 3 {
			results = append(results, a.subscribing(channelName(i+j)))
		}
	}
	for _, r := range results {
		if err := all[0].result("LISTEN", r); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 5
	var speaking sync.WaitGroup
	for n := range 4 {
		speaker := s.speaker(t, "crm")
		speaking.Go(func() {
			for i := range rounds * 100 / 4 {
				at := i*4 + n
				speaker.notify(channelName(at), strconv.Itoa(at))
			}
		})
	}
	speaking.Wait()
	for i, a := range all {
		if err := a.barrier(); err != nil {
			t.Fatal(err)
		}
		var want []string
		for j := range 3 {
			for round := range rounds {
				want = append(want, fmt.Sprintf("%s=%d", channelName(i+j), round*100+(i+j)%100))
			}
		}
		got := a.heard()
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Fatalf("session %d heard %q, want %q", i, got, want)
		}
	}
	if st := w.set.ListenerStats()[0]; st.Channels != 100 || st.Subscriptions != 1000 || st.Delivered != 1000*3*rounds {
		t.Errorf("%+v", st)
	}
	for _, a := range all {
		a.on(a.sub.Close)
	}
	eventually(t, func() bool { return w.set.ListenerStats()[0].Channels == 0 })
}

func channelName(i int) string { return fmt.Sprintf("Channel %02d", i%100) }

// realMovingListeners moves sessions between the loops while they are notified.
func realMovingListeners(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	var all []*audience
	for i := range 8 {
		a := w.audience(ann, i%2)
		a.listen("jobs")
		all = append(all, a)
	}
	const total = 2000
	var working sync.WaitGroup
	var spoken atomic.Bool
	speaker := s.speaker(t, "crm")
	working.Go(func() {
		defer spoken.Store(true)
		for i := range total {
			speaker.run("NOTIFY jobs, '" + strconv.Itoa(i) + "'")
		}
	})
	for i, a := range all {
		working.Go(func() {
			for at := i % 2; !spoken.Load(); at = 1 - at {
				to := w.l[1-at]
				a.on(func() { a.home.Store(to) })
				a.on(func() { a.sub.Move(to) })
			}
		})
	}
	working.Wait()
	var want []string
	for i := range total {
		want = append(want, "jobs="+strconv.Itoa(i))
	}
	for _, a := range all {
		a.expect(want...)
	}
}

// realListenTimeouts: what ends idle sessions of the role does not end the
// listening backend.
func realListenTimeouts(t *testing.T, s *testServer) {
	s.run("ALTER ROLE ann SET idle_session_timeout = '50ms'")
	defer s.run("ALTER ROLE ann RESET ALL")
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "crm")
	a := w.audience(ann, 0)
	a.listen("jobs")
	idle := w.client(ann, 0).lease() // later idle than the listening backend
	idle.await("the end of an idle session", func() bool { return idle.lost })
	speaker.notify("jobs", "1")
	a.expect("jobs=1")
	if st := w.set.ListenerStats()[0]; st.Lost != 0 {
		t.Errorf("%+v", st)
	}
}

func realListenLogin(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), func(o *Options) { o.Backend.Password = "hunter2" })
	a, postgres := w.audience(ann, 0), w.audience(Key{"crm", "postgres"}, 1) // whom the server trusts
	wrong, right := a.subscribing("jobs"), postgres.subscribing("jobs")
	var e *pgconn.PgError
	if err := a.result("LISTEN", wrong); !errors.As(err, &e) || e.Code != "28P01" {
		t.Errorf("answered %v", err)
	}
	if err := postgres.result("LISTEN", right); err != nil {
		t.Errorf("answered %v", err)
	}
}

// expectLoss checks that everybody is told of a loss with one of the SQLSTATEs,
// and that whoever subscribes meanwhile listens afterwards.
func expectLoss(w *realWorld, s *testServer, a *audience, b *audience, during func()) {
	a.t.Helper()
	during()
	var e *wire.Error
	err := a.awaitLoss()
	if !errors.As(err, &e) || !slices.Contains([]string{"57P01", "57P02", "08006"}, e.Code) {
		a.t.Errorf("told %v", err)
	}
	if err := a.barrier(); err == nil {
		a.t.Error("a barrier after the loss")
	}
	b.listen("jobs")
	s.speaker(a.t, "crm").notify("jobs", "after")
	b.expect("jobs=after")
	if st := w.set.ListenerStats()[0]; st.Reconnects != 1 || st.Lost != 1 {
		a.t.Errorf("%+v", st)
	}
}

func realListenerTerminated(t *testing.T, s *testServer) {
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "crm")
	a, b := w.audience(ann, 0), w.audience(ann, 1)
	a.listen("jobs")
	expectLoss(w, s, a, b, func() { speaker.run(fmt.Sprintf("SELECT pg_terminate_backend(%d)", a.listenerPID())) })
}

// realListenerKilled kills the backend as the out-of-memory killer does: the
// server ends all sessions, and recovers.
func realListenerKilled(t *testing.T, s *testServer) {
	w, speaker := newRealWorld(t, s.url(), withPassword), s.speaker(t, "crm")
	a, b := w.audience(ann, 0), w.audience(ann, 1)
	a.listen("jobs")
	expectLoss(w, s, a, b, func() {
		if err := syscall.Kill(int(a.listenerPID()), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { // the server knows it, and lets nobody in until it has recovered
			_, err := speaker.conn.Exec(t.Context(), "SELECT 1").ReadAll()
			return err != nil
		})
	})
}

func realListenerRestart(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	a, b := w.audience(ann, 0), w.audience(ann, 1)
	a.listen("jobs")
	expectLoss(w, s, a, b, func() {
		s.stop()
		meanwhile := b.subscribing("mail")
		eventually(t, func() bool { return w.set.ListenerStats()[0].LoginFailures > 0 })
		s.start()
		if err := b.result("LISTEN during the restart", meanwhile); err != nil {
			t.Error(err)
		}
	})
}
