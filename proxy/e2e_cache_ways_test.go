package proxy_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Ways to write that do not look like it. The numbers are those of the traps in
// docs/caching.md.

// cacheTricks is what they need besides cacheWorld.
const cacheTricks = `
	set search_path = c, public;
	create schema if not exists c2; drop table if exists c2.t; create table c2.t (id int primary key, v int); insert into c2.t values (1, 0);
	create function bump_of(int, int) returns int language plpgsql as $$ begin return c.bump(); end $$;
	create operator c.#%# (leftarg = int, rightarg = int, function = bump_of);
	create view writes as select bump() as b;
	create view writes_again as select b from writes;
	create view writes_by_operator as select 1 #%# 2 as b;
	create domain watched_int as int check (c.bump() + value > 0);
	create function length(int) returns int language plpgsql as $$ begin return c.bump(); end $$;
	create function bumped(logged) returns int language plpgsql as $$ begin return c.bump(); end $$;
	create type pair as (a int, b int);
	create function to_pair(int) returns pair language plpgsql as $$ begin return (c.bump(), $1); end $$;
	create cast (int as pair) with function to_pair(int);
	create table defaulted (id int default bump());
	create table checked (id int check (bump() > 0));
	create table guarded (id int); insert into guarded values (1); alter table guarded enable row level security;
	create function bump_for_all() returns int language plpgsql security definer as $$ begin update c.t set v = v + 1 where id = 1; return 1; end $$;
	create policy p on guarded using (c.bump_for_all() = 1);
	drop role if exists guest; create role guest; drop role if exists keeper; create role keeper superuser login; grant usage on schema c to guest; grant select on guarded to guest;
	create function fill() returns trigger language plpgsql as $$ begin update c.t set v = v + 1 where id = 1; return new; end $$`

// cacheHiddenWrites are like cacheWrites; what stands before ;;; is done before the
// cache has the answer.
var cacheHiddenWrites = []struct{ name, read, write string }{
	{"17 trigger of a temporary table", "select v from t where id = 1", "create temp table x (i int); create trigger f before insert on x for each row execute function c.fill();;; insert into x values (1)"},
	{"18 rule of a temporary table", "select v from t where id = 1", "create temp table x (i int); create rule r as on insert to x do also update c.t set v = v + 1;;; insert into x values (1)"},
	{"20 default of a temporary table", "select v from t where id = 1", "create temp table x (i int default c.bump());;; insert into x default values"},
	{"20 temporary view", "select v from t where id = 1", "create temp view x as select c.bump();;; select * from x"},
	{"20 view", "select v from t where id = 1", "select * from writes"},
	{"20 view of a view", "select v from t where id = 1", "select * from writes_again"},
	{"20 view by operator", "select v from t where id = 1", "select * from writes_by_operator"},
	{"20 view in a write", "select v from t where id = 1", "insert into logged select * from writes"},
	{"20 operator", "select v from t where id = 1", "select 1 #%# 2"},
	{"20 operator with schema", "select v from t where id = 1", "select 1 operator(c.#%#) 2"},
	{"20 operator in a write", "select v from t where id = 1", "update other set v = 1 #%# v"},
	{"20 domain", "select v from t where id = 1", "select 5::watched_int"},
	{"20 domain in a write", "select v from t where id = 1", "update other set v = 5::watched_int"},
	{"20 cast", "select v from t where id = 1", "select 5::pair"},
	{"20 name of a built-in function", "select v from t where id = 1", "select length(5)"},
	{"20 attribute", "select v from t where id = 1", "select l.bumped from logged l"},
	{"20 attribute in a write", "select v from t where id = 1", "update other set v = (select max(l.bumped) from logged l)"},
	{"20 default", "select v from t where id = 1", "insert into defaulted default values"},
	{"20 check", "select v from t where id = 1", "insert into checked values (1)"},
	{"20 policy", "select v from t where id = 1", "set role guest;; select * from guarded;; reset role"},
	{"20 argument of EXECUTE", "select v from t where id = 1", "prepare r (int) as select $1;;; execute r (bump());; deallocate r"},
	{"20 cursor that stays", "select v from t where id = 1", "begin;; declare k cursor with hold for select bump();; commit;; close k"},
	{"20 copy of a function", "select v from t where id = 1", "copy (select bump()) to stdout"},
	{"22 create table as execute", "select v from t where id = 1", "prepare w2 as select bump();;; create table made2 as execute w2;; deallocate w2;; drop table made2"},
	{"32 prepared anew in a transaction", "select v from t where id = 1", "prepare w as select 1;;; begin;; deallocate w;; prepare w as update t set v = v + 1 where id = 1;; execute w;; commit;; deallocate w"},
	{"34 too long", "select v from t where id = 1", "select 1; " + strings.Repeat(" ", 1<<20) + "update t set v = v + 1 where id = 1"},
	{"34 too long, and DDL", "select v from t where id = 1", "select 1; " + strings.Repeat(" ", 1<<20) + "drop view if exists seen_again, seen; create view seen as select * from t where id < 5; update t set v = v + 1 where id = 1"},
	{"36 rolled back to a savepoint", "select v from t where id = 1", "begin;; update t set v = v + 1 where id = 1;; savepoint a;; update other set v = 9;; rollback to a;; commit"},
	{"36 commit and chain", "select v from t where id = 1", "begin;; select 1;; commit and chain;; update t set v = v + 1 where id = 1;; commit and chain;; commit"},
	{"55 path for a transaction", "select v from c2.t", "begin;; set local search_path = c2;; update t set v = 77;; commit"},
	{"55 path in a Query", "select v from c2.t", "set search_path = c2; update t set v = v + 1;; reset search_path"},
	{"56 path by set_config", "select v from c2.t", "begin;; select set_config('search_path', 'c2', true);; update t set v = 780;; commit"},
	{"56 path by DO", "select v from c2.t", "do $$ begin perform set_config('search_path', 'c2', false); end $$;; update t set v = v + 1;; reset search_path"},
	{"15 copy from", "select count(*) from t", "copy"},
}

