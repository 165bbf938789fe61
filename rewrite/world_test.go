package rewrite

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/pgtest"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a database of a test's own, and what its catalog says.
type world struct {
	t     testing.TB
	conn  *pgconn.PgConn
	scope Scope
}

var worlds atomic.Int32

// newWorld makes a database, runs the setup in it and reads its catalog.
func newWorld(t testing.TB, setup string) *world {
	t.Helper()
	name := fmt.Sprintf("rewrite%d", worlds.Add(1))
	admin := dial(t, "postgres")
	w := &world{t: t}
	run(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() {
		_ = w.conn.Close(context.Background())
		run(t, admin, "DROP DATABASE "+name+" WITH (FORCE)")
		_ = admin.Close(context.Background())
	})
	w.conn = dial(t, name)
	run(t, w.conn, setup)
	w.load()
	return w
}

// load reads the catalog again.
func (w *world) load() {
	w.t.Helper()
	snapshot, err := catalog.Load(context.Background(), w.conn)
	if err != nil {
		w.t.Fatal(err)
	}
	settings := map[string]string{"standard_conforming_strings": "on", "client_encoding": "UTF8", "TimeZone": "UTC"}
	w.scope = Scope{Catalog: snapshot, Path: []string{"pg_catalog", "public"}, Role: "postgres", Setting: func(name string) string { return settings[name] }}
}

// query returns a statement as rules see it.
func (w *world) query(text string) (*Query, *sqlparse.Facts) {
	w.t.Helper()
	tree, facts, ok := sqlparse.Tree(text)
	if !ok {
		w.t.Fatalf("%s: it is not parsed", text)
	}
	return &Query{Text: text, Tree: tree, Scope: w.scope}, facts
}

// rewritten returns what a rule makes of a text, the text itself if it does not apply,
// and its sentence. It fails the test if what is spliced is not what is meant.
func (w *world) rewritten(r Rule, text string) (made, why string) {
	w.t.Helper()
	q, _ := w.query(text)
	m := r.Match(q)
	if len(m.Edits) == 0 {
		return text, m.Why
	}
	made, _, err := Splice(q, &m)
	if err != nil {
		w.t.Fatalf("%s of %s: %v\n%+v", r.Name(), text, err, m.Edits)
	}
	return made, m.Why
}

func dial(t testing.TB, name string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), pgtest.Server(t).URL(name, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func run(t testing.TB, conn *pgconn.PgConn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
