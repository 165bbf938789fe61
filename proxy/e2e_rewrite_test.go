package proxy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// withRewrites lets a proxy rewrite what pays.
func withRewrites(c *proxy.Config) { c.Rewrite = rewrite.Config{Mode: rewrite.ModeOn} }

// rewriteWorld has a table on which NULLS LAST costs much.
const rewriteWorld = `
	drop schema if exists r cascade; create schema r; set search_path = r, public;
	create table t (id int not null, n int, s text); insert into t select i, i % 7, 's' || i from generate_series(1, 20000) i;
	create index on t (id); analyze t`

func newRewriteWorld(t *testing.T, backend string) {
	t.Helper()
	admin := observer(t, backend)
	if err := admin.Exec(rewriteWorld); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Exec("drop schema if exists r cascade") })
}

// dialIn connects with this search path.
func dialIn(t *testing.T, addr, params string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/postgres?sslmode=disable&search_path=r,public"+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// uses is how often statements were rewritten.
func uses(p *running) (n uint64) {
	for _, st := range p.server.Rewrites() {
		n += st.Used
	}
	return n
}

// rewritten runs something until it is rewritten.
func rewritten(t *testing.T, p *running, run func()) {
	t.Helper()
	before := uses(p)
	eventually(t, "it is rewritten", func() bool {
		run()
		return uses(p) > before
	})
}

// neverRewritten runs something often, and fails the test if it is rewritten.
func neverRewritten(t *testing.T, p *running, what string, run func()) {
	t.Helper()
	before := uses(p)
	for range 40 {
		run()
	}
	if uses(p) != before {
		t.Errorf("%s: it was rewritten", what)
	}
}

const deepFirst = "select id, s from t order by id desc nulls last limit 3"

func params(t *testing.T, conn *pgconn.PgConn, sql string, values ...string) string {
	t.Helper()
	var bound [][]byte
	for _, v := range values {
		bound = append(bound, []byte(v))
	}
	r := conn.ExecParams(context.Background(), sql, bound, nil, nil, nil).Read()
	if r.Err != nil {
		return r.Err.Error()
	}
	var out strings.Builder
	for _, row := range r.Rows {
		for _, v := range row {
			out.Write(v)
			out.WriteByte(' ')
		}
	}
	return out.String()
}

func TestRewriteQuery(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn, direct := dialIn(t, p.addr, ""), dialIn(t, backend, "")
	rewritten(t, p, func() {
		if got, want := answerOf(t, conn, deepFirst), answerOf(t, direct, deepFirst); got != want {
			t.Fatalf("it is %s, want %s", got, want)
		}
	})
	// Another literal of the same shape, at once.
	before := uses(p)
	other := "select id, s from t order by id desc nulls last limit 7"
	if got, want := answerOf(t, conn, other), answerOf(t, direct, other); got != want || uses(p) != before+1 {
		t.Errorf("with another literal: %s, want %s; used %d times", got, want, uses(p)-before)
	}
	if why := p.server.Rewrites()[0]; why.State != rewrite.On || !strings.Contains(why.Why, "times as cheap") {
		t.Errorf("it is %+v", why)
	}
	expectMetric(t, p, `rewrites_total{rule="nulls_order"}`, float64(uses(p)))
}

func TestRewriteExtended(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn, direct := dialIn(t, p.addr, ""), dialIn(t, backend, "")
	const sql = "select id, s from t where id > $1 order by id desc nulls last limit $2"
	want := params(t, direct, sql, "100", "4")
	rewritten(t, p, func() {
		if got := params(t, conn, sql, "100", "4"); got != want {
			t.Fatalf("it is %s, want %s", got, want)
		}
	})
	// A statement with a name that was prepared before.
	ctx := context.Background()
	if _, err := conn.Prepare(ctx, "named", sql, nil); err != nil {
		t.Fatal(err)
	}
	rewritten(t, p, func() {
		r := conn.ExecPrepared(ctx, "named", [][]byte{[]byte("100"), []byte("4")}, nil, nil).Read()
		if r.Err != nil || len(r.Rows) != 4 || string(r.Rows[0][0]) != "20000" {
			t.Fatalf("it is %q, %v", r.Rows, r.Err)
		}
	})
	_, err := conn.Prepare(ctx, "named", sql, nil)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "42P05" || !strings.Contains(refused.Message, `"named"`) {
		t.Errorf("a name that is taken: %v", err)
	}
}

// Each of these keeps a statement as it is.
func TestRewriteSwitches(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	_ = observer(t, backend).Exec("create role nobody")
	rule := func(s rewrite.Switch) func(*rewrite.Config) {
		s.Mode = rewrite.ModeOff
		return func(c *rewrite.Config) { c.Rules = append(c.Rules, s) }
	}
	for _, test := range []struct {
		name, params, first, text string
		change                    func(*rewrite.Config)
	}{
		{name: "mode", change: func(c *rewrite.Config) { c.Mode = rewrite.ModeOff }},
		{name: "shadow", change: func(c *rewrite.Config) { c.Mode = rewrite.ModeShadow }},
		{name: "rule", change: rule(rewrite.Switch{Names: []string{"nulls_order"}})},
		{name: "user", change: rule(rewrite.Switch{Users: []string{"postgres"}})},
		{name: "database", change: rule(rewrite.Switch{Databases: []string{"postgres"}})},
		{name: "hint", text: "/* pgjay: rewrite=off */ " + deepFirst},
		{name: "set", first: "set pgjay.rewrite = off"},
		{name: "start-up", params: "&options=-c%20pgjay.rewrite%3Doff"},
		{name: "encoding", params: "&client_encoding=LATIN1"},
		{name: "strings", first: "set standard_conforming_strings = off"},
		{name: "temporary table", first: "create temp table t (id int, s text)"},
		{name: "several statements", text: "select 1; " + deepFirst},
		{name: "lock", text: deepFirst + " for update"},
		{name: "explain", text: "explain " + deepFirst},
		{name: "declare", first: "begin", text: "declare c cursor for " + deepFirst + "; close c"},
		{name: "repeatable read", first: "begin isolation level repeatable read"},
		{name: "default isolation", params: "&default_transaction_isolation=serializable"},
		{name: "set local", first: "begin;; set local search_path = public, r"},
		{name: "own definition", first: "begin;; alter table t alter id drop not null"},
		{name: "volatile", text: "select id, random() from t order by id desc nulls last limit 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) {
				withRewrites(c)
				if test.change != nil {
					test.change(&c.Rewrite)
				}
			})
			if test.change == nil { // it is known, and others have it
				usual := dialIn(t, p.addr, "")
				rewritten(t, p, func() { answerOf(t, usual, deepFirst) })
			}
			conn := dialIn(t, p.addr, test.params)
			if test.first != "" {
				for text := range strings.SplitSeq(test.first, ";; ") {
					answerOf(t, conn, text)
				}
			}
			text := test.text
			if text == "" {
				text = deepFirst
			}
			if test.name == "temporary table" { // which is a change of the schema
				usual := dialIn(t, p.addr, "")
				rewritten(t, p, func() { answerOf(t, usual, deepFirst) })
			}
			neverRewritten(t, p, test.name, func() {
				if got := answerOf(t, conn, text); strings.Contains(got, "SQLSTATE") && test.name != "declare" {
					t.Fatal(got)
				}
			})
		})
	}
}

