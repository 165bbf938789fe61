package servers

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// databases are those of a server.
func databases(t *testing.T, u *url.URL) []string {
	t.Helper()
	rows, _ := connect(t, u).Query(t.Context(), "select datname from pg_database order by 1") // its error is in rows, too
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func connect(t *testing.T, u *url.URL) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func server(t *testing.T, database string) *url.URL {
	t.Helper()
	u, err := ParseURL(pgtest.Server(t).URL(database, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestCopies wants copies of a database, its name as long as can be, that take the
// place of no other database, and of which nothing is left.
func TestCopies(t *testing.T) {
	at := server(t, "postgres")
	original := strings.Repeat("a", 63)
	create(t, at, original, "mine", "mine_path0")
	before := databases(t, at)
	for _, name := range []string{original, "mine", "mine"} {
		u := WithDatabase(at, name)
		copied, err := CopyDatabase(t.Context(), u, "path0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := DropCopy(t.Context(), u, copied); err != nil {
				t.Error(err)
			}
			if !slices.Contains(databases(t, at), name) {
				t.Errorf("%s is gone with its copy", name)
			}
		}()
	}
	if now := databases(t, at); len(now) != len(before)+3 {
		t.Errorf("with three copies %q became %q", before, now)
	}
}

// TestStoppedCopy ends the context while the server copies: it waits for the end of
// another transaction in the original. Nothing may be made later on.
func TestStoppedCopy(t *testing.T) {
	at := server(t, "postgres")
	create(t, at, "locked")
	locker, watcher := connect(t, at), connect(t, at)
	if _, err := locker.Exec(t.Context(), "begin; comment on database locked is 'locked'"); err != nil {
		t.Fatal(err)
	}
	before := databases(t, at)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := CopyDatabase(ctx, WithDatabase(at, "locked"), "path0")
		ended <- err
	}()
	const copying = "select exists (select from pg_stat_activity where pid <> pg_backend_pid() and query ~ 'template .locked' and "
	until(t, watcher, copying+"wait_event_type = 'Lock')")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	var still bool
	if err := watcher.QueryRow(t.Context(), copying+"state = 'active')").Scan(&still); err != nil || still {
		t.Errorf("the server copies all the same: %v, %v", still, err)
	}
	if _, err := locker.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	if now := databases(t, at); len(now) != len(before) {
		t.Errorf("after a copy that was stopped %q became %q", before, now)
	}
}

// create makes databases for a test.
func create(t *testing.T, at *url.URL, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := CreateDatabase(t.Context(), at, name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = DropCopy(t.Context(), at, name) })
	}
}

// until asks until the answer is true.
func until(t *testing.T, conn *pgx.Conn, query string) {
	t.Helper()
	for deadline := time.Now().Add(pgtest.Patience); ; {
		var is bool
		if err := conn.QueryRow(t.Context(), query).Scan(&is); err != nil {
			t.Fatal(err)
		}
		if is {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it never becomes so: ", query)
		}
	}
}

// TestCopyStays wants it said that a copy could not be dropped, and which.
func TestCopyStays(t *testing.T) {
	u, err := ParseURL("postgres://u@127.0.0.1:1/crm?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	if err := DropCopy(t.Context(), u, "simulator_x"); err == nil || !strings.Contains(err.Error(), "simulator_x, a copy of the database crm") {
		t.Error(err)
	}
}
