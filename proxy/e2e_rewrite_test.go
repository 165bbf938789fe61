package proxy_test

import (
	"context"
	"errors"
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
	expectMetric(t, p, `rewrites_total{rule="nulls-order"}`, float64(uses(p)))
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
