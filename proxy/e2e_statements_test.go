package proxy_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy"
)

// observing is a configuration with which everything is slow.
func observing() monitor.Config {
	c := monitor.DefaultConfig()
	c.SlowThreshold, c.ExplainThreshold = time.Nanosecond, time.Nanosecond
	c.ExplainRate, c.ExplainCooldown, c.ExplainRetry = 100_000, time.Nanosecond, time.Nanosecond
	c.ExplainSuperuser = true
	return c
}

func startObserving(t testing.TB, backend string, change func(*monitor.Config)) *running {
	t.Helper()
	c := observing()
	if change != nil {
		change(&c)
	}
	return startObserved(t, backend, proxy.NewServer, c, nil)
}

// explained waits until the latest explanation of a statement is there whose text
// contains part.
func explained(t testing.TB, p *running, part string) (r *explain.Result) {
	t.Helper()
	eventually(t, "it is explained: "+part, func() bool {
		for _, r = range p.mon.Explainer().Results() {
			if strings.Contains(r.Text, part) {
				return true
			}
		}
		return false
	})
	return r
}

func TestShowStatements(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off })
	conn, console := dial(t, p.addr), consoleOf(t, p)
	ctx := context.Background()
	for _, sql := range []string{"select 1 as secret_one", "SELECT  2 as secret_one -- comment", "select 3 as secret_one from nothing"} {
		_, _ = conn.Exec(ctx, sql).ReadAll()
	}
	for _, n := range []string{"10", "20"} {
		if r := conn.ExecParams(ctx, "select i from generate_series(1, $1::int) i where i <> 3", [][]byte{[]byte(n)}, nil, nil, nil).Read(); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	rows := rowsOf(t, console, "show statements")
	for _, c := range []struct {
		statement             string
		calls, errors, result string
	}{
		{"select $1 as secret_one", "2", "0", "2"},
		{"select $1 as secret_one from nothing", "1", "1", "0"},
		{"select i from generate_series($2, $1::int) i where i <> $3", "2", "0", "28"},
	} {
		var found map[string]string
		for _, row := range rows {
			if row["statement"] == c.statement {
				found = row
			}
		}
		if found["calls"] != c.calls || found["errors"] != c.errors || found["rows"] != c.result || found["database"] != "postgres" || found["p95_us"] == "0" {
			t.Errorf("%s: %v", c.statement, found)
		}
	}
}

func TestSlowLog(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off; c.SlowThreshold = 50 * time.Millisecond })
	conn, console := dial(t, p.addr), consoleOf(t, p)
	for _, sql := range []string{"select 'quick'", "select pg_sleep(0.1), 'hidden' /*controller='a%20b',password='hidden'*/"} {
		if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	rows := rowsOf(t, console, "show slow")
	if len(rows) != 1 || rows[0]["tags"] != "controller=a b" || rows[0]["statement"] != "select pg_sleep($1), $2" {
		t.Errorf("SHOW SLOW has %v", rows)
	}
	if log := p.log.String(); !strings.Contains(log, "slow statement") || !strings.Contains(log, `tag_controller="a b"`) || strings.Contains(log, "hidden") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestSlowStatementIsExplained(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	if r := conn.ExecParams(context.Background(), "select count(*) from generate_series(1, $1::int) g where g > 5", [][]byte{[]byte("1000")}, nil, nil, nil).Read(); r.Err != nil {
		t.Fatal(r.Err)
	}
	r := explained(t, p, "generate_series")
	if r.Plan == nil || !r.Plan.Analyzed || r.Reason != "" {
		t.Fatalf("explained: %+v", r)
	}
	if rows := r.Plan.Root.Children[0].Rows; rows != 995 {
		t.Errorf("it found %v rows", rows)
	}
	t.Log(strings.Join(r.Lines(), "\n"))
}

// Why a SET has no plan is that it is no SELECT, not what it has set.
func TestWhySetIsNotExplained(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	if _, err := conn.Exec(context.Background(), "set transform_null_equals = on").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if r := explained(t, p, "transform_null_equals"); r.Plan != nil || r.Reason != "it is no SELECT" {
		t.Errorf("explained: %+v", r)
	}
}

// What SET LOCAL has made of a session no other can have, until its transaction ends.
func TestLocalSettingsAreNotExplained(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	for i, set := range []string{"set local search_path = pg_catalog", "select set_config('app.tenant', 'x', true)"} {
		inside, after := fmt.Sprint("inside", i), fmt.Sprint("after", i)
		for _, sql := range []string{"begin", set, "select 1 as " + inside, "commit", "select 1 as " + after} {
			if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
		if r := explained(t, p, inside); r.Plan != nil || r.Skip != explain.SkipSession {
			t.Errorf("%s: explained: %+v", set, r)
		}
		if r := explained(t, p, after); r.Plan == nil {
			t.Errorf("%s: afterwards: %s", set, r.Reason)
		}
	}
}

// Each session's thresholds are those of its database and user.
func TestThresholdsOfUsers(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) {
		hour := time.Hour
		c.Users = []monitor.Override{{Name: "postgres", SlowThreshold: &hour, ExplainThreshold: &hour}}
	})
	conn, console := dial(t, p.addr), consoleOf(t, p)
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "select 'not slow'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if rows := rowsOf(t, console, "show slow"); len(rows) != 0 || p.mon.Explainer().Counts().Offered != 0 {
		t.Errorf("slow: %v", rows)
	}
	p.mon.Configure(observing())
	if _, err := conn.Exec(ctx, "select 'slow'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if rows := rowsOf(t, console, "show slow"); len(rows) != 1 {
		t.Errorf("slow after a reload: %v", rows)
	}
	explained(t, p, "select")
}

