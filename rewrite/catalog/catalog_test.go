package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database is a database of a test's own.
type database struct {
	t    testing.TB
	name string
	conn *pgconn.PgConn // of the superuser
}

var databases atomic.Int32

// newDatabase makes a database and runs the setup in it.
func newDatabase(t testing.TB, setup string) *database {
	t.Helper()
	d := &database{t: t, name: fmt.Sprintf("catalog%d", databases.Add(1))}
	admin := d.dial("postgres", "postgres")
	run(t, admin, "CREATE DATABASE "+d.name+" TEMPLATE template0")
	t.Cleanup(func() {
		run(t, admin, "DROP DATABASE "+d.name+" WITH (FORCE)")
		_ = admin.Close(context.Background())
	})
	d.conn = d.connect("postgres")
	d.run(setup)
	return d
}

func (d *database) dial(user, name string) *pgconn.PgConn {
	d.t.Helper()
	conn, err := pgconn.Connect(context.Background(), pgtest.Server(d.t).URL(name, user))
	if err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// connect returns a connection that is closed at the end of the test.
func (d *database) connect(user string) *pgconn.PgConn {
	d.t.Helper()
	conn := d.dial(user, d.name)
	d.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// run runs statements, and returns the first column of the last one's rows.
func run(t testing.TB, conn *pgconn.PgConn, sql string) []string {
	t.Helper()
	results, err := conn.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var column []string
	if len(results) > 0 {
		for _, row := range results[len(results)-1].Rows {
			column = append(column, string(row[0]))
		}
	}
	return column
}

func (d *database) run(sql string) []string {
	d.t.Helper()
	return run(d.t, d.conn, sql)
}

func (d *database) load() *Snapshot {
	d.t.Helper()
	s, err := Load(d.t.Context(), d.conn)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// load makes a database and reads its catalogs.
func load(t *testing.T, setup string) *Snapshot {
	t.Helper()
	return newDatabase(t, setup).load()
}

var public = []string{"public"}

// name splits a name at its dots.
func name(text string) []string { return strings.Split(text, ".") }

// rel finds a relation by its name, or fails.
func rel(t testing.TB, s *Snapshot, text string) *Relation {
	t.Helper()
	r := s.Resolve(public, name(text))
	if r == nil {
		t.Fatalf("there is no relation %s", text)
	}
	return r
}

// list is the names of relations, sorted; those in public without schema.
func list(s *Snapshot, oids []uint32) string {
	var all []string
	for _, oid := range oids {
		if r := s.Relation(oid); r != nil {
			all = append(all, strings.TrimPrefix(r.String(), "public."))
		} else {
			all = append(all, fmt.Sprint(oid))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// writes checks what a command changes, and that it is not opaque.
func writes(t *testing.T, s *Snapshot, cmd Command, target, want string) {
	t.Helper()
	oids, opaque := s.Written(cmd, rel(t, s, target))
	if got := list(s, oids); got != want || opaque != "" {
		t.Errorf("command %d on %s writes %q, want %q; %s", cmd, target, got, want, opaque)
	}
}

// isOpaque checks that what a command changes is not known, and why.
func isOpaque(t *testing.T, s *Snapshot, cmd Command, target, why string) {
	t.Helper()
	if _, opaque := s.Written(cmd, rel(t, s, target)); !strings.Contains(opaque, why) || opaque == "" {
		t.Errorf("command %d on %s: %q, want one with %q", cmd, target, opaque, why)
	}
}

// reads checks what an answer from a relation depends on.
func reads(t *testing.T, s *Snapshot, target, want string) {
	t.Helper()
	deps, why := s.Readable([]uint32{rel(t, s, target).OID})
	if got := list(s, deps); got != want || why != "" {
		t.Errorf("%s depends on %q, want %q; %s", target, got, want, why)
	}
}

// isUnreadable checks that an answer from a relation must not be remembered.
func isUnreadable(t *testing.T, s *Snapshot, target, why string) {
	t.Helper()
	if _, got := s.Readable([]uint32{rel(t, s, target).OID}); !strings.Contains(got, why) || got == "" {
		t.Errorf("%s: %q, want one with %q", target, got, why)
	}
}
