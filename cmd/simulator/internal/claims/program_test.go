package claims

import (
	"context"
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
	quick := func(ctx context.Context, b *bench) error { return prePing(ctx, b, 4, 2*time.Second) }
	ping := "pre-ping: connections that fell silent"
	for _, c := range []struct {
		name    string
		measure func(context.Context, *bench) error
		claimed string
		without []string
		mark    Mark
	}{
		{"ping", func(ctx context.Context, b *bench) error { return prePing(ctx, b, 4, patient) }, ping, nil, Met},
		{"no ping", quick, ping, []string{"pool.pre_ping=false"}, Short},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.table, b.options.Settings = new(Table), c.without
			if err := c.measure(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			wantMark(t, b.table, c.claimed, c.mark)
		})
	}
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
