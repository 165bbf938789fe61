package proxy_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// succeed runs a query that must not fail.
func succeed(t testing.TB, c *pgtest.Conn, sql string) {
	t.Helper()
	frames, err := c.Query(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, f := range frames {
		if f.Type == 'E' {
			t.Fatalf("%s: %s", sql, f)
		}
	}
}

// Any number of sessions listen with the pool's only backend.
func TestListenPinsNobody(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	var listeners []*pgtest.Conn
	for i := range 20 {
		c := client(t, p.addr)
		for _, sql := range [][]string{{"listen news"}, {"begin", "listen news", "commit"}}[i%2] {
			succeed(t, c, sql)
		}
		listeners = append(listeners, c)
	}
	expectMetric(t, p, `pinned_sessions{reason="listen"}`, 0)
	expectMetric(t, p, `listen_sessions{database="postgres"}`, 20)
	expectMetric(t, p, `listen_channels{database="postgres"}`, 1)
	expectMetric(t, p, `pool_server_connects_total{@,result="ok"}`, 2) // all of them shared the same two
	speaker := client(t, p.addr)
	for _, payload := range []string{"one", "two"} {
		succeed(t, speaker, "notify news, '"+payload+"'")
		for _, c := range listeners {
			expect(t, c, "A news "+payload)
		}
	}
	expectMetric(t, p, `listen_notifications_delivered_total{database="postgres"}`, 40)
	for i, c := range listeners {
		switch i % 4 {
		case 0:
			succeed(t, c, "unlisten news")
		case 1:
			succeed(t, c, "discard all")
		case 2:
			c.Close()
		case 3:
			if err := c.Send(pgtest.Terminate); err != nil {
				t.Fatal(err)
			}
		}
	}
	expectMetric(t, p, `listen_sessions{database="postgres"}`, 0)
	expectMetric(t, p, `listen_channels{database="postgres"}`, 0)
}

// Who has seen that something was notified finds it notified before the reply to
// his next query, wherever it came from.
func TestNotifiedBeforeReplies(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	listener, other, direct := client(t, p.addr), client(t, p.addr), client(t, backend)
	succeed(t, listener, "listen news")
	for i := range 200 {
		speaker := []*pgtest.Conn{other, direct, listener}[i%3]
		query := []string{"select 1", "begin; select 1; commit", "update pg_class set relname = relname where false"}[i/3%3]
		if speaker == listener {
			query = fmt.Sprintf("notify news, '%d'", i)
		} else {
			succeed(t, speaker, fmt.Sprintf("notify news, '%d'", i))
		}
		heard := notifiedBefore(t, listener, query)
		if want := fmt.Sprintf("A news %d", i); len(heard) != 1 || heard[0] != want {
			t.Fatalf("before the reply to %s came %q, not %q", query, heard, want)
		}
	}
}

// What was notified before a client stops to listen it hears, and nothing of what is
// notified afterwards.
func TestNotifiedBeforeUnlisten(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	listener, direct := client(t, p.addr), client(t, backend)
	for i := range 200 {
		query := []string{"unlisten news", "unlisten *", "discard all", "begin; unlisten news; commit", "select 1; unlisten news; listen other"}[i%5]
		succeed(t, listener, "listen news")
		succeed(t, direct, fmt.Sprintf("notify news, '%d'", i))
		heard := notifiedBefore(t, listener, query)
		if want := fmt.Sprintf("A news %d", i); len(heard) != 1 || heard[0] != want {
			t.Fatalf("before the reply to %s came %q, not %q", query, heard, want)
		}
		succeed(t, direct, "notify news, 'unheard'")
		if heard := notifiedBefore(t, listener, "unlisten *"); len(heard) != 0 {
			t.Fatalf("after %s came %q", query, heard)
		}
	}
}

// notifiedBefore returns what comes of notifications up to the end of the replies to a
// query.
func notifiedBefore(t *testing.T, c *pgtest.Conn, query string) (heard []string) {
	t.Helper()
	if err := c.Send(pgtest.Query(query)); err != nil {
		t.Fatal(err)
	}
	frames, err := c.ReceiveUntil('Z')
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if f.Type == 'A' {
			heard = append(heard, f.String())
		}
	}
	return heard
}

