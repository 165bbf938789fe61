package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// turn is what a client sends in one write, or what somebody else does to the
// schema meanwhile.
type turn struct {
	messages []pgproto3.FrontendMessage
	ddl      string
}

func asks(sql string) turn { return turn{messages: []pgproto3.FrontendMessage{pgtest.Query(sql)}} }

func sends(m ...pgproto3.FrontendMessage) turn { return turn{messages: append(m, pgtest.Sync)} }

func turns(sql ...string) (all []turn) {
	for _, text := range sql {
		all = append(all, asks(text))
	}
	return all
}

// shows tells all that can be seen of prepared statements.
const shows = "select name, statement, from_sql, parameter_types from pg_prepared_statements order by name"

var executes = []pgproto3.FrontendMessage{pgtest.Bind("", "p"), pgtest.DescribePortal(""), pgtest.Execute("", 0)}

// preparedConversations are about statements that SQL prepares.
var preparedConversations = []struct {
	name  string
	turns []turn
	pins  bool // from the first turn on
}{
	{name: "PREPARE, EXECUTE, DEALLOCATE", turns: turns("prepare p as select 'mine'", "execute p", "execute p", shows, "deallocate p", "execute p", "deallocate p")},
	{name: "parameters", turns: turns("prepare p (int, text) as select $1 + 1, $2 || '!'", "execute p(1, 'a')", "execute p('2', 3)", "execute p(1)", "execute p(1, 2, 3)", shows)},
	{name: "name that is taken", turns: turns("prepare p as select 1", "prepare p as select 2", "execute p", "deallocate p", "prepare p as select 3", "execute p")},
	{name: "names to quote", turns: turns(`prepare "P ""x""" as select 1`, `execute "P ""x"""`, `execute p`, shows, `deallocate prepare "P ""x"""`, shows)},
	{name: "comments around", turns: turns("/* a */ prepare p /* b */ as select 1 -- c", "execute p", shows)},
	{name: "several", turns: turns("prepare p as select 1", "prepare r as select 2", "prepare q as select 3", "execute q", "deallocate r", shows, "deallocate all", shows)},
	{name: "several in one text", pins: true, turns: turns("prepare p as select 1; prepare q as select 2", "execute p", shows, "deallocate p", "execute q", "deallocate q", shows)},
	{name: "with EXECUTE in one text", pins: true, turns: turns("prepare p as select 1; execute p", shows, "deallocate p; execute p")},
	{name: "EXPLAIN and CREATE TABLE AS", turns: turns("prepare p as select 7 as n", "explain (costs off) execute p", "create table prepared_made as execute p", "select * from prepared_made", "drop table prepared_made", "execute p")},
	{name: "INSERT", turns: turns("prepare p as insert into prepared_sink values ($1) returning a", "execute p(1)", "begin", "execute p(2)", "rollback", "execute p(3)", "select a from prepared_sink", "truncate prepared_sink")},
	{name: "in a transaction that is rolled back", turns: turns("begin", "prepare p as select 1", "rollback", "execute p", shows, "begin", "deallocate p", "rollback", "execute p", shows)},
	{name: "after a savepoint", turns: turns("begin", "savepoint s", "prepare p as select 1", "rollback to s", "execute p", "commit", "execute p")},
	{name: "used in transactions", turns: turns("prepare p as select 1", "begin", "execute p", "commit", "begin; select 1", "execute p", "select 1/0", "execute p", "rollback", "execute p")},
	{name: "errors before", turns: turns("prepare p as select 1", "begin", "select 1/0", "execute p", "prepare p as select 2", "deallocate p", "rollback", "execute p", shows)},
	{name: "errors in it", turns: turns("prepare p as selec", "execute p", "prepare p as select nothing", "execute p", "prepare p as select 1/$1::int", "execute p(0)", "execute p(1)")},
	{name: "isolation level after it", turns: turns("prepare p as select 1", "begin", "set transaction isolation level serializable", "execute p", "commit")},
	{name: "DISCARD", turns: turns("prepare p as select 1", "discard plans", "execute p", "discard all", "execute p", shows)},
	{name: "DISCARD ALL in a pipeline", turns: []turn{asks("prepare p as select 1"), sends(pgtest.Parse("", "begin"), pgtest.Parse("", "discard all"), pgtest.Bind("", ""), pgtest.Execute("", 0)), asks("execute p")}},
	{name: "search_path", turns: turns("prepare p as select * from prepared_here", "execute p", "set search_path = prepared_b", "execute p", "set search_path = prepared_c", "execute p", "reset search_path", "execute p")},
	{name: "role", turns: turns("prepare p as select current_user", "execute p", "set role prepared_user", "execute p", "reset role", "execute p")},
	{name: "settings that mean something", pins: true, turns: turns("prepare p as select date '01/02/2024'", "set datestyle = 'ISO, DMY'", "execute p", "prepare q as select date '01/02/2024'", "execute q", "reset datestyle", "execute p", "execute q", shows)},
	{name: "by DO", turns: turns("do $$ begin execute 'prepare p as select 1'; end $$", "execute p", shows, "do $$ begin execute 'deallocate p'; end $$", shows)},
	{name: "by a function", turns: turns("select prepared_run('prepare p (int) as select $1')", "execute p(4)", "select prepared_run('execute p(4)')", "select prepared_run('prepare p as select 1')", "select prepared_run('deallocate p')", "execute p(4)", shows)},
	{name: "executes what changes settings", turns: turns("prepare p as select set_config('work_mem', '7MB', false)", "execute p", "show work_mem", "reset work_mem", "show work_mem")},
	{name: "Bind of it", turns: []turn{asks("prepare p as select 'mine' as who"), sends(executes...), sends(pgtest.DescribeStatement("p")), sends(executes...), sends(pgtest.CloseStatement("p")), sends(executes...), asks(shows)}},
	{name: "Bind of what changes settings", turns: []turn{asks("prepare p as select set_config('work_mem', '7MB', false)"), sends(executes...), asks("show work_mem")}},
	{name: "closed elsewhere", turns: []turn{asks("prepare p as select 'mine' as who"), sends(pgtest.CloseStatement("p")), asks("execute p"), asks(shows)}},
	{name: "closed and made elsewhere", turns: []turn{asks("prepare p as select 'mine' as who"), sends(pgtest.CloseStatement("p"), pgtest.Parse("q", "select 1")), asks("execute q"), asks("execute p"), asks(shows)}},
	{name: "Parse of its name", turns: []turn{asks("prepare p as select 'mine' as who"), sends(pgtest.Parse("p", "select 2")), asks("execute p"), sends(pgtest.CloseStatement("p"), pgtest.Parse("p", "select 3")), asks("execute p"), sends(executes...), asks(shows)}},
	{name: "EXECUTE of what Parse made", turns: []turn{sends(pgtest.Parse("p", "select $1::int + 1")), asks("execute p(1)"), asks(shows), sends(pgtest.Bind("", "p", "2"), pgtest.Execute("", 0)), asks("prepare p as select 1"), asks("execute p(3)"), asks("deallocate p"), sends(executes...)}},
	{name: "EXECUTE in code of what Parse made", turns: []turn{sends(pgtest.Parse("p", "select 10 / $1::int")), asks("do $$ begin execute 'execute p(1)'; end $$"), asks("do $$ begin execute 'execute p(0)'; end $$"), asks("select prepared_calls()"),
		sends(pgtest.Parse("call", "select prepared_calls()")), sends(pgtest.Bind("", "call"), pgtest.Execute("", 0)), asks("select prepared_run('execute p(2)')"), sends(pgtest.Bind("", "p", "5"), pgtest.Execute("", 0)),
		asks("do $$ begin execute 'deallocate p'; end $$"), sends(pgtest.Bind("", "p", "5"), pgtest.Execute("", 0)), asks("select prepared_calls()"), asks("do $$ begin execute 'prepare p (int) as select 7'; end $$"), sends(pgtest.Bind("", "p", "5"), pgtest.Execute("", 0))}},
	{name: "both kinds", turns: []turn{asks("prepare p as select 'sql' as t"), sends(pgtest.Parse("q", "select 'parse' as t")), sends(pgtest.Bind("", "q"), pgtest.Execute("", 0)), asks("execute p"), sends(pgtest.Bind("", "q"), pgtest.Execute("", 0)), asks("execute q"), asks(shows), asks("deallocate p"), asks("execute q"), sends(pgtest.Bind("", "q"), pgtest.Execute("", 0)), asks(shows)}},
	{name: "PREPARE and EXECUTE that are prepared", turns: []turn{
		sends(pgtest.Parse("make", "prepare p as select 9 as n"), pgtest.Parse("run", "execute p")), sends(pgtest.Bind("", "run"), pgtest.Execute("", 0)),
		sends(pgtest.Bind("", "make"), pgtest.Execute("", 0)), sends(pgtest.Bind("", "run"), pgtest.Execute("", 0)),
		sends(pgtest.Bind("", "run"), pgtest.DescribePortal(""), pgtest.Execute("", 0)), asks(shows), sends(pgtest.Bind("", "make"), pgtest.Execute("", 0)), asks("deallocate all"),
		sends(pgtest.Bind("", "run"), pgtest.Execute("", 0))}},
	{name: "pipelines", turns: []turn{asks("prepare p as select 'mine' as who"),
		sends(append(append([]pgproto3.FrontendMessage{pgtest.Parse("", "select 1"), pgtest.Bind("", ""), pgtest.Execute("", 0)}, executes...), pgtest.CloseStatement("p"))...),
		sends(append([]pgproto3.FrontendMessage{pgtest.Parse("", "prepare p as select 'new' as who"), pgtest.Bind("", ""), pgtest.Execute("", 0)}, executes...)...),
		sends(append([]pgproto3.FrontendMessage{pgtest.Parse("", "selec")}, executes...)...), sends(executes...),
		{messages: []pgproto3.FrontendMessage{pgtest.Query("deallocate p"), pgtest.Bind("", "p"), pgtest.Sync, pgtest.Query("prepare p as select 3"), pgtest.Bind("", "p"), pgtest.Execute("", 0), pgtest.Sync}}, asks(shows)}},
	{name: "portals stay open", turns: []turn{asks("prepare p as select 7"), asks("begin"),
		sends(pgtest.Parse("", "select generate_series(1, 5)"), pgtest.Bind("c", ""), pgtest.Execute("c", 2)), sends(pgtest.Parse("", "execute p"), pgtest.Bind("", ""), pgtest.Execute("", 0)),
		sends(pgtest.Execute("c", 2)), asks("commit")}},
	{name: "in a failed transaction by Bind", turns: []turn{asks("prepare p as select $1::int"), asks("begin"), asks("select 1/0"), sends(pgtest.Bind("", "p", "1")), sends(pgtest.Bind("", "p")), sends(pgtest.DescribeStatement("p")), asks("rollback"), sends(pgtest.Bind("", "p", "1"), pgtest.Execute("", 0))}},
	{name: "at the end of a failed transaction", turns: turns("prepare p as select 'mine'", "begin isolation level serializable", "select 1/0", "rollback; execute p", "select 'away'", "begin", "savepoint \"S s\"", "select 1/0", "rollback to nothing; execute p",
		"rollback to \"S s\"; execute p", "select 1/0", "commit; prepare p as select 2", "execute p", "begin read only", "select 1/0", "rollback and chain; execute p; show transaction_read_only", "rollback")},
	{name: "gone at the end of a failed transaction", turns: []turn{asks("prepare p as select a from prepared_gone"), {ddl: "drop table prepared_gone"}, asks("begin"), asks("select 1/0"), asks("rollback; execute p"), asks("execute p")}},
	{name: "long", turns: turns("prepare p as select '"+strings.Repeat("x", 20000)+"'", "execute p", shows)},
	{name: "too long", pins: true, turns: turns("prepare p as select '"+strings.Repeat("x", 40000)+"'", "execute p", shows)},
	{name: "table that is gone", turns: []turn{asks("prepare p as select a from prepared_gone where a = $1"), asks("prepare q as select 'q'"), asks("execute p(1)"), {ddl: "drop table prepared_gone"},
		asks("execute p(1)"), asks("explain execute p(1)"), asks("execute q"), asks("begin"), asks("execute q"), asks("execute p(1)"), asks("rollback"),
		sends(pgtest.Bind("", "p", "1"), pgtest.Execute("", 0)), asks("execute q; execute p(1)"), asks("prepare p as select 1"),
		{ddl: "create table prepared_gone as select 1 as a"}, asks("execute p(1)"), asks("deallocate p"), asks("execute p(1)"), asks(shows)}},
	{name: "rows that have changed", turns: []turn{asks("prepare p as select * from prepared_gone where a = $1"), {ddl: "alter table prepared_gone add b int"}, asks("execute p(1)"), asks("explain execute p(1)"), asks("begin"), asks("execute p(1)"), asks("rollback"),
		sends(pgtest.Bind("", "p", "1"), pgtest.Execute("", 0)), sends(pgtest.DescribeStatement("p")), asks("execute p(1)"), asks("prepare p as select 1"), {ddl: "alter table prepared_gone drop b"}, asks("execute p(1)"), asks("execute p(1)"), asks(shows)}},
	{name: "rows of a parsed one that have changed", turns: []turn{asks("prepare q as select 'q'"), sends(pgtest.Parse("p", "select * from prepared_gone")), {ddl: "alter table prepared_gone add b int"}, asks("execute p"), asks("execute p"), asks("execute q")}},
	{name: "columns of what writes", turns: []turn{asks("prepare p as insert into prepared_sink values ($1)"), {ddl: "alter table prepared_sink add b int"}, asks("execute p(1)"), asks("select * from prepared_sink"), {ddl: "drop table prepared_sink; create table prepared_sink (a int)"}}},
	{name: "Describe of what is gone", turns: []turn{asks("prepare p as select a from prepared_gone where a = $1"), asks("prepare r as insert into prepared_gone values ($1)"), {ddl: "drop table prepared_gone"},
		sends(pgtest.DescribeStatement("p")), sends(pgtest.DescribeStatement("r")), sends(pgtest.DescribeStatement("r"), pgtest.DescribeStatement("p"), pgtest.Bind("", "r", "1")),
		sends(pgtest.DescribeStatement("r"), pgtest.Bind("", "r", "1"), pgtest.Execute("", 0)), {messages: []pgproto3.FrontendMessage{pgtest.Parse("x", "select 1"), pgtest.DescribeStatement("p"), pgtest.Sync, pgtest.DescribeStatement("r"), pgtest.Sync}}, asks("execute r(1)")}},
	{name: "table of a parsed one that is gone", turns: []turn{asks("prepare q as select 'q'"), sends(pgtest.Parse("p", "select a from prepared_gone")), {ddl: "drop table prepared_gone"}, asks("begin"), asks("execute q"), asks("execute p"), asks("rollback"), asks("execute q"),
		{ddl: "create table prepared_gone as select 1 as a"}, asks("execute p")}},
	{name: "table that is gone when a pipeline names it", turns: []turn{asks("prepare p as select a from prepared_gone"), {ddl: "drop table prepared_gone"},
		{messages: []pgproto3.FrontendMessage{pgtest.Parse("q", "select 'q'"), pgtest.Parse("", "execute p"), pgtest.Sync, pgtest.Bind("", "q"), pgtest.Execute("", 0), pgtest.Sync}},
		sends(pgtest.Bind("", "q"), pgtest.Execute("", 0)), sends(pgtest.CloseStatement("q")), asks("begin"),
		{messages: []pgproto3.FrontendMessage{pgtest.Parse("q", "select 'q'"), pgtest.Parse("", "execute p"), pgtest.Sync, pgtest.Bind("", "q"), pgtest.Execute("", 0), pgtest.Sync}},
		asks("commit"), sends(pgtest.Parse("r", "execute p"), pgtest.Bind("", "r"), pgtest.Execute("", 0)), asks("execute p"), asks("execute q")}},
}

