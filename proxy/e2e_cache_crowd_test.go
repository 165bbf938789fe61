package proxy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Where many ask for the same at once one of them is forwarded, and the others wait for
// as long as it takes: here that is longer than the test, so that who is forgotten hangs.

const crowdRead = "select v from c.t where id = 1"

// crowdSize is how many ask.
const crowdSize = 6

// crowdAt is a crowd whose first client has been forwarded, to a backend that waits for
// a lock, and whose others wait for it.
type crowdAt struct {
	t       *testing.T
	p       *running
	backend string
	admin   *pgtest.Admin
	clients []*pgtest.Conn
}

func newCrowdAt(t *testing.T, change func(*proxy.Config)) *crowdAt {
	c := &crowdAt{t: t, backend: plain(t)}
	newCacheWorld(t, c.backend)
	c.p = startProxy(t, c.backend, func(cfg *proxy.Config) {
		withCache(cfg)
		cfg.Cache.CoalesceMaxWait = time.Hour
		cfg.Timeouts.Shutdown = time.Hour
		if change != nil {
			change(cfg)
		}
	})
	c.admin = observer(t, c.backend)
	for range crowdSize {
		c.clients = append(c.clients, client(t, c.p.addr))
	}
	return c
}

// gather has all ask for what is not in the cache any more, one of them first. ask is what
// they send.
func (c *crowdAt) gather(ask ...pgproto3.FrontendMessage) {
	c.t.Helper()
	if err := c.admin.Exec("begin; lock table c.t"); err != nil {
		c.t.Fatal(err)
	}
	c.p.server.Cache().PurgeAll()
	_ = c.clients[0].Send(ask...)
	c.awaitForwarded(1)
	for _, follower := range c.clients[1:] {
		_ = follower.Send(ask...)
	}
	eventually(c.t, "the others wait", func() bool { return c.p.server.Joining() == crowdSize-1 })
	c.awaitForwarded(1)
}

const forwardedReads = "from pg_stat_activity where wait_event_type = 'Lock' and query like '%from c.t%' and pid <> pg_backend_pid()"

// awaitForwarded waits until PostgreSQL executes n reads, which wait for the lock.
func (c *crowdAt) awaitForwarded(n int) {
	c.t.Helper()
	watch := observer(c.t, c.backend)
	defer watch.Close()
	eventually(c.t, "PostgreSQL has what was forwarded", func() bool {
		got, err := watch.Ask("select count(*)::text " + forwardedReads)
		return err == nil && got == string(rune('0'+n))
	})
}

// unlock lets PostgreSQL answer.
func (c *crowdAt) unlock() {
	if err := c.admin.Exec("commit"); err != nil {
		c.t.Error(err)
	}
}

// expect holds a client to get the right answer.
func (c *crowdAt) expect(clients ...*pgtest.Conn) {
	c.t.Helper()
	for _, conn := range clients {
		if frames, err := conn.ReceiveUntil('Z'); err != nil || !slices.ContainsFunc(frames, func(f pgtest.Frame) bool { return f.Type == 'D' && f.Value() == "0" }) {
			c.t.Errorf("client %d got %v, %v", slices.Index(c.clients, conn), frames, err)
		}
	}
}

// expectBut holds all but so many clients, whose backends have been killed, to get the
// right answer; those are told so.
func (c *crowdAt) expectBut(killed int) {
	c.t.Helper()
	for i, conn := range c.clients {
		frames, _ := conn.ReceiveUntil('Z')
		told := func(f pgtest.Frame) bool { return f.Type == 'E' && strings.Contains(f.String(), "57P01") }
		switch {
		case slices.ContainsFunc(frames, func(f pgtest.Frame) bool { return f.Type == 'D' && f.Value() == "0" }):
		case killed > 0 && slices.ContainsFunc(frames, told):
			killed--
		default:
			c.t.Errorf("client %d got %v", i, frames)
		}
	}
}

// refused holds a client to get an error.
func (c *crowdAt) refused(conn *pgtest.Conn, code string) {
	c.t.Helper()
	if frames, err := conn.ReceiveUntil('Z'); err != nil || !strings.Contains(frames[0].String(), code) {
		c.t.Errorf("client %d got %v, %v, want %s", slices.Index(c.clients, conn), frames, err, code)
	}
}

// kill ends the backends that execute the reads.
func (c *crowdAt) kill() {
	watch := observer(c.t, c.backend)
	defer watch.Close()
	if _, err := watch.Ask("select count(pg_terminate_backend(pid))::text " + forwardedReads); err != nil {
		c.t.Error(err)
	}
}

