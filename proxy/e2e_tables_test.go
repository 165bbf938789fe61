package proxy_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// TestTables runs all wire tables on PostgreSQL and then through the proxy, in
// each pool mode, with whole and with cut writes, and compares what comes back
// byte by byte.
func TestTables(t *testing.T) {
	backend := plain(t)
	direct, truth := proveTables(t, backend)
	for _, mode := range []pool.Mode{pool.ModeTransaction, pool.ModeSession, pool.ModeStatement} {
		t.Run(string(mode), func(t *testing.T) { runTables(t, proxy.NewServer, mode, direct, truth) })
	}
	t.Run("portable", func(t *testing.T) { runTables(t, proxy.NewPortableServer, pool.ModeTransaction, direct, truth) })
}

func runTables(t *testing.T, newServer serverMaker, mode pool.Mode, direct pgtest.Target, truth map[string]*pgtest.Transcript) {
	through := newTableProxies(t, newServer, mode, direct.Address)
	for _, s := range pgtest.Scripts() {
		if s.LegalIn(string(mode)) {
			runTable(t, through(t, &s), direct, &s, truth[s.Name])
		}
	}
}

// proveTables runs the tables on PostgreSQL and keeps the transcripts.
func proveTables(t *testing.T, backend string) (direct pgtest.Target, truth map[string]*pgtest.Transcript) {
	admin := observer(t, backend)
	if err := admin.Exec(pgtest.Fixture); err != nil {
		t.Fatal(err)
	}
	direct = pgtest.Target{Address: backend, Admin: admin, User: "postgres", Database: "postgres"}
	truth = map[string]*pgtest.Transcript{}
	for _, s := range pgtest.Scripts() {
		if s.LegalIn("") {
			truth[s.Name] = pgtest.Check(t, direct, &s)
		}
	}
	if t.Failed() {
		t.Fatal("the tables are not true")
	}
	return direct, truth
}

// newTableProxies returns a function that gives the proxy for a script: one
// with just as many backends as the script needs at once, so that clients
// meet each other's.
func newTableProxies(t *testing.T, newServer serverMaker, mode pool.Mode, backend string) func(*testing.T, *pgtest.Script) string {
	proxies := map[int]*running{}
	return func(_ *testing.T, s *pgtest.Script) string {
		size := max(1, s.Backends)
		if mode == pool.ModeSession {
			size = 4 // each client has its own
		}
		if proxies[size] == nil {
			proxies[size] = startServer(t, backend, newServer, func(c *proxy.Config) {
				c.Pool.Mode, c.Pool.Size = mode, size
			})
		}
		return proxies[size].addr
	}
}

func runTable(t *testing.T, address string, direct pgtest.Target, s *pgtest.Script, want *pgtest.Transcript) {
	cuts := map[string]pgtest.Cutter{"whole": pgtest.Whole, "cut": pgtest.ByteByByte}
	if strings.HasPrefix(s.Name, "residue/") {
		delete(cuts, "cut") // they are about what is left, not about how it came
	}
	for name, cut := range cuts {
		t.Run(fmt.Sprintf("%s/%s", s.Name, name), func(t *testing.T) {
			to := direct
			to.Address, to.Cut = address, cut
			got := pgtest.Check(t, to, s)
			if t.Failed() || s.Loose || want == nil {
				return
			}
			if diff := pgtest.Diff(want, got); diff != "" {
				t.Errorf("%s\ndirectly:\n%s\nthrough the proxy:\n%s", diff, want, got)
			}
		})
	}
}

// TestRandomConversations has PostgreSQL and the proxy answer the same random
// messages. Through the proxy several clients talk at once over few backends.
func TestRandomConversations(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(pgtest.Fixture); err != nil {
		t.Fatal(err)
	}
	direct := pgtest.Target{Address: backend, Admin: admin, User: "postgres", Database: "postgres"}
	for _, mode := range []pool.Mode{pool.ModeTransaction, pool.ModeSession} {
		p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Mode, c.Pool.Size = mode, 2 })
		through := direct
		through.Address = p.addr
		for seed := *firstSeed; seed < *firstSeed+*seeds && !t.Failed(); seed += conversationsAtOnce {
			converse(t, direct, through, seed)
		}
	}
}

var (
	firstSeed = flag.Uint64("conversation", 1, "seed of the first random conversation")
	seeds     = flag.Uint64("conversations", 200, "number of random conversations")
)

const conversationsAtOnce = 4

// converse runs some conversations one after the other directly, and at once
// through the proxy.
func converse(t *testing.T, direct, through pgtest.Target, seed uint64) {
	var talking sync.WaitGroup
	for s := seed; s < seed+conversationsAtOnce; s++ {
		script := pgtest.RandomScript(s)
		want := pgtest.Check(t, direct, &script)
		talking.Go(func() {
			to := through
			if s%2 == 0 {
				to.Cut = pgtest.ByteByByte
			}
			got := pgtest.Check(t, to, &script)
			if diff := pgtest.Diff(want, got); diff != "" {
				t.Errorf("seed %d: %s\ndirectly:\n%s\nthrough the proxy:\n%s", s, diff, want, got)
			}
		})
	}
	talking.Wait()
}