const preparedFixture = `
drop schema if exists prepared_b cascade; drop schema if exists prepared_c cascade; drop table if exists prepared_gone, prepared_made, prepared_here, prepared_sink;
drop role if exists prepared_user; create role prepared_user;
create schema prepared_b; create schema prepared_c; create table prepared_sink (a int);
create table prepared_here as select 1 as n; create table prepared_b.prepared_here as select 2 as n; create table prepared_gone as select 1 as a;
create or replace function prepared_run(command text) returns void language plpgsql as $$ begin execute command; end $$;
create or replace function prepared_calls() returns void language plpgsql as $$ begin execute 'execute p(3)'; end $$`

// What SQL prepares is there for its client on whatever backend it works, and for
// nobody else; the client cannot tell that from a connection of its own.
func TestPreparedStatementsFollowTheClient(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	one := startProxy(t, backend, onlyOne)
	two := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size, c.Pool.Overflow = 2, 0 })
	for _, script := range preparedConversations {
		t.Run(script.name, func(t *testing.T) {
			want := converseInTurns(t, admin, backend, script.turns, nil)
			if !script.pins {
				t.Run("one backend", func(t *testing.T) {
					rival := newRival(t, one.addr)
					sameTurns(t, script.turns, want, converseInTurns(t, admin, one.addr, script.turns, rival.interfere))
				})
			}
			t.Run("two backends", func(t *testing.T) {
				var crowd crowd
				sameTurns(t, script.turns, want, converseInTurns(t, admin, two.addr, script.turns, func(t *testing.T, c *pgtest.Conn, i int) {
					if !script.pins {
						crowd.push(t, two.addr, c, i)
					}
				}))
				crowd.leave()
			})
		})
	}
}