// speakers notify numbers, one after the other. What was told is committed.
type speakers struct {
	begun, told atomic.Int64
	stop        atomic.Bool
}

func (s *speakers) speak(t *testing.T, all []*pgtest.Conn) {
	for n := int64(1); !s.stop.Load(); n++ {
		s.begun.Store(n)
		if _, err := all[n%int64(len(all))].Query("notify load, '" + strconv.FormatInt(n, 10) + "'"); err != nil {
			t.Error(err)
			return
		}
		s.told.Store(n)
	}
}

// Nothing is lost and nothing comes twice from the COMMIT of LISTEN on until
// UNLISTEN, while sessions share backends and move between loops.
func TestNotificationsUnderLoad(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 2 })
	s := &speakers{}
	var speaking, listening sync.WaitGroup
	all := []*pgtest.Conn{client(t, p.addr), client(t, backend)}
	speaking.Go(func() { s.speak(t, all) })
	for i := range 8 {
		c := client(t, p.addr)
		listening.Go(func() {
			for round := range 15 {
				if err := s.hear(c, i+round); err != nil {
					t.Errorf("client %d, round %d: %v", i, round, err)
					return
				}
				p.server.MoveSessions()
			}
		})
	}
	listening.Wait()
	s.stop.Store(true)
	speaking.Wait()
}

// hear listens for a while.
func (s *speakers) hear(c *pgtest.Conn, way int) error {
	before := s.told.Load()
	var last int64 // 0: none was heard
	var after int64
	for _, sql := range [][]string{{"listen load"}, {"begin", "listen load", "select 1", "commit"}}[way%2] {
		if err := s.query(c, sql, &last); err != nil {
			return err
		}
	}
	if after = s.begun.Load(); last != 0 && last <= before {
		return fmt.Errorf("%d was notified before the LISTEN", last)
	}
	for last < after+20 {
		if way%3 == 0 {
			if err := s.query(c, "select 1", &last); err != nil {
				return err
			}
			continue
		}
		f, err := c.Receive()
		if err != nil {
			return err
		}
		if err := s.next(f, &last, before, after); err != nil {
			return err
		}
	}
	return s.query(c, "unlisten load", &last)
}

// query runs a query and takes the notifications that come meanwhile.
func (s *speakers) query(c *pgtest.Conn, sql string, last *int64) error {
	frames, err := c.Query(sql)
	for _, f := range frames {
		if f.Type == 'A' {
			err = s.next(f, last, 0, 1<<60)
		}
		if err != nil || f.Type == 'E' {
			return fmt.Errorf("%s: %s %w", sql, f, err)
		}
	}
	return err
}

// next takes a notification: the number behind the last one; the first is one that
// was not told before the LISTEN, and no later than what was begun after it.
func (s *speakers) next(f pgtest.Frame, last *int64, before, after int64) error {
	n, err := strconv.ParseInt(strings.TrimPrefix(f.String(), "A load "), 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", f, err)
	case *last == 0 && (n <= before || n > after+1):
		return fmt.Errorf("%d is the first, after %d and %d", n, before, after)
	case *last != 0 && n != *last+1:
		return fmt.Errorf("%d comes behind %d", n, *last)
	}
	*last = n
	return nil
}

// When the listening backend is lost, those who listen are told so, as something
// may have been notified meanwhile; nobody else is.
func TestListenerLost(t *testing.T) {
	backend := plain(t)
	p, admin := startProxy(t, backend, onlyOne), observer(t, backend)
	idle, within, other := client(t, p.addr), client(t, p.addr), client(t, p.addr)
	succeed(t, idle, "listen news")
	succeed(t, within, "listen news")
	succeed(t, within, "begin; select 1")
	if err := admin.Exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgjay listener'"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*pgtest.Conn{idle, within} {
		expect(t, c, "E FATAL 57P01 pgjay: the backend that listens*", "EOF")
	}
	if got := value(t, other, "select 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
	again := client(t, p.addr)
	succeed(t, again, "listen news")
	succeed(t, other, "notify news, 'again'")
	expect(t, again, "A news again")
	expectMetric(t, p, `listen_sessions_ended_total{database="postgres"}`, 2)
}

