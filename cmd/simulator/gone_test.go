package main

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// TestServerGone stops the server while it is asked: what was measured is printed.
func TestServerGone(t *testing.T) {
	server := pgtest.NewServer(t, embedded.Options{})
	dsn := server.URL("postgres", "postgres")
	succeed(t, nil, "seed", "--dsn", dsn)
	type outcome struct {
		status int
		output string
	}
	ended := make(chan outcome, 1)
	go func() {
		status, output := simulate(t, "run", "baseline", "--dsn", dsn, "--queries", "100000000", "--connect", "pool", "--progress-every", "1")
		ended <- outcome{status, output}
	}()
	err := seed.With(t.Context(), dsn, func(conn *pgx.Conn) error {
		busy := false
		for deadline := time.Now().Add(pgtest.Patience); !busy && time.Now().Before(deadline); {
			const query = "select exists (select from pg_stat_activity where pid <> pg_backend_pid() and state = 'idle' and query ~ 'FROM contacts')"
			if err := conn.QueryRow(t.Context(), query).Scan(&busy); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(embedded.Fast); err != nil {
		t.Fatal(err)
	}
	got := <-ended
	if got.status != exitFailed || !(strings.Contains(got.output, "went away") || strings.Contains(got.output, "Nobody listens")) {
		t.Errorf("status %d: %s", got.status, got.output)
	}
	for _, want := range []string{"baseline: 1 of 100000000 queries", "INCOMPLETE", "p99 ms"} {
		if !strings.Contains(got.output, want) {
			t.Errorf("%q is not in what it prints: %s", want, got.output)
		}
	}
}