// converseInTurns returns the replies of each turn. between is called between
// transactions.
func converseInTurns(t *testing.T, admin *pgtest.Admin, addr string, turns []turn, between func(*testing.T, *pgtest.Conn, int)) (replies []string) {
	t.Helper()
	if err := admin.Exec(preparedFixture); err != nil {
		t.Fatal(err)
	}
	c := client(t, addr)
	defer c.Close()
	for i, turn := range turns {
		if turn.ddl != "" {
			if err := admin.Exec(turn.ddl); err != nil {
				t.Fatal(err)
			}
			replies = append(replies, "")
			continue
		}
		var reply strings.Builder
		var status byte
		if err := c.Send(turn.messages...); err != nil {
			t.Fatal(err)
		}
		for range endsOf(turn.messages) {
			frames, err := c.ReceiveUntil('Z')
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range frames {
				if f.Type != 'S' && f.Type != 'T' && f.ErrorCode() != "25P02" && f.ErrorCode() != "0A000" {
					fmt.Fprintf(&reply, "%c %q\n", f.Type, f.Body)
				} else if f.Type != 'S' {
					fmt.Fprintln(&reply, f)
				}
			}
			status = frames[len(frames)-1].Body[0]
		}
		replies = append(replies, reply.String())
		if status == 'I' && between != nil {
			between(t, c, i)
		}
	}
	return replies
}