// In a transaction: what does no harm, and what the transaction has changed.
func TestRewriteTransactions(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn := dialIn(t, p.addr, "")
	for _, first := range []string{"begin", "begin;; select 1", "begin;; insert into t values (20001, 1, 's')", "begin read only"} {
		for text := range strings.SplitSeq(first, ";; ") {
			answerOf(t, conn, text)
		}
		want := "20000"
		if strings.Contains(first, "insert") {
			want = "20001"
		}
		rewritten(t, p, func() {
			if got := answerOf(t, conn, deepFirst); !strings.Contains(got, want) {
				t.Fatalf("after %s it is %s", first, got)
			}
		})
		answerOf(t, conn, "rollback")
	}
}

// 30: a change of the schema, through the proxy and beside it.
func TestRewriteSchemaChange(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn, other, direct := dialIn(t, p.addr, ""), dialIn(t, p.addr, ""), dialIn(t, backend, "")
	ctx := context.Background()
	if _, err := conn.Prepare(ctx, "named", deepFirst, nil); err != nil {
		t.Fatal(err)
	}
	first := func() string {
		r := conn.ExecPrepared(ctx, "named", nil, nil, nil).Read()
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return string(r.Rows[0][0])
	}
	rewritten(t, p, func() { answerOf(t, conn, deepFirst) })
	rewritten(t, p, func() { first() })
	answerOf(t, other, "alter table t alter id drop not null")
	answerOf(t, other, "insert into t values (null, 0, 'none')")
	if got := answerOf(t, conn, deepFirst); !strings.Contains(got, `["20000"`) {
		t.Errorf("it is %s", got)
	}
	if got := first(); got != "20000" {
		t.Errorf("the prepared statement has %q", got)
	}
	answerOf(t, other, "delete from t where id is null; alter table t alter id set not null")
	rewritten(t, p, func() { answerOf(t, conn, deepFirst) })
	rewritten(t, p, func() { first() })
	answerOf(t, direct, "alter table t alter id drop not null")
	eventually(t, "the change is seen", func() bool {
		steps, _, err := p.server.ExplainRewrite(ctx, "postgres", "postgres", "select id from r.t order by id desc nulls last limit 3")
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(steps, func(st rewrite.Step) bool { return st.Text != "" })
	})
	answerOf(t, direct, "insert into t values (null, 0, 'none')")
	if got := first(); got != "20000" {
		t.Errorf("the prepared statement has %q", got)
	}
}

