package claims

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
	_ "github.com/pgjay/pgjay/configs" // all of PgJay: go test runs these tests again when it has changed
)

// program builds PgJay.
func program(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "pgjay")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "../../../pgjay").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestWithout measures claims with a PgJay that does and with one that does not have what
// they are about.
func TestWithout(t *testing.T) {
	b := smallBench(t)
	b.options.Program = program(t)
	var err error
	if b.features, err = servers.AskFeatures(t.Context(), b.options.Program); err != nil {
		t.Fatal(err)
	}
	const ping, slow, explained = "pre-ping: connections that fell silent", "statements over 1 s", "very slow ones are explained"
	for _, c := range []struct {
		name     string
		measure  func(context.Context, *bench) error
		settings []string
		want     map[string]Mark // by how the claim begins
		waits    bool            // more than it works: the others are not disturbed
	}{
		{"slow log", slowQueries, nil, map[string]Mark{slow: Met, explained: Met}, true},
		{"no slow log", slowQueries, []string{"monitor.slow_threshold=0s", "monitor.explain=plan"}, map[string]Mark{slow: Short, explained: Short}, true},
		{"no cache", dashboards, []string{"cache.enabled=false"}, map[string]Mark{"10 times faster on hits": Short, "60 % hits on repeats": Short}, false},
		{"no compression", lists, []string{"cache.compress_over=0"}, map[string]Mark{compressionClaim: Short}, false},
		{"no rewriting", arrays, []string{"rewrite.mode=off"}, map[string]Mark{"array filters 5 times": Short}, false},
		{"ping", pingOf(patient), nil, map[string]Mark{ping: Met}, true},
		{"no ping", pingOf(2 * time.Second), []string{"pool.pre_ping=false"}, map[string]Mark{ping: Short}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.waits {
				t.Parallel()
			}
			b := b.with(t, c.settings)
			if err := c.measure(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for claimed, mark := range c.want {
				wantMark(t, b.table, claimed, mark)
			}
		})
	}
	t.Run("console", func(t *testing.T) { unknownCommands(t, b) })
}

// unknownCommands wants only what PgJay does not have to be called that.
func unknownCommands(t *testing.T, b *bench) {
	b = b.with(t, nil)
	if _, err := b.plain.Show(t.Context(), "SHOW MIRACLES"); !errors.Is(err, servers.ErrUnknown) {
		t.Errorf("SHOW MIRACLES: %v", err)
	}
	if _, err := b.plain.Show(t.Context(), "SHOW PLAN 999999"); err == nil || errors.Is(err, servers.ErrUnknown) {
		t.Errorf("SHOW PLAN 999999: %v", err)
	}
}

func lists(ctx context.Context, b *bench) error { return b.compressedAnswers(ctx) }

func pingOf(wait time.Duration) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error { return prePing(ctx, b, 4, wait) }
}

// with is a bench of its own on the same data, whose PgJays have these settings.
func (b *bench) with(t *testing.T, settings []string) *bench {
	t.Helper()
	other := *b
	b = &other
	b.table, b.options.Settings = new(Table), settings
	if len(settings) > 0 {
		b.patience = 2 * time.Second // for what does not come
	}
	if err := b.startBoth(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range []*servers.PgJay{b.plain, b.cached} {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

// wantMark wants this mark on the lines of a claim.
func wantMark(t *testing.T, table *Table, claimed string, mark Mark) {
	t.Helper()
	found := false
	for _, l := range table.Lines {
		if strings.HasPrefix(l.Claimed, claimed) {
			found = true
			if l.Mark != mark {
				t.Errorf("%s, not %s: %s: %s", l.Mark, mark, l.Claimed, l.Measurement)
			}
		}
	}
	if !found {
		t.Errorf("no line about %q in %v", claimed, table.Lines)
	}
}