func sameTurns(t *testing.T, turns []turn, want, got []string) {
	t.Helper()
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("turn %d, %v:\n got %s\nwant %s", i, turns[i], got[i], want[i])
		}
	}
}

// rival is another client, which has other statements with the same names.
type rival struct{ c *pgtest.Conn }

func newRival(t *testing.T, addr string) *rival { return &rival{client(t, addr)} }

// interfere uses the backend. What it finds there is its own.
func (r *rival) interfere(t *testing.T, _ *pgtest.Conn, i int) {
	t.Helper()
	want := []string{"p 'rival'", "", "p 'rival'", "p 'parsed'"}[i%4]
	switch i % 4 {
	case 0:
		_, _ = r.c.Query("deallocate all")
		if _, err := r.c.Query("prepare p as select 'rival'"); err != nil {
			t.Fatal(err)
		}
	case 1:
		_, _ = r.c.Query("deallocate p")
	case 2:
		if _, err := r.c.Query("do $$ begin execute 'deallocate all'; execute 'prepare p as select ''rival'''; end $$"); err != nil {
			t.Fatal(err)
		}
	case 3:
		if err := r.c.Send(pgtest.CloseStatement("p"), pgtest.Parse("p", "select 'parsed'"), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		if _, err := r.c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
	}
	found := value(t, r.c, "select coalesce(string_agg(name || ' ' || substring(statement from '''.*'''), ','), '') from pg_prepared_statements")
	if found != want && strings.ReplaceAll(found, "''", "'") != want {
		t.Errorf("the rival finds %q, not %q", found, want)
	}
}

// crowd makes a client work on one of two backends and on the other in turns.
type crowd struct{ blocker, other *pgtest.Conn }

func (c *crowd) push(t *testing.T, addr string, from *pgtest.Conn, i int) {
	t.Helper()
	if c.blocker == nil {
		c.blocker, c.other = client(t, addr), client(t, addr)
	}
	query := func(on *pgtest.Conn, sql string) {
		if _, err := on.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	if i%2 == 1 {
		query(c.blocker, "commit")
		return
	}
	query(c.blocker, "begin")
	query(c.other, "begin")
	if askPID(t, c.blocker) != pidOf(from) {
		c.blocker, c.other = c.other, c.blocker
	}
	if askPID(t, c.blocker) != pidOf(from) {
		t.Error("nobody has the client's home")
	}
	query(c.other, "commit")
}

func (c *crowd) leave() {
	if c.blocker != nil {
		c.blocker.Close()
		c.other.Close()
	}
}

// Only what could not be repeated on another backend pins, as long as it is there;
// and executing what leaves nothing is not asked about.
func TestPreparedStatementsThatPin(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	for name, tt := range map[string]struct {
		turns []string
		pins  float64
	}{
		"alone":                          {[]string{"prepare p as select 1", "execute p"}, 0},
		"with another":                   {[]string{"prepare p as select 1; select 2"}, 1},
		"too long":                       {[]string{"prepare p as select '" + strings.Repeat("x", 40000) + "'"}, 1},
		"before its meaning has changed": {[]string{"prepare p as select date '01/02/2024'", "set datestyle = 'ISO, DMY'"}, 1},
		"before something else has":      {[]string{"prepare p as select 1", "set work_mem = '5MB'"}, 0},
		"after its meaning has changed":  {[]string{"set datestyle = 'ISO, DMY'", "prepare p as select date '01/02/2024'"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, p.addr)
			query := func(sql string, pins float64) {
				if _, err := c.Query(sql); err != nil {
					t.Fatal(err)
				}
				expectMetric(t, p, `pinned_sessions{reason="prepared"}`, pins)
			}
			for i, sql := range tt.turns {
				if i == len(tt.turns)-1 {
					query(sql, tt.pins)
				} else {
					query(sql, 0)
				}
			}
			before := p.scrape(t)[sortLabels(`pins_total{reason="prepared"}`)]
			query("execute p", tt.pins)
			expectMetric(t, p, `pins_total{reason="prepared"}`, before)
			query("deallocate p", 0)
		})
	}
}
