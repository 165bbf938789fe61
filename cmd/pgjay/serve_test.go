package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a pgjay that runs on its own, logging JSON.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *bufio.Scanner
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"serve", "--log-format", "json"}, args...)...)
	cmd.Env = append(os.Environ(), "PGJAY_TEST_RUN_MAIN=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	// Whatever hangs ends with this, and what waits for it fails.
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return &process{t, cmd, bufio.NewScanner(stderr)}
}

// next returns the next log record with message in it.
func (p *process) next(message string) map[string]any {
	p.t.Helper()
	var seen []string
	for p.log.Scan() {
		record := make(map[string]any)
		if err := json.Unmarshal(p.log.Bytes(), &record); err != nil {
			p.t.Fatalf("not a log record: %s", p.log.Text())
		}
		if strings.Contains(record["msg"].(string), message) {
			return record
		}
		seen = append(seen, p.log.Text())
	}
	p.t.Fatalf("no %q in the log:\n%s", message, strings.Join(seen, "\n"))
	return nil
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// status waits for the end of the process.
func (p *process) status() int {
	for p.log.Scan() { // Wait closes the pipe: read all of it first
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// TestServe is the life of a process: start, health, reloads, stop.
func TestServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgjay.yaml")
	write := func(address, text string) {
		t.Helper()
		text = "listen: {addresses: [" + address + "]}\nadmin: 127.0.0.1:0\nauth: {method: trust}\ncache: {enabled: true, size: 8MB}\n" + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("127.0.0.1:0", "pool: {size: 5}\n")
	p := start(t, "--config", file, "--backend", "postgres://u:s3cret@127.0.0.1:1")
	listening := p.next("listening")
	if backend := listening["backend"].(string); strings.Contains(backend, "s3cret") {
		t.Errorf("the password is in the log: %v", listening)
	}
	admin := "http://" + listening["admin"].(string)
	if status, body := get(t, admin+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, body)
	}
	for status := 0; status != http.StatusOK; { // ready a moment after it listens
		status, _ = get(t, admin+"/readyz")
	}
	if _, metrics := get(t, admin+"/metrics"); !strings.Contains(metrics, "pgjay_cache_limit_bytes 8.388608e+06") {
		t.Error("the cache is not in /metrics")
	}
	conn, err := net.Dial("tcp", listening["addresses"].([]any)[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	t.Run("reload", func(t *testing.T) {
		p.t = t
		write("127.0.0.1:0", "pool: {size: many, mood: bad}\n")
		p.signal(syscall.SIGHUP)
		if e := p.next("not reloaded")["error"].(string); !strings.Contains(e, `pgjay.yaml:5:14: pool.size: "many"`) {
			t.Errorf("the first error is %s", e)
		}
		if e := p.next("not reloaded")["error"].(string); !strings.Contains(e, `no key "mood"`) {
			t.Errorf("the second error is %s", e)
		}
		_, metrics := get(t, admin+"/metrics")
		for _, line := range []string{"config_last_reload_successful 0", `config_reloads_total{result="failed"} 1`, `config_reloads_total{result="ok"} 0`, "client_connections_limit 10000"} {
			if !strings.Contains(metrics, "pgjay_"+line+"\n") {
				t.Errorf("%s is not in /metrics", line)
			}
		}
		write("127.0.0.1:0", "pool: {size: 7}\nlog: {level: debug}\n")
		p.signal(syscall.SIGHUP)
		if changed := p.next("reloaded")["changed"].([]any); len(changed) != 2 || changed[0] != "pool.size" || changed[1] != "log.level" {
			t.Errorf("changed %v", changed)
		}
		for metrics := ""; !strings.Contains(metrics, `pgjay_config_reloads_total{result="ok"} 1`); { // a moment after it is logged
			_, metrics = get(t, admin+"/metrics")
		}
	})
	t.Run("restart", func(t *testing.T) {
		p.t = t
		for range 2 { // it is said each time, for it has still not changed
			write("127.0.0.1:1", "")
			p.signal(syscall.SIGHUP)
			if keys := p.next("restart to change them")["keys"].([]any); len(keys) != 1 || keys[0] != "listen.addresses" {
				t.Errorf("needs a restart: %v", keys)
			}
		}
	})
	p.t = t
	p.signal(syscall.SIGTERM)
	if timeout := p.next("shutting down")["timeout"]; timeout != "30s" {
		t.Errorf("timeouts.shutdown is logged as %v", timeout)
	}
	if cause := p.next("stopped")["cause"]; !strings.Contains(cause.(string), "terminated") {
		t.Errorf("stopped because %v", cause)
	}
	if status := p.status(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
}

// TestServeFails occupies an address that is then asked for.
func TestServeFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, args := range [][]string{
		{"--listen", taken.Addr().String(), "--admin", "127.0.0.1:0"},
		{"--listen", "127.0.0.1:0", "--admin", taken.Addr().String()},
	} {
		p := start(t, append(args, "--set", "auth.method=trust")...)
		if e := p.next("pgjay failed")["error"].(string); !strings.Contains(e, "address already in use") {
			t.Errorf("%v: %s", args, e)
		}
		if status := p.status(); status != exitFailed {
			t.Errorf("%v: exit status %d", args, status)
		}
	}
}

// TestSignalBeforeConfig ends a process that waits for its configuration.
func TestSignalBeforeConfig(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pgjay.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--config", pipe)
	p.signal(syscall.SIGTERM)
	p.status()
	if s := p.cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.cmd.ProcessState)
	}
}
