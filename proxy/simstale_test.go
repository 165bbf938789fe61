package proxy

import (
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// simPlans is what prepared statements know of a table that others change, so that
// the rows of what reads it are others.
type simPlans struct {
	schema   *int           // nil: nobody changes it
	prepared map[string]int // schema when a statement was prepared
	amid     bool           // in the messages up to a Sync
}

// stale gives the error for a statement that cannot be prepared any more, as it
// could when its client prepared it.
func (v *simServer) stale(text string) bool {
	_, mark, standIn := strings.Cut(text, "SELECT 'pgjay: refused ")
	if standIn {
		return !v.fail("22P02", "pgjay: refused "+mark)
	}
	if v.missing(text) {
		return true
	}
	return strings.Contains(text, "gone") && !v.fail("42P01", "what it names is gone")
}

// plan notes that a statement has been prepared.
func (v *simServer) plan(name string) {
	if v.schema == nil {
		return
	}
	if v.prepared == nil {
		v.prepared = map[string]int{}
	}
	v.prepared[name] = *v.schema
}

// outdated gives the error for a statement whose rows have changed.
func (v *simServer) outdated(name, text string) bool {
	if !strings.HasSuffix(text, " FROM w") || v.schema == nil || v.prepared[name] == *v.schema {
		return false
	}
	v.out = wire.AppendFrame(v.out, wire.ErrorResponse,
		"SERROR\x00VERROR\x00C0A000\x00Mcached plan must not change result type\x00RRevalidateCachedQuery\x00\x00")
	return !v.failed()
}

// changeSchema does DDL that no session sees, while no server process is between a
// Parse and a Bind.
func (m *sim) changeSchema() {
	if m.changes == 0 || m.rng.IntN(10) != 0 || slices.ContainsFunc(m.backends, func(b *simBackend) bool { return b.server.amid }) {
		return
	}
	m.changes--
	m.schema++
	m.say("the schema changes")
}

// prepareFresh is an exchange that prepares a statement and executes it at once,
// which PostgreSQL never refuses for what others have changed before.
func (w *scriptWriter) prepareFresh() {
	name := []string{"", "fresh"}[w.rng.IntN(2)]
	w.query("ROLLBACK")
	w.out = wire.AppendEmpty(wire.AppendCloseStatement(w.out, name), wire.Sync)
	w.wait()
	w.out = wire.AppendParse(w.out, name, "SELECT 'same' FROM w")
	if w.rng.IntN(3) == 0 {
		w.out = wire.AppendDescribeStatement(w.out, name)
	}
	w.out = wire.AppendExecute(wire.AppendBindText(w.out, name))
	w.out = wire.AppendEmpty(w.out, wire.Sync)
	w.wait()
	w.out = wire.AppendEmpty(wire.AppendParse(w.out, "", "SELECT "+w.tag()), wire.Sync) // or it may be bound later
}

func (w *scriptWriter) wait() { w.waits = append(w.waits, len(w.out)) }

// answered reports whether the client has all replies to what it has sent.
func (c *simClient) answered() bool {
	s := c.session
	return s.client.in == nil && s.client.paused == 0 && (s.back.lease == nil || s.quiet())
}
