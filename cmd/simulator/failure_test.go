package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// TestFailures wants errors that say what to do.
func TestFailures(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	empty := database(t, "empty")
	server := pgtest.Server(t)
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"", exitUsage, "Usage: simulator"},
		{"sed", exitUsage, `there is no command "sed"`},
		{"run", exitUsage, "simulator run baseline"},
		{"run sideways", exitUsage, `unexpected argument "sideways"`},
		{"seed --scenario huge", exitUsage, "small, medium, large, stress-test"},
		{"seed --batch 0", exitUsage, "not a number from 1 on"},
		{"seed --tenants 30 --dsn " + empty, exitFailed, "1 to 20 tenants"},
		{"claims --only magic", exitUsage, "seeding; imports; pages"},
		{"compare --rounds 3", exitUsage, "--rounds is even"},
		{"seed", exitFailed, "say which database"},
		{"seed --dsn crm", exitUsage, "such as postgres://"},
		{"seed --dsn postgres://127.0.0.1:5432", exitUsage, "lacks a user or a database"},
		{"run baseline --dsn postgres://postgres@127.0.0.1:1/crm?sslmode=disable", exitFailed, "Nobody listens at 127.0.0.1:1"},
		{"run baseline --dsn " + server.URL("nowhere", "postgres"), exitFailed, "createdb nowhere"},
		{"run baseline --dsn " + empty, exitFailed, "Fill it first: simulator seed"},
		{"compare --dsn " + empty + " --pgjay nothing", exitFailed, "Fill it first: simulator seed"},
		{"run proxied --dsn " + empty + " --pgjay " + filepath.Join(t.TempDir(), "nothing"), exitFailed, "Fill it first"},
		{"run baseline --pattern dance --dsn " + empty, exitUsage, "contact by id; contact by e-mail"},
	} {
		status, output := simulate(t, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(output, c.want) {
			t.Errorf("simulator %s: status %d and\n%snot status %d and %q", c.args, status, output, c.status, c.want)
		}
	}
}

// TestHelp wants every command explained.
func TestHelp(t *testing.T) {
	for _, command := range []string{"seed", "run", "compare", "claims"} {
		if status, output := simulate(t, "help", command); status != exitOK || !strings.Contains(output, "Usage: simulator "+command) {
			t.Errorf("help %s: status %d\n%s", command, status, output)
		}
	}
}
