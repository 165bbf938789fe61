package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestServeConsole reloads and ends a process from its console.
func TestServeConsole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgjay.yaml")
	write := func(text string) {
		t.Helper()
		text = "listen: {addresses: [127.0.0.1:0]}\nadmin: 127.0.0.1:0\nauth: {method: trust}\n" + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	p := start(t, "--config", file)
	address := p.next("listening")["addresses"].([]any)[0].(string)
	ctx := context.Background()
	c, err := pgconn.Connect(ctx, "postgres://app@"+address+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	do := func(command string) error {
		_, err := c.Exec(ctx, command).ReadAll()
		return err
	}
	write("pool: {size: 7}\n")
	if err := do("RELOAD"); err != nil {
		t.Errorf("RELOAD: %v", err)
	}
	if changed := p.next("configuration reloaded")["changed"].([]any); len(changed) != 1 || changed[0] != "pool.size" {
		t.Errorf("changed %v", changed)
	}
	write("pool: {size: many}\n")
	if err := do("RELOAD"); err == nil || !strings.Contains(err.Error(), "not reloaded") {
		t.Errorf("a RELOAD of a file with an error: %v", err)
	}
	if err := do("SHUTDOWN"); err != nil {
		t.Errorf("SHUTDOWN: %v", err)
	}
	if cause := p.next("stopped")["cause"]; cause != errShutdown.Error() {
		t.Errorf("stopped because %v", cause)
	}
	if status := p.status(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
}