// A notification that the client could not read is not passed on.
func TestNotificationThatCannotBeConverted(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	listener, speaker := client(t, p.addr), client(t, p.addr)
	succeed(t, listener, "listen news")
	succeed(t, listener, "set client_encoding = 'LATIN1'")
	succeed(t, speaker, "notify news, 'plain'")
	expect(t, listener, "A news plain")
	succeed(t, speaker, "notify news, 'é'")
	expect(t, listener, "A news \xe9")
	succeed(t, speaker, "notify news, '€'")
	expect(t, listener, "E FATAL 0A000 pgjay: a notification cannot be converted*", "EOF")
}

// Where no backend can be had to listen, a session does so on its own.
func TestListenWithoutAListener(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Pool.Size, c.Pool.MaxDatabaseConnections = 1, 1 })
	c := client(t, p.addr)
	p.reload(t, func(c *proxy.Config) { c.Pool.AcquireTimeout = 100 * time.Millisecond })
	succeed(t, c, "listen news")
	p.reload(t, func(c *proxy.Config) { c.Pool.AcquireTimeout = pgtest.Patience })
	expectMetric(t, p, `pinned_sessions{reason="listen"}`, 1)
	for range 2 {
		if err := c.Send(pgtest.Query("notify news, 'own'")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "C NOTIFY", "A news own", "Z I")
	}
	succeed(t, c, "unlisten *")
	expectMetric(t, p, `pinned_sessions{reason="listen"}`, 0)
	if got := value(t, client(t, p.addr), "select count(*) from pg_listening_channels()"); got != "0" {
		t.Errorf("another client listens to %s channels", got)
	}
}

// What is kept for a client that is in a transaction is bounded.
func TestTooManyNotifications(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Pool.MaxNotificationBytes = 64 << 10 })
	listener, speaker := client(t, p.addr), client(t, p.addr)
	succeed(t, listener, "listen news")
	succeed(t, listener, "begin; select 1")
	for i := range 10 {
		succeed(t, speaker, fmt.Sprintf("notify news, '%d%s'", i, strings.Repeat("p", 7900)))
	}
	expect(t, listener, "E FATAL 53400 pgjay: the client does not take its notifications*", "EOF")
}

// What a session listens to is not forgotten when its settings are asked for.
func TestListenSurvivesASettingTakenBack(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	c, speaker := client(t, p.addr), client(t, p.addr)
	for _, sql := range []string{"listen taken_back", "set work_mem = '5MB'", "begin", "set work_mem = '6MB'", "rollback"} {
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := speaker.Query("notify taken_back, 'heard'"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "A taken_back heard")
}

// The statement_timeout of a session is not for what it is asked, also when that has
// met it before it was known.
func TestListenUnderATimeout(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for name, texts := range map[string][]string{
		"known":            {"set statement_timeout = '100ms'", "select 1", "listen timed"},
		"in the same text": {"select 1", "set statement_timeout = '100ms'; listen timed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, onlyOne)
			c := client(t, p.addr)
			before, last := texts[:len(texts)-1], texts[len(texts)-1]
			for _, sql := range before {
				if _, err := c.Query(sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := admin.Exec("begin; lock pg_depend in access exclusive mode"); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(pgtest.Query(last)); err != nil {
				t.Fatal(err)
			}
			if err := admin.Await("select count(*) = 1 from pg_locks where not granted"); err != nil {
				t.Fatal(err)
			}
			if err := admin.Exec("select pg_sleep(0.2); commit"); err != nil {
				t.Fatal(err)
			}
			frames, err := c.ReceiveUntil('Z')
			if err != nil || frames[len(frames)-2].String() != "C LISTEN" {
				t.Fatalf("%v, %v", frames, err)
			}
			if got := value(t, c, "show statement_timeout"); got != "100ms" {
				t.Errorf("statement_timeout is %s", got)
			}
			expectMetric(t, p, `pinned_sessions{reason="listen"}`, 0)
		})
	}
}