// What may become of the one who was forwarded, or of those who wait.
var crowdDisasters = []struct {
	name   string
	happen func(*crowdAt)
}{
	{"nothing", func(c *crowdAt) {
		c.unlock()
		c.expect(c.clients...)
	}},
	{"backend killed", func(c *crowdAt) {
		c.kill()
		c.awaitForwarded(1) // the next, or the same once more
		c.unlock()
		c.expectBut(1)
	}},
	{"backends killed again and again", func(c *crowdAt) {
		for range 3 {
			c.kill()
			c.awaitForwarded(1)
		}
		c.unlock()
		c.expectBut(3)
	}},
	{"cancelled", func(c *crowdAt) {
		if err := c.clients[0].Cancel(c.p.addr); err != nil {
			c.t.Error(err)
		}
		c.refused(c.clients[0], "57014")
		c.awaitForwarded(1)
		c.unlock()
		c.expect(c.clients[1:]...)
	}},
	{"client gone", func(c *crowdAt) {
		c.clients[0].Close()
		c.awaitForwarded(1)
		c.unlock()
		c.expect(c.clients[1:]...)
	}},
	{"one who waits cancelled", func(c *crowdAt) {
		if err := c.clients[1].Cancel(c.p.addr); err != nil {
			c.t.Error(err)
		}
		c.refused(c.clients[1], "57014")
		c.unlock()
		c.expect(c.clients[0])
		c.expect(c.clients[2:]...)
	}},
	{"one who waits gone, then the first", func(c *crowdAt) {
		c.clients[1].Close()
		eventually(c.t, "it is gone", func() bool { return c.p.server.Joining() == crowdSize-2 })
		c.clients[0].Close()
		c.awaitForwarded(1)
		c.unlock()
		c.expect(c.clients[2:]...)
	}},
	{"statement refused", func(c *crowdAt) {
		if err := c.admin.Exec("alter table c.t rename v to w; commit"); err != nil {
			c.t.Error(err)
		}
		for _, conn := range c.clients {
			c.refused(conn, "42703")
		}
	}},
	{"written meanwhile", func(c *crowdAt) {
		writer := client(c.t, c.p.addr, "search_path", "c")
		_ = writer.Send(pgtest.Query("update c.t set v = v")) // waits for the lock, too
		eventually(c.t, "the write is under way", func() bool { return c.blocked("update c.t%") })
		late := client(c.t, c.p.addr)
		_ = late.Send(pgtest.Query(crowdRead))
		c.awaitForwarded(2) // it does not wait for an answer from before the write
		c.unlock()
		c.expect(c.clients...)
		c.expect(late)
	}},
	{"drain", func(c *crowdAt) {
		idle := client(c.t, c.p.addr)
		c.p.stop()
		if _, err := idle.ReceiveUntil('Z'); err == nil {
			c.t.Error("an idle client stays")
		}
		c.p.server.Joining() // all loops have begun to drain
		c.unlock()
		c.expect(c.clients...)
		c.p.await(c.t)
	}},
}

// blocked reports whether some statement like this waits for a lock.
func (c *crowdAt) blocked(like string) bool {
	watch := observer(c.t, c.backend)
	defer watch.Close()
	got, err := watch.Ask("select count(*)::text from pg_stat_activity where wait_event_type = 'Lock' and query like '" + like + "'")
	return err == nil && got == "1"
}

func TestCacheCrowd(t *testing.T) {
	query := pgtest.Query(crowdRead)
	unit := []pgproto3.FrontendMessage{pgtest.Parse("", crowdRead), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync}
	for i, disaster := range crowdDisasters {
		ask := []pgproto3.FrontendMessage{query}
		if i%2 == 1 {
			ask = unit
		}
		t.Run(disaster.name, func(t *testing.T) {
			c := newCrowdAt(t, nil)
			learn(t, c.p, ask...)
			c.gather(ask...)
			disaster.happen(c)
		})
	}
}

// learn sends messages until the answer comes from the cache.
func learn(t *testing.T, p *running, ask ...pgproto3.FrontendMessage) {
	t.Helper()
	conn := client(t, p.addr)
	eventually(t, "the cache has the answer", func() bool {
		before := p.server.Cache().Stat().Hits()
		_ = conn.Send(ask...)
		_, err := conn.ReceiveUntil('Z')
		return err == nil && p.server.Cache().Stat().Hits() > before
	})
}

// Where no backend is to be had the one who leads waits for one, and the others for him.
// Who waits too long gets an error; then it is the next one's turn.
func TestCacheCrowdInFullPool(t *testing.T) {
	for _, timeout := range []time.Duration{time.Hour, 200 * time.Millisecond} {
		t.Run(timeout.String(), func(t *testing.T) {
			c := newCrowdAt(t, func(cfg *proxy.Config) {
				cfg.Pool.Size, cfg.Pool.AcquireTimeout = 1, timeout
				cfg.Cache.Rules = []cache.Rule{{Cache: cache.Always}}
			})
			learn(t, c.p, pgtest.Query(crowdRead))
			holder := client(t, c.p.addr)
			value(t, holder, "begin")
			value(t, holder, "select v from c.other for share")
			c.p.server.Cache().PurgeAll()
			for i, conn := range c.clients {
				_ = conn.Send(pgtest.Query(crowdRead))
				eventually(t, "they wait", func() bool { return c.p.server.Joining() >= i || timeout < time.Hour })
			}
			if timeout < time.Hour {
				for _, conn := range c.clients {
					c.refused(conn, "53300")
				}
				value(t, holder, "commit")
				return
			}
			value(t, holder, "commit")
			c.expect(c.clients...)
		})
	}
}
