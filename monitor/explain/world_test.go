package explain

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a database of a test's own, with an Explainer that the test drives.
type world struct {
	t         testing.TB
	database  string
	admin     *pgconn.PgConn // of the superuser
	table     *digest.Table
	explainer *Explainer
	links     *links
	cfg       Config
	user      string
}

var worlds atomic.Int64

func newWorld(t testing.TB, setup string) *world {
	t.Helper()
	w := &world{t: t, database: fmt.Sprintf("explain_%d", worlds.Add(1)), links: newLinks(), user: "app"}
	w.cfg = Config{
		Mode: Analyze, Rate: 1000, Cooldown: time.Nanosecond, RetryAfter: time.Nanosecond, MaxDuration: time.Minute,
		MaxCost: 1e9, Timeout: 10 * time.Second, Keep: 100, Thresholds: plan.DefaultThresholds(), Advice: advice.DefaultThresholds(),
	}
	first := w.dial("postgres", "postgres")
	w.run(first, "CREATE DATABASE "+w.database)
	w.run(first, "DO $$ BEGIN IF to_regrole('app') IS NULL THEN CREATE ROLE app LOGIN; CREATE ROLE other; GRANT other TO app; END IF; END $$")
	w.admin = w.dial(w.database, "postgres")
	w.run(w.admin, "GRANT ALL ON SCHEMA public TO app")
	w.run(w.admin, "SET synchronous_commit = on") // else VACUUM may find that rows are not all visible yet (heapam_visibility.c, SetHintBits)
	w.run(w.admin, setup)
	t.Cleanup(func() {
		w.links.close()
		w.close(w.admin)
		w.run(first, "DROP DATABASE "+w.database+" WITH (FORCE)")
		w.close(first)
	})
	w.table = digest.NewTable(digest.Options{Loops: 1, Max: 1000})
	w.explainer = New(Options{Config: w.cfg, Table: w.table, Log: slog.New(slog.DiscardHandler)})
	w.explainer.SetConnect(w.connect, nil)
	return w
}

func (w *world) connect(ctx context.Context, k pool.Key) (*pgconn.PgConn, error) {
	return pgconn.Connect(ctx, pgtest.Server(w.t).URL(k.Database, k.User))
}

func (w *world) dial(database, user string) *pgconn.PgConn {
	w.t.Helper()
	conn, err := pgconn.Connect(context.Background(), pgtest.Server(w.t).URL(database, user))
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

func (w *world) close(conn *pgconn.PgConn) {
	if err := conn.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
}

func (w *world) run(conn *pgconn.PgConn, sql string) {
	w.t.Helper()
	if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// value returns the first column of the first row.
func (w *world) value(sql string) string {
	w.t.Helper()
	results, err := w.admin.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	if len(results) == 0 || len(results[0].Rows) == 0 {
		return ""
	}
	return string(results[0].Rows[0][0])
}

// request is a slow statement.
func (w *world) request(sql string, values ...string) *Request {
	owner := w.table.Owner(w.database, w.user)
	r := &Request{
		Shape: w.table.Recorder(0).Find(owner, []byte(sql)), Key: pool.Key{Database: w.database, User: w.user},
		Text: []byte(sql), Observed: 2 * time.Second,
	}
	for _, v := range values {
		r.Values = append(r.Values, []byte(v))
	}
	return r
}

// explain has a statement explained.
func (w *world) explain(sql string, values ...string) *Result {
	w.t.Helper()
	return w.explainRequest(w.request(sql, values...))
}

func (w *world) explainRequest(r *Request) *Result {
	w.t.Helper()
	w.explainer.explain(context.Background(), w.links, r, w.cfg)
	return w.explainer.Results()[0]
}

// expectReason wants a statement not to be executed, for a reason.
func (w *world) expectReason(r *Result, why string) {
	w.t.Helper()
	if r.Plan != nil && r.Plan.Analyzed || !strings.Contains(r.Reason, why) {
		w.t.Errorf("%s: analyzed %v, reason %q, not %q", r.Text, r.Plan != nil && r.Plan.Analyzed, r.Reason, why)
	}
}