// The cache and rewriting together: the key is the client's text.
func TestRewriteAndCache(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { withCache(c); withRewrites(c) })
	conn := dialIn(t, p.addr, "")
	answerOf(t, conn, "select 1")
	answer := ""
	rewritten(t, p, func() {
		answerOf(t, conn, "update t set n = n where id = 1")
		answer = answerOf(t, conn, deepFirst)
	})
	if got := cached(t, p, conn, deepFirst); got != answer {
		t.Errorf("the cache has %s, want %s", got, answer)
	}
	answerOf(t, conn, "insert into t values (30000, 0, 'new')")
	if got := answerOf(t, conn, deepFirst); !strings.Contains(got, "30000") {
		t.Errorf("after a write it is %s", got)
	}
}

func TestConsoleRewrites(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn := dialIn(t, p.addr, "")
	rewritten(t, p, func() { answerOf(t, conn, deepFirst) })
	console, err := pgconn.Connect(context.Background(), "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close(context.Background())
	if got := answerOf(t, console, "show rewrites"); !strings.Contains(got, `"nulls_order" "select id, s from t order by id desc nulls last limit $1" "postgres" "postgres" "on"`) {
		t.Errorf("SHOW REWRITES is %s", got)
	} else if !strings.Contains(got, `"select id, s from t order by id desc limit $1"]`) {
		t.Errorf("SHOW REWRITES does not say what it becomes: %s", got)
	}
	for _, test := range []struct{ text, want string }{
		{"explain rewrite 'select id from r.t order by id desc nulls last limit 3'", `["nulls_order" "on"`},
		{"explain rewrite 'select id from r.t order by id desc nulls last limit 3' postgres postgres", `"select id from r.t order by id desc  limit 3"]`},
		{"explain rewrite 'select id from r.t order by n desc nulls last limit 3'", `"the column may be NULL: n"`},
		{"explain rewrite 'select id from r.t order by n desc nulls last limit 3' nowhere", "not clear"},
		{"explain rewrite select 1", "takes"},
	} {
		if got := answerOf(t, console, test.text); !strings.Contains(got, test.want) {
			t.Errorf("%s\nis %s\nwant %s", test.text, got, test.want)
		}
	}
}
