package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	_ "github.com/pgjay/pgjay/configs" // all of PgJay: go test runs these tests again when it has changed
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// simulate runs a command, and returns its exit status and all that it printed.
func simulate(t *testing.T, args ...string) (status int, output string) {
	t.Helper()
	var out bytes.Buffer
	status = dispatch(t.Context(), args, &out, &out)
	return status, out.String()
}

// succeed runs a command that must, and prints each of these texts.
func succeed(t *testing.T, want []string, args ...string) {
	t.Helper()
	status, output := simulate(t, args...)
	if status != exitOK {
		t.Fatalf("simulator %s: exit status %d\n%s", strings.Join(args, " "), status, output)
	}
	for _, text := range want {
		if !strings.Contains(output, text) {
			t.Errorf("simulator %s does not print %q but\n%s", strings.Join(args, " "), text, output)
		}
	}
}

// buildPgJay makes the program that is measured.
func buildPgJay(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "pgjay")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "../pgjay").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// database makes one, and returns its URL.
func database(t *testing.T, name string) string {
	t.Helper()
	server := pgtest.Server(t)
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name} {
		err := seed.With(t.Context(), server.URL("postgres", "postgres"), func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), sql)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return server.URL(name, "postgres")
}

// TestProgram measures PgJay as it is built now.
func TestProgram(t *testing.T) {
	program := buildPgJay(t)
	t.Run("doors", func(t *testing.T) { doors(t, program) })
	t.Run("small", func(t *testing.T) { small(t, program) })
	t.Run("differ", func(t *testing.T) { differ(t, program) })
	t.Run("claims", func(t *testing.T) {
		succeed(t, []string{"60 % hits on repeats"}, "claims", "--pgjay", program, "--scenario", "small", "--only", "dashboards")
	})
}

// differ compares a database that does something else behind PgJay: it hides a row, or writes
// one that nobody reads.
func differ(t *testing.T, program string) {
	const behind = "current_database() like 'simulator_verify1%'"
	for _, c := range []struct{ sql, want string }{
		{"alter table contacts rename to behind; create view contacts as select * from behind where id > 3 or not " + behind, "answers DIFFER"},
		{`create function other() returns trigger language plpgsql as $$ begin
				if ` + behind + ` then new.organisation_id := null; end if;
				return new; end $$;
			create trigger other before update on contacts for each row execute function other()`, "360 answers, by three protocols, are the same"},
	} {
		dsn := database(t, "differ")
		succeed(t, nil, "seed", "--dsn", dsn)
		err := seed.With(t.Context(), dsn, func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), c.sql)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		status, output := simulate(t, "compare", "--dsn", dsn, "--pgjay", program, "--verify", "--queries", "120", "--rounds", "2", "--connect", "pool")
		if status != exitFailed || !strings.Contains(output, c.want) || !strings.Contains(output, "the tables DIFFER") {
			t.Errorf("status %d, not %q: %s", status, c.want, output)
		}
	}
}

// small is the whole way: seed, run both ways, compare every answer. The database's
// name is as long as can be: none of those of its copies may be cut to be the same.
func small(t *testing.T, program string) {
	dsn := database(t, strings.Repeat("small_12_", 7))
	succeed(t, []string{"rows/s", "hash "}, "seed", "--dsn", dsn, "--scenario", "small", "--indexes", "full", "--hash")
	for i, protocol := range []string{"simple", "extended", "prepared"} {
		succeed(t, []string{"p99", "100 queries in"}, "run", "baseline", "--dsn", dsn, "--queries", "100",
			"--protocol", protocol, "--connect", []string{"query", "batch", "pool"}[i])
	}
	succeed(t, []string{"contact by id", "200 queries in"}, "run", "proxied", "--dsn", dsn, "--pgjay", program,
		"--queries", "200", "--rate", "400", "--connections", "2", "--connect", "pool")
	succeed(t, []string{"900 answers, by three protocols, are the same", "came from its cache"}, "compare", "--dsn", dsn, "--pgjay", program, "--verify",
		"--queries", "300", "--rounds", "2", "--connect", "pool", "--html", filepath.Join(t.TempDir(), "report.html"))
}
