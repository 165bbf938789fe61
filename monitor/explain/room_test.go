package explain

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// limitedTo makes the world's user one that may have so many connections.
func (w *world) limitedTo(n int) {
	w.t.Helper()
	w.user = w.database + "_few"
	w.run(w.admin, fmt.Sprintf("CREATE ROLE %s LOGIN CONNECTION LIMIT %d; GRANT SELECT ON ALL TABLES IN SCHEMA public TO %s", w.user, n, w.user))
	w.t.Cleanup(func() { w.run(w.admin, "DROP OWNED BY "+w.user+"; DROP ROLE "+w.user) })
}

// clients opens as many connections of a client's as there may be.
func (w *world) clients(n int) (list []*pgconn.PgConn) {
	w.t.Helper()
	for range n {
		list = append(list, w.dial(w.database, w.user))
	}
	return list
}

// Explaining takes no connection that a client may want: neither afterwards nor meanwhile.
func TestConnectionsLeft(t *testing.T) {
	for name, limit := range map[string]func(*world){
		"role":     func(w *world) { w.limitedTo(2) },
		"database": func(w *world) { w.run(w.admin, "ALTER DATABASE "+w.database+" CONNECTION LIMIT 3") }, // one is the test's own
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dangers)
			limit(w)
			w.cfg.RetryAfter = time.Hour
			if r := w.explain("SELECT * FROM t"); r.Plan == nil {
				t.Fatal(r.Reason)
			}
			both := w.clients(2)
			w.close(both[0])
			for range 2 {
				if r := w.explain("SELECT * FROM t"); r.Plan != nil || r.Skip != SkipBusy || !strings.Contains(r.Reason, "no connection was left") {
					t.Errorf("with the last connection: %q (%s)", r.Skip, r.Reason)
				}
			}
			both[0] = w.dial(w.database, w.user)
			r := w.explain("SELECT * FROM t")
			if r.Skip != SkipBusy || !strings.Contains(r.Reason, "no connection was left") {
				t.Errorf("without any: %q (%s)", r.Skip, r.Reason)
			}
			if n := len(w.explainer.Results()); n != 2 {
				t.Errorf("%d results: what is tried again and again is told once", n)
			}
			for _, conn := range both {
				w.close(conn)
			}
			again := w.request("SELECT * FROM t")
			if !w.explainer.Wants(again.Shape, time.Minute) {
				t.Error("it is left alone as if it had failed")
			}
			if r := w.explainRequest(again); r.Plan == nil {
				t.Errorf("later: %s", r.Reason)
			}
		})
	}
}

// Nor do those that look whether indexes are there.
func TestConnectionsLeftAfterRevisit(t *testing.T) {
	w := newWorld(t, "CREATE TABLE items (id int, owner int); INSERT INTO items SELECT i, i % 2000 FROM generate_series(1, 50000) i; ANALYZE items")
	w.limitedTo(2)
	w.explain("SELECT * FROM items WHERE owner = 7")
	if len(w.explainer.advices.open()) == 0 {
		t.Fatal("no index is advised")
	}
	w.explainer.revisit(context.Background(), w.links)
	for _, conn := range w.clients(2) {
		w.close(conn)
	}
}

// Where nobody may want for it the connection is kept.
func TestConnectionIsKept(t *testing.T) {
	w := newWorld(t, dangers)
	w.explain("SELECT * FROM t")
	if len(w.links.open) != 1 {
		t.Errorf("%d connections", len(w.links.open))
	}
}
