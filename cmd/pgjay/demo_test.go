package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// demoProcess is a pgjay demo that runs on its own.
type demoProcess struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr strings.Builder
}

func startDemo(t *testing.T, args ...string) *demoProcess {
	t.Helper()
	d := &demoProcess{t: t, cmd: exec.Command(os.Args[0], append([]string{"demo"}, args...)...)}
	d.cmd.Env = append(os.Environ(), "PGJAY_TEST_RUN_MAIN=1")
	d.cmd.Stderr = &d.stderr
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.stdout = bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Whatever hangs ends with this, and what waits for it fails.
	timer := time.AfterFunc(time.Minute, func() { _ = d.cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return d
}

// until reads what is printed up to a line with text in it.
func (d *demoProcess) until(text string) string {
	d.t.Helper()
	var printed strings.Builder
	for {
		line, err := d.stdout.ReadString('\n')
		printed.WriteString(line)
		if strings.Contains(line, text) {
			return printed.String()
		}
		if err != nil {
			_ = d.cmd.Wait()
			d.t.Fatalf("it ended without %q:\n%s\n%s", text, printed.String(), d.stderr.String())
		}
	}
}

// end ends it by a signal; it returns the rest of what is printed.
func (d *demoProcess) end(by os.Signal) string {
	d.t.Helper()
	if err := d.cmd.Process.Signal(by); err != nil {
		d.t.Fatal(err)
	}
	rest, err := io.ReadAll(d.stdout)
	if err := errors.Join(err, d.cmd.Wait()); err != nil {
		d.t.Fatalf("%v\n%s\n%s", err, rest, d.stderr.String())
	}
	return string(rest)
}

func submatch(t *testing.T, pattern, text string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", pattern, text)
	}
	return m[1]
}

// TestDemo does what the demo tells people to do.
func TestDemo(t *testing.T) {
	d := startDemo(t, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	text := d.until("Ctrl-C")
	port := submatch(t, `\n  psql -h 127\.0\.0\.1 -p (\d+) -U postgres crm\n`, text)
	dir := submatch(t, `data in (\S+)/data\n`, text)
	if status, metrics := get(t, submatch(t, `(http://127\.0\.0\.1:\d+/metrics)\n`, text)); status != 200 || !strings.Contains(metrics, "pgjay_cache_limit_bytes") {
		t.Errorf("the metrics answer %d: %s", status, metrics)
	}
	conn, err := pgx.Connect(t.Context(), "postgres://postgres@127.0.0.1:"+port+"/crm")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tryQueries(t, port, submatch(t, `(?s)and try:\n\n(.*)\n\nThe last one`, text))
	var rows, id int
	const sum = `select (select count(*) from tenants) + (select count(*) from companies) + (select count(*) from contacts) + (select count(*) from interactions)`
	if err := conn.QueryRow(t.Context(), sum).Scan(&rows); err != nil || rows != crmTenants+crmCompanies+crmContacts+crmInteractions {
		t.Errorf("%d rows, %v", rows, err)
	}
	if err := conn.QueryRow(t.Context(), `insert into tenants (name, plan) values ('new', 'free') returning id`).Scan(&id); err != nil || id != crmTenants+1 {
		t.Errorf("a new tenant gets number %d, %v", id, err)
	}
	guest(t, port)
	// A transaction that stays open holds nothing up.
	if _, err := conn.Exec(t.Context(), "begin"); err != nil {
		t.Error(err)
	}
	before := time.Now()
	if rest := d.end(os.Interrupt); !strings.Contains(rest, "Stopped. All of it is removed.") {
		t.Errorf("at the end it says %q", rest)
	}
	if took := time.Since(before); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left (%v)", dir, err)
	}
	if !matches(`^(.*msg="closing clients in mid-transaction" clients=1\n)?$`, d.stderr.String()) {
		t.Errorf("on standard error is\n%s", d.stderr.String())
	}
}

// tryQueries runs what the demo proposes, each on another connection; the last
// one, which counts PostgreSQL's connections, on many.
func tryQueries(t *testing.T, port, text string) {
	t.Helper()
	var last string
	queries := strings.Split(strings.TrimSuffix(text, ";"), ";")
	for range 30 {
		queries = append(queries, queries[len(queries)-1])
	}
	for _, sql := range queries {
		conn, err := pgx.Connect(t.Context(), "postgres://postgres@127.0.0.1:"+port+"/crm?default_query_exec_mode=simple_protocol")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		var columns []any
		rows, err := conn.Query(t.Context(), sql)
		if err == nil && rows.Next() {
			columns, err = rows.Values()
			rows.Close()
		}
		if err != nil || len(columns) == 0 {
			t.Fatalf("%s: %v, %v", sql, columns, err)
		}
		last = fmt.Sprint(columns[0])
	}
	if last != "25" {
		t.Errorf("many clients have %s backends, not 25", last)
	}
}

// guest connects as a plain psql does.
func guest(t *testing.T, port string) {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	conn, err := pgx.Connect(t.Context(), "host=127.0.0.1 user="+u.Username+" dbname="+u.Username+" port="+port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "select from tenants"); err != nil {
		t.Error(err)
	}
}

// TestDemoInterrupted is Ctrl-C, kill, and a closed terminal, while PostgreSQL
// starts.
func TestDemoInterrupted(t *testing.T) {
	for _, by := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		d := startDemo(t, "--listen", "127.0.0.1:0", "--admin", "")
		d.until("Starting")
		if rest := d.end(by); !strings.Contains(rest, "Stopped") || strings.Contains(rest, "Connect") {
			t.Errorf("after %v it says %q", by, rest)
		}
	}
}

func TestDemoAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	for _, tt := range []struct{ flag, other string }{{"--listen", "--admin"}, {"--admin", "--listen"}} {
		status, _, stderr := pgjay("demo", tt.flag, address, tt.other, "127.0.0.1:0")
		if status != exitFailed || !matches("(?s)"+regexp.QuoteMeta(address)+".* in use\nchoose another address with "+tt.flag+",", stderr) {
			t.Errorf("%s: status %d, %s", tt.flag, status, stderr)
		}
	}
}

func TestDemoCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"--listen nowhere":  `--listen nowhere: listen.addresses`,
		"--log-level shout": `--log-level shout: log.level`,
		"--port 5":          `there is no flag --port`,
	} {
		if status, _, stderr := pgjay(append([]string{"demo"}, strings.Fields(args)...)...); status == exitOK || !matches(want, stderr) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
	if status, stdout, _ := pgjay("demo", "--help"); status != exitOK || stdout != demoHelp {
		t.Errorf("--help: status %d, %s", status, stdout)
	}
	for _, line := range strings.Split(demoHelp, "\n") {
		if len(line) > 80 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}

// TestCRMIsTheSame draws the data twice.
func TestCRMIsTheSame(t *testing.T) {
	a, b := newCRM().tables(), newCRM().tables()
	for i, table := range a {
		for row := range table.rows {
			x, errX := table.row(row)
			y, errY := b[i].row(row)
			if errX != nil || errY != nil || len(x) != len(table.columns) || !reflect.DeepEqual(x, y) {
				t.Fatalf("%s, row %d: %v (%v) and %v (%v)", table.name, row, x, errX, y, errY)
			}
		}
	}
}

// TestDemoEndsWithItsProcess is kill -9.
func TestDemoEndsWithItsProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("only on Linux")
	}
	d := startDemo(t, "--listen", "127.0.0.1:0", "--admin", "")
	dir := submatch(t, `data in (\S+)/data\n`, d.until("Ctrl-C"))
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the next demo would do it
	file, err := os.ReadFile(dir + "/data/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}
	pid := submatch(t, `^(\d+)\n`, string(file))
	if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat("/proc/" + pid); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("PostgreSQL lives on")
		}
	}
}
