package proxy

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// frames encodes messages.
func frames(t testing.TB, messages ...interface{ Encode([]byte) ([]byte, error) }) (all []byte) {
	t.Helper()
	var err error
	for _, m := range messages {
		if all, err = m.Encode(all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// inTransaction has the relay's session in a transaction that has only read.
func (r *relay) inTransaction() {
	r.session.Data(frames(r.t, &pgproto3.Query{String: "begin"}))
	r.session.Data(frames(r.t, &pgproto3.Query{String: "select 1"}))
	r.settle()
	begun := &pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}
	row, ready := &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, &pgproto3.ReadyForQuery{TxStatus: 'T'}
	r.backend.backend.Data(frames(r.t, begun, ready, row, ready))
	if s := r.session; s.back.lease == nil || s.back.status != wire.StatusTransaction || !s.quiet() || !s.tx.reads {
		r.t.Fatalf("lease %v, status %c, quiet %t, reads %t", s.back.lease, s.back.status, s.quiet(), s.tx.reads)
	}
}

// Each condition for an answer from the cache counts by itself, and is told.
func TestBypass(t *testing.T) {
	for _, test := range []struct {
		name   string
		held   string // the isolation of a BEGIN that is held back
		leased bool
		change func(s *session)
		want   cache.Bypass
	}{
		{"nothing", "", false, func(*session) {}, cache.NoBypass},
		{"unknown settings", "", false, func(s *session) { s.who.blurred = true }, cache.BypassSettings},
		{"it listens", "", false, func(s *session) { s.listen = &listening{} }, cache.BypassListens},
		{"a reason that holds always", "", false, func(s *session) { s.who.always = sqlparse.ReasonStartup }, cache.BypassPinned},
		{"a backend of its own", "", false, func(s *session) { s.own = true }, cache.BypassMode},
		{"session mode", "", false, func(s *session) {
			cfg := pool.DefaultConfig()
			cfg.Mode = pool.ModeSession
			s.pools.Reconfigure(pool.DefaultBackendConfig(), cfg)
		}, cache.BypassMode},
		{"failed before it began", "", false, func(s *session) { s.begin.failed = true }, cache.BypassFailed},
		{"repeatable read", "repeatable read", false, func(*session) {}, cache.BypassIsolation},
		{"serializable", "serializable", false, func(*session) {}, cache.BypassIsolation},
		{"read committed", "read committed", false, func(*session) {}, cache.NoBypass},
		{"read uncommitted", "read uncommitted", false, func(*session) {}, cache.NoBypass},
		{"another default", "", false, func(s *session) { s.who.signature.learnt.Store(&standing{}) }, cache.BypassIsolation},
		{"another default, said otherwise", "read committed", false, func(s *session) { s.who.signature.learnt.Store(&standing{}) }, cache.NoBypass},
		{"the default is not known", "", false, func(s *session) { s.who.signature.learnt.Store(nil) }, cache.NoBypass},
		{"a transaction that reads", "", true, func(*session) {}, cache.NoBypass},
		{"a transaction that has written", "", true, func(s *session) { s.tx.reads = false }, cache.BypassWrote},
		{"a transaction that has failed", "", true, func(s *session) { s.back.status = wire.StatusError }, cache.BypassFailed},
		{"a transaction that is over", "", true, func(s *session) { s.back.status = wire.StatusIdle }, cache.BypassBusy},
		{"pinned", "", true, func(s *session) { s.tx.pins = sqlparse.ReasonTemporary.Set() }, cache.BypassPinned},
		{"a cancel request", "", true, func(s *session) { s.cancel.inFlight = 1 }, cache.BypassBusy},
		{"a pipeline", "", true, func(s *session) { s.queue.push(expectQuery, forward) }, cache.BypassBusy},
		{"no Sync yet", "", true, func(s *session) { s.tx.unsynced = true }, cache.BypassBusy},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRelay(t)
			r.remember(relayed(t)["simple"])
			if test.leased {
				r.inTransaction()
			}
			r.session.begin.isolation = test.held
			test.change(r.session)
			if got := r.session.bypass(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			r.session.bypassed()
			for b, n := range r.session.databases.cache.Stat().Bypassed {
				if counted := n == 1; counted != (test.want != cache.NoBypass && cache.Bypass(b) == test.want) {
					t.Errorf("%q is counted %d times", cache.Bypass(b), n)
				}
			}
		})
	}
}

// What a session does not get from the cache is counted once for each statement that
// could have come from there.
func TestBypassIsCountedOnce(t *testing.T) {
	for name, x := range relayed(t) {
		if name == "error" {
			continue
		}
		r := newRelay(t)
		r.remember(x)
		r.session.who.blurred = true
		r.session.Data(x[0])
		r.settle()
		if n := r.session.databases.cache.Stat().Bypassed[cache.BypassSettings]; n != 1 {
			t.Errorf("%s: counted %d times", name, n)
		}
	}
	r := newRelay(t)
	r.remember(relayed(t)["simple"])
	r.session.who.blurred = true
	r.session.Data(frames(t, &pgproto3.Query{String: "update t set v = 1"}, &pgproto3.Parse{Query: "update t set v = 1"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}))
	if n := r.session.databases.cache.Stat().Bypassed[cache.BypassSettings]; n != 0 {
		t.Errorf("a write is counted %d times", n)
	}
}