func newTricks(t *testing.T, backend string) {
	t.Helper()
	newCacheWorld(t, backend)
	admin := observer(t, backend)
	if err := admin.Exec(cacheTricks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = admin.Exec("drop schema if exists c2 cascade; drop owned by guest; drop role guest, keeper")
	})
}

func TestCacheHiddenWrites(t *testing.T) {
	backend := plain(t)
	for _, how := range []string{"Query", "Parse", "session"} {
		newTricks(t, backend)
		p := startProxy(t, backend, func(c *proxy.Config) {
			withCache(c)
			mode := pool.ModeSession
			c.Pool.Users = []pool.Override{{Name: "keeper", Mode: &mode}}
		})
		for _, test := range cacheHiddenWrites {
			t.Run(how+"/"+test.name, func(t *testing.T) {
				reader, direct := dial(t, p.addr), dial(t, backend)
				writer := trickster(t, p.addr, how)
				first, write, two := strings.Cut(test.write, ";;; ")
				if two {
					hiddenWrite(t, writer, how, first)
				} else {
					write = first
				}
				before := cached(t, p, reader, test.read)
				for text := range strings.SplitSeq(write, ";; ") {
					hiddenWrite(t, writer, how, text)
				}
				want, got := answerOf(t, direct, test.read), answerOf(t, reader, test.read)
				if got != want {
					t.Errorf("after %.200s\n%s\nis %s, want %s", test.write, test.read, got, want)
				}
				if want == before {
					t.Errorf("%.200s does not change %s: %s", test.write, test.read, want)
				}
			})
		}
	}
}

// trickster is a client that has a backend of its own if how is session.
func trickster(t *testing.T, addr, how string) *pgtest.Conn {
	t.Helper()
	c, err := pgtest.Dial(addr, "trickster", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	user := "postgres"
	if how == "session" {
		user = "keeper"
	}
	if err := c.Start(3<<16, "user", user, "database", "postgres", "search_path", "c,public"); err != nil {
		t.Fatal(err)
	}
	return c
}

// hiddenWrite executes a text by one of the protocols.
func hiddenWrite(t *testing.T, c *pgtest.Conn, how, text string) {
	t.Helper()
	messages := []pgproto3.FrontendMessage{pgtest.Query(text)}
	switch {
	case text == "copy":
		messages = []pgproto3.FrontendMessage{pgtest.Query("copy t (id) from stdin"), &pgproto3.CopyData{Data: []byte("4711\n")}, &pgproto3.CopyDone{}}
	case how == "Parse" && !strings.Contains(text, "; "):
		messages = []pgproto3.FrontendMessage{pgtest.Parse("", text), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync}
	}
	if err := c.Send(messages...); err != nil {
		t.Fatal(err)
	}
	frames, err := c.ReceiveUntil('Z')
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if f.Type == 'E' {
			t.Fatalf("%.200s: %s", text, f.Body)
		}
	}
}
