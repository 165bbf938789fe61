package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
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
		{"seed --batch 0", exitUsage, "not a number from 1 to 1000000"},
		{"seed --tenants 30 --dsn " + empty, exitFailed, "1 to 20 tenants"},
		{"claims --only magic", exitUsage, "seeding; imports; pages"},
		{"compare --rounds 3", exitUsage, "--rounds is even"},
		{"seed", exitFailed, "say which database"},
		{"run proxied --dsn " + empty + " --proxy postgres://u@127.0.0.1:1/d", exitFailed, "Fill it first"},
		{"compare --html /nowhere/report.html --pgjay nothing", exitFailed, "/nowhere"},
		{"claims --json " + os.TempDir() + " --pgjay nothing", exitFailed, "is a directory"},
		{"claims --docs /nowhere --pgjay nothing", exitFailed, "/nowhere/docs"},
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

// TestNonsense wants numbers refused that make no sense, and flags that change nothing.
func TestNonsense(t *testing.T) {
	const dsn = " --dsn postgres://u@127.0.0.1:1/d"
	for args, want := range map[string]string{
		"run baseline --clients 1000000000":                      "1 to 10000",
		"run baseline --connections 4294967297":                  "1 to 10000",
		"compare --queries 9223372036854775807":                  "1 to 4000000",
		"compare --rounds 1002":                                  "2 to 1000",
		"run baseline --rate NaN":                                "1 to 1000000",
		"run baseline --rate -5":                                 "1 to 1000000",
		"run baseline --rate 1e-300":                             "1 to 1000000",
		"run baseline --rate Inf":                                "1 to 1000000",
		"compare --queries 7":                                    "fewer than --rounds",
		"compare --verify --batch 7 --connections 2":             "--connections: there is no pool",
		"seed --workers +5x":                                     "1 to 1000",
		"run baseline --proxy postgres://u@h/d --set a=b":        "--proxy, --set: baseline asks without PgJay",
		"run proxied --proxy postgres://u@h/d --set a=b":         "--set: the PgJay of --proxy",
		"run baseline --connections 5":                           "--connections: there is no pool",
		"run baseline --connect pool --batch 5":                  "--batch: there are no batches",
		"compare --scenario small --indexes full --seed 7" + dsn: "--indexes, --scenario, --seed: the database",
		"seed --method single --batch 5":                         "--batch: --method single",
	} {
		if status, output := simulate(t, strings.Fields(args)...); status != exitUsage || !strings.Contains(output, want) {
			t.Errorf("simulator %s: status %d and %snot %q", args, status, output, want)
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

// TestNoPasswords wants none printed, wherever in a URL it is.
func TestNoPasswords(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:hunter2@127.0.0.1:1/d?sslmode=disable",
		"postgres://u@127.0.0.1:1/d?sslmode=disable&password=hunter2",
		"postgres://u:hunter2@127.0.0.1:x/d",
		`postgres://u:hunter2"\for flag -x: @h/d?sslmode=wrong`,
	} {
		for _, args := range [][]string{{"seed", "--dsn", dsn}, {"run", "proxied", "--proxy", dsn, "--dsn", dsn}} {
			if status, output := simulate(t, args...); status == exitOK || strings.Contains(output, "hunter2") {
				t.Errorf("status %d: %s", status, output)
			}
		}
	}
}

// TestAdvice wants it to be of the server and the command that it is about.
func TestAdvice(t *testing.T) {
	u, _ := url.Parse("postgres://u@db:5432/crm?password=hunter2")
	proxy, _ := url.Parse("postgres://u@127.0.0.1:1/crm")
	_, refused := pgx.Connect(t.Context(), proxy.String()+"?sslmode=disable")
	_, missing := os.Open("/nowhere")
	for _, c := range []struct {
		command string
		err     error
		want    string
	}{
		{"run", &proxyError{proxy, refused}, "Nobody listens at 127.0.0.1:1: start PgJay there, or correct --proxy"},
		{"compare", missing, ""},
		{"compare", syscall.ECONNREFUSED, ""},
		{"seed", &pgconn.PgError{Code: "53300"}, "--workers"},
		{"run", &pgconn.PgError{Code: "53300"}, "--clients"},
		{"compare", &pgconn.PgError{Code: "42501"}, "may create databases"},
		{"run", &pgconn.PgError{Code: "42501"}, ""},
		{"compare", &pgconn.PgError{Code: "55006"}, "to which others are connected"},
		{"run", seed.ErrUnfinished, "simulator seed --replace --dsn postgres://u@db:5432/crm?password=xxxxx"},
	} {
		if got := advise(c.command, c.err, u); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s, %v: %q, not %q", c.command, c.err, got, c.want)
		}
	}
}

// TestStopped wants no word of what being stopped led to, and every word of the rest.
func TestStopped(t *testing.T) {
	left := errors.New("a copy is still there")
	stopped := fmt.Errorf("query 7: %w", context.Canceled)
	for _, c := range []struct {
		err  error
		want string
	}{
		{stopped, "simulator compare: stopped\n"},
		{fmt.Errorf("comparing: %w", errors.Join(stopped, left)), "simulator compare: stopped\nsimulator compare: a copy is still there\n"},
		{left, "simulator compare: a copy is still there\n"},
	} {
		var out bytes.Buffer
		if failed(&out, "compare", c.err, nil); out.String() != c.want {
			t.Errorf("%v: %q, not %q", c.err, out.String(), c.want)
		}
	}
}

// TestStoppedWhileConnecting stops one that tries without TLS, as the server has none.
func TestStoppedWhileConnecting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for _, answer := range []func(net.Conn){
			func(c net.Conn) { _, _ = c.Write([]byte("N")) },
			func(net.Conn) { stop() },
		} {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 100))
			answer(conn)
		}
	}()
	_, err = pgx.Connect(ctx, "postgres://u@"+listener.Addr().String()+"/d?sslmode=prefer")
	var out bytes.Buffer
	if failed(&out, "run", err, nil); out.String() != "simulator run: stopped\n" {
		t.Errorf("%v: %q", err, out.String())
	}
}
