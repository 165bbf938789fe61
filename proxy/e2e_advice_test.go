package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// habit is something that applications do and an advice is about.
type habit struct {
	kind   string
	once   func(t *testing.T, p *running, c *pgtest.Conn, i int)
	change func(*monitor.Config)
}

func ask(sql string) func(*testing.T, *running, *pgtest.Conn, int) {
	return func(t *testing.T, _ *running, c *pgtest.Conn, i int) {
		if _, err := c.Query(fmt.Sprintf(sql, i)); err != nil {
			t.Fatal(err)
		}
	}
}

var habits = []habit{
	{"idle in transaction", func(t *testing.T, p *running, c *pgtest.Conn, _ int) {
		value(t, c, "begin; select 1")
		if err := observer(t, p.cfg.Backend.URL[len("postgres://"):]).Exec("select pg_sleep(0.05)"); err != nil { // the client is busy elsewhere
			t.Fatal(err)
		}
		value(t, c, "commit")
	}, nil},
	{"chatty transactions", func(t *testing.T, _ *running, c *pgtest.Conn, _ int) {
		value(t, c, "begin")
		for range 12 {
			value(t, c, "select 1")
		}
		value(t, c, "commit")
	}, func(c *monitor.Config) { c.Advice.TransactionExchanges = 10 }},
	{"connection churn", func(t *testing.T, p *running, _ *pgtest.Conn, _ int) { client(t, p.addr).Close() }, nil},
	{"prepared churn", func(t *testing.T, _ *running, c *pgtest.Conn, i int) {
		if err := c.Send(pgtest.Parse(fmt.Sprint("s", i), fmt.Sprint("select 1 as a", i)), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
	}, nil},
	{"wide rows", ask("select t.*, %d from (select repeat('x', 3000)) t"), nil},
	{"literals", ask("select * from pg_class where oid = %d"), nil},
	{"conflicts", ask("do $$ begin raise sqlstate '40001'; end $$ -- %d"), nil},
	{"conflict storm", func(t *testing.T, p *running, c *pgtest.Conn, i int) {
		other := observer(t, p.cfg.Backend.URL[len("postgres://"):])
		if i == 0 {
			t.Cleanup(func() { _ = other.Exec("drop table storm") })
		}
		value(t, c, "begin isolation level repeatable read; select count(*) from pg_class")
		if err := other.Exec("create table if not exists storm (n int); insert into storm select 0 where not exists (select from storm); update storm set n = n + 1"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Query("update storm set n = n + 2"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Query("rollback"); err != nil {
			t.Fatal(err)
		}
	}, func(c *monitor.Config) { c.Advice.StormConflicts, c.Advice.Cases = 5, 100 }},
	{"long advisory locks", func(t *testing.T, _ *running, c *pgtest.Conn, i int) {
		value(t, c, "select pg_advisory_lock(4711)")
		if i >= 3 {
			value(t, c, "select pg_sleep(0.3)")
		}
		value(t, c, "select pg_advisory_unlock(4711)")
		value(t, c, "select 1")
	}, func(c *monitor.Config) { c.Advice.LockSeconds = 0.3 }},
	{"unbounded", ask("select a, %d from generate_series(1, 20) a"), func(c *monitor.Config) { c.Advice.Rows = 20 }},
}

// Each is told of when it has been seen often enough, and not before.
func TestAdviceOnHabits(t *testing.T) {
	backend := plain(t)
	for _, h := range habits {
		t.Run(h.kind, func(t *testing.T) {
			p := startHabit(t, backend, h)
			c := client(t, p.addr)
			told := func() (lines []string) {
				for _, a := range p.mon.Advice() {
					if string(a.Kind) == h.kind {
						lines = append(lines, fmt.Sprintf("%s.%s: %s", a.Database, a.User, a.Why))
					}
				}
				return lines
			}
			for i := range 3 {
				h.once(t, p, c, i)
			}
			if list := told(); len(list) > 0 && h.kind != "unbounded" {
				t.Errorf("too early: %v", list)
			}
			for i := range 7 {
				h.once(t, p, c, 3+i)
			}
			eventually(t, "the advice", func() bool { return len(told()) > 0 })
			if line := told()[0]; !strings.HasPrefix(line, "postgres.postgres: ") || !strings.Contains(line, "; ") {
				t.Errorf("it says %s", line)
			}
			if rows := consoleRows(t, consoleConn(t, p), "show advice"); row(rows, "kind", h.kind) == nil {
				t.Errorf("the console does not show it: %v", rows)
			}
		})
	}
}

func startHabit(t *testing.T, backend string, h habit) *running {
	watched := monitor.DefaultConfig()
	watched.Explain, watched.Advice.Cases = "off", 6
	if h.change != nil {
		h.change(&watched)
	}
	return startObserved(t, backend, proxy.NewServer, watched, func(c *proxy.Config) {
		if h.kind == "prepared churn" {
			c.Pool.Size, c.Pool.MaxPreparedStatements = 1, 1
		}
	})
}

// What is done well is not told of.
func TestNoAdviceOnHabits(t *testing.T) {
	p := startHabit(t, plain(t), habit{change: func(c *monitor.Config) { c.Advice.Rows = 20 }})
	c := client(t, p.addr)
	for i := range 40 {
		ask("select a, %d from generate_series(1, 30) a limit 25")(t, p, c, i)
		ask("select count(*), %d from (select repeat('x', 3000)) t")(t, p, c, i)
		value(t, c, "begin")
		value(t, c, "select pg_sleep(0.01)")
		value(t, c, "commit")
	}
	for _, a := range p.mon.Advice() {
		if a.Kind != "literals" {
			t.Errorf("it says %+v", a)
		}
	}
}