// A prepared statement is explained with the client's own bytes and settings.
func TestPreparedStatementIsExplained(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Analyze })
	conn, ctx := dial(t, p.addr), context.Background()
	if _, err := conn.Exec(ctx, "set enable_seqscan = off").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Prepare(ctx, "mine", "select i as named from generate_series(1, $1) i where i > $2", []uint32{23, 23}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := conn.ExecPrepared(ctx, "mine", [][]byte{{0, 0, 0, 50}, []byte("10")}, []int16{1, 0}, nil).Read()
		if r.Err != nil || len(r.Rows) != 40 {
			t.Fatal(r.Err)
		}
	}
	r := explained(t, p, "named")
	if r.Plan == nil || !r.Plan.Analyzed || r.Plan.Root.Rows != 40 || r.Plan.Settings["enable_seqscan"] != "off" {
		t.Errorf("explained: %+v, %s", r.Plan, r.Reason)
	}
}

// What is in one exchange is counted each for itself, and their times together are its
// time.
func TestPipelinesAreCounted(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off })
	conn, ctx := dial(t, p.addr), context.Background()
	batch := &pgconn.Batch{}
	for range 5 {
		batch.ExecParams("select 1 as first", nil, nil, nil, nil)
		batch.ExecParams("select 2 as second", nil, nil, nil, nil)
	}
	if _, err := conn.ExecBatch(ctx, batch).ReadAll(); err != nil {
		t.Fatal(err)
	}
	calls := make(map[string]uint64)
	for _, s := range p.mon.Statements().Snapshot() {
		calls[s.Text] = s.Calls
	}
	if calls["select $1 as first"] != 5 || calls["select $1 as second"] != 5 {
		t.Errorf("calls: %v", calls)
	}
}

// What PgJay answers itself is counted, too.
func TestBeginsAreCounted(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off; c.SlowThreshold = 0 })
	conn, ctx := dial(t, p.addr), context.Background()
	for i := range 5 {
		transaction := []string{"begin", "select 'x'", "commit"}
		if i >= 3 {
			transaction = []string{"begin", "rollback"}
		}
		for _, sql := range transaction {
			if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
	}
	calls := make(map[string]uint64)
	for _, s := range p.mon.Statements().Snapshot() {
		calls[s.Text] = s.Calls
		if here := s.Sources[digest.SourceProxy]; here != map[string]uint64{"begin": 5, "rollback": 2}[s.Text] {
			t.Errorf("%s: %d times answered by PgJay", s.Text, here)
		}
	}
	if want := map[string]uint64{"begin": 5, "select $1": 3, "commit": 3, "rollback": 2}; !maps.Equal(calls, want) {
		t.Errorf("calls: %v", calls)
	}
}

// A temporary table is not there for the explanation, and nothing of it is executed.
func TestTemporaryTables(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	for _, sql := range []string{"create temp table only_mine (a int)", "select * from only_mine"} {
		if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	if r := explained(t, p, "select * from only_mine"); r.Plan != nil || !strings.Contains(r.Reason, "42P01") {
		t.Errorf("explained: %+v, %s", r.Plan, r.Reason)
	}
	if r := explained(t, p, "create temp table only_mine"); r.Plan != nil {
		t.Errorf("explained: %+v, %s", r.Plan, r.Reason)
	}
}

// What the cache answers is counted as that, and never explained.
func TestCachedStatementsAreCounted(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startObserved(t, backend, proxy.NewServer, observing(), withCache)
	conn := dial(t, p.addr)
	cached(t, p, conn, "select v from t where id = 1")
	answerOf(t, conn, "select v from t where id = 1")
	eventually(t, "a hit is counted", func() bool {
		for _, s := range p.mon.Statements().Snapshot() {
			if s.Text == "select v from t where id = $1" {
				return s.CacheShare() > 0 && s.CacheShare() < 1 && s.Bytes > 0
			}
		}
		return false
	})
}

// A statement whose values were too long to be kept is explained without them, where
// PostgreSQL can do that; that it could not is told.
func TestLongParameters(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	for _, n := range []int{10, 100_000} {
		sql := "select length($1) as short"
		if n > 1000 {
			sql = "select length($1) as long"
		}
		if r := conn.ExecParams(context.Background(), sql, [][]byte{[]byte(strings.Repeat("x", n))}, nil, nil, nil).Read(); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	if r := explained(t, p, "as short"); r.Plan == nil || !r.Plan.Analyzed {
		t.Errorf("a short one: %s", r.Reason)
	}
	if r := explained(t, p, "as long"); r.Skip != explain.SkipParameters || !strings.Contains(r.Reason, "too long to be kept") {
		t.Errorf("a long one: %q, %s", r.Skip, r.Reason)
	}
}

// Why there is no plan of a statement whose text was not kept is told.
func TestLongText(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	c := client(t, p.addr)
	if _, err := c.Query("select '" + strings.Repeat("x", 17_000) + "'"); err != nil {
		t.Fatal(err)
	}
	r := explained(t, p, "too long")
	if r.Plan != nil || r.Skip != explain.SkipText || !strings.Contains(r.Reason, "more than 16 kB") {
		t.Errorf("%q, %s", r.Skip, r.Reason)
	}
	for _, command := range []string{"show plans", "show plan " + fmt.Sprint(r.Number)} {
		if shown := fmt.Sprint(consoleRows(t, consoleConn(t, p), command)); !strings.Contains(shown, r.Reason) {
			t.Errorf("%s: %s", command, shown)
		}
	}
}
