package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// marked is in literals and parameters of statements, and may be shown nowhere.
const marked = "xyzzy4711"

// watched is a PgJay with a dashboard and clients that do all kinds of things.
type watched struct {
	url, clients string // of the dashboard, and for clients
}

// startWatched starts one before a PostgreSQL of its own.
func startWatched(t *testing.T) *watched {
	t.Helper()
	db := pgtest.NewServer(t, embedded.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	fill(ctx, t, db.Address())
	flags := []configs.Flag{{Text: "backend", Path: "backend.url", Value: "postgres://" + db.Address()}}
	for _, set := range []string{
		"listen.addresses=[127.0.0.1:0]", "admin=127.0.0.1:0", "auth.method=trust", "cache.enabled=true", "log.level=error",
		"monitor.explain_threshold=20ms", "monitor.slow_threshold=20ms", "monitor.explain_rate=1000", "monitor.explain_superuser=true",
		"timeouts.shutdown=1s",
	} {
		flags = append(flags, configs.Set(set))
	}
	cfg, err := configs.LoadFlags("", flags)
	if err != nil {
		t.Fatal(err)
	}
	addresses, done := make(chan watched, 1), make(chan error, 1)
	go func() {
		done <- serveDemo(ctx, cfg, io.Discard, func(srv *proxy.Server, a *admin) {
			addresses <- watched{"http://" + a.address() + "/", "postgres://postgres@" + srv.Addrs()[0].String() + "/crm?sslmode=disable"}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case w := <-addresses:
		return &w
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	return nil
}

// fill makes the database crm, with a table.
func fill(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	run := func(database string, texts ...string) {
		c, err := pgx.Connect(ctx, "postgres://postgres@"+address+"/"+database)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(ctx) }()
		for _, text := range texts {
			if _, err := c.Exec(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	run("postgres", "create database crm")
	run("crm", "create table contacts as select i as id, 'c' || i % 1000 as name, repeat('x', 60) as note from generate_series(1, 60000) i", "analyze contacts")
}

// load runs statements until ctx ends.
func (w *watched) load(ctx context.Context, t *testing.T, clients *sync.WaitGroup) {
	t.Helper()
	for i := range 3 {
		c, err := pgx.Connect(ctx, w.clients+"&application_name=load")
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			defer func() { _ = c.Close(context.Background()) }()
			if i == 0 {
				_, _ = c.Exec(ctx, "create temporary table mine as select '"+marked+"'::text as word")
			}
			pace := time.NewTicker(200 * time.Millisecond) // the browser needs some of the machine
			defer pace.Stop()
			for ctx.Err() == nil {
				work(ctx, c)
				<-pace.C
			}
		})
	}
}

// work runs each statement once. Some fail: that is what they are for.
func work(ctx context.Context, c *pgx.Conn) {
	for _, text := range []string{
		"select name from contacts where id = 7",
		"select count(*), pg_sleep(0.03) from contacts where name = '" + marked + "'",
		"select * from contacts where note = '" + marked + "' order by name /*controller='" + marked + "'*/",
		"select '" + marked + "'::int",
		"update contacts set name = '" + marked + "' where id = -1",
	} {
		_, _ = c.Exec(ctx, text)
	}
	_, _ = c.Exec(ctx, "select count(*) from contacts a, contacts b where a.id = b.id and a.name = $1", marked)
}

// document gets one of the dashboard's documents.
func (w *watched) document(t *testing.T, name string) (text string, document map[string]any) {
	t.Helper()
	status, text := get(t, w.url+"api/"+name)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", name, status, text)
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text, document
}

// eventually waits until a list of a document has so many entries.
func (w *watched) eventually(t *testing.T, name, list string, n int) []any {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(50 * time.Millisecond) { // the interval of the poll
		_, d := w.document(t, name)
		if all, _ := d[list].([]any); len(all) >= n {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no %d %s: %v", name, n, list, d)
		}
	}
}

// TestDashboard: with clients at work each document has what it is about, none has what
// was in a literal or parameter, and each page looks well.
func TestDashboard(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	w := startWatched(t)
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	w.load(ctx, t, &clients)
	w.eventually(t, "statements", "statements", 6)
	w.eventually(t, "plans", "plans", 3)
	w.eventually(t, "cache", "shapes", 1)
	pinned := w.eventually(t, "pools", "pinned", 1)
	if p := pinned[0].(map[string]any); p["pin"] != "temporary" || p["application"] != "load" || !strings.Contains(fmt.Sprint(p["statement"]), "create temporary table mine") {
		t.Errorf("pinned is %v", p)
	}
	t.Run("redaction", w.checkRedaction)
	t.Run("pages", w.checkPages)
}

func (w *watched) checkRedaction(t *testing.T) {
	for _, name := range []string{"overview", "pools", "cache", "statements", "plans", "advice", "rewrites"} {
		if text, _ := w.document(t, name); strings.Contains(text, marked) {
			t.Errorf("%s has a literal: %s", name, around(text, marked))
		}
	}
	for _, p := range w.eventually(t, "plans", "plans", 1) {
		name := fmt.Sprint("plan?number=", p.(map[string]any)["number"])
		if text, _ := w.document(t, name); strings.Contains(text, marked) {
			t.Errorf("%s has a literal: %s", name, around(text, marked))
		}
	}
	if _, text := get(t, w.url+"metrics"); strings.Contains(text, marked) {
		t.Errorf("/metrics has a literal: %s", around(text, marked))
	}
}

func around(text, word string) string {
	at := strings.Index(text, word)
	return text[max(at-100, 0):min(at+100, len(text))]
}

// checkPages looks at the pages in a browser.
func (w *watched) checkPages(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: apt-get install chromium")
	}
	script := filepath.Join(repository, "monitor/web/test/pages.mjs")
	if _, err := os.Stat(filepath.Join(repository, "monitor/web/node_modules/playwright-core")); err != nil {
		t.Skip("playwright-core is not installed: npm ci in monitor/web")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, script, w.url, chromium, os.Getenv("PGJAY_SCREENSHOTS"))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the browser ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v", script, err)
	}
	for line := range strings.Lines(string(out)) {
		t.Error(strings.TrimSpace(line))
	}
}
