package proxy

import (
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// simKept is what a session leaves on its server process that pins it there.
// Locks are shared ones: nobody waits for them.
type simKept struct {
	temp    map[string]string // temporary tables, with what is in them
	cursors map[string]string // WITH HOLD
	locks   map[string]int
}

func newSimKept() simKept {
	return simKept{temp: map[string]string{}, cursors: map[string]string{}, locks: map[string]int{}}
}

// keeps returns the reasons to pin, as the proxy's question names them.
func (k *simKept) keeps() (reasons []string) {
	if len(k.temp) > 0 {
		reasons = append(reasons, "temporary")
	}
	if len(k.cursors) > 0 {
		reasons = append(reasons, "cursor")
	}
	if len(k.locks) > 0 {
		reasons = append(reasons, "advisory_lock")
	}
	return reasons
}

// keep does what concerns temporary tables and cursors.
func (v *simServer) keep(word, text string) bool {
	f := strings.Fields(text)
	_, content, _ := strings.Cut(text, " SELECT ")
	switch name := f[len(f)-1]; word {
	case "CREATE": // TEMP TABLE name AS SELECT
		if v.temp[f[3]] != "" {
			return v.fail("42P07", "relation already exists")
		}
		v.putTemp(f[3], content)
		return v.complete("SELECT 1")
	case "DROP":
		if v.temp[name] == "" {
			return v.fail("42P01", "table does not exist")
		}
		v.putTemp(name, "")
		return v.complete("DROP TABLE")
	case "DECLARE": // name CURSOR WITH HOLD FOR SELECT
		if v.cursors[f[1]] != "" {
			return v.fail("42P03", "cursor already exists")
		}
		v.cursors[f[1]] = content
		v.undo = append(v.undo, func() { delete(v.cursors, f[1]) })
		return v.complete("DECLARE CURSOR")
	case "FETCH":
		if v.cursors[name] == "" {
			return v.fail("34000", "cursor does not exist")
		}
		v.data(wire.DataRow, v.cursors[name])
		return v.complete("FETCH 1")
	default: // CLOSE, which no rollback takes back
		if name != "ALL" && v.cursors[name] == "" {
			return v.fail("34000", "cursor does not exist")
		}
		delete(v.cursors, name)
		if name == "ALL" {
			clear(v.cursors)
		}
		return v.complete("CLOSE CURSOR")
	}
}

func (v *simServer) putTemp(name, content string) {
	old := v.temp[name]
	put(v.temp, name, content)
	v.undo = append(v.undo, func() { put(v.temp, name, old) })
}

func (v *simServer) dropTemp() {
	for _, name := range sortedKeys(v.temp, nil) {
		v.putTemp(name, "")
	}
}

// lock takes and gives back advisory locks of the session, whatever becomes of
// the transaction.
func (v *simServer) lock(call string) bool {
	name, key, _ := strings.Cut(strings.TrimSuffix(call, ")"), "(")
	answer := name
	switch {
	case name == "pg_advisory_lock_shared":
		v.locks[key]++
	case name == "pg_advisory_unlock_all":
		clear(v.locks)
	case v.locks[key] == 0:
		answer += " f"
	default:
		if v.locks[key]--; v.locks[key] == 0 {
			delete(v.locks, key)
		}
		answer += " t"
	}
	v.data(wire.DataRow, answer)
	return v.complete("SELECT 1")
}

// tableOf returns the temporary table that a statement reads.
func tableOf(text string) (name string, ok bool) {
	_, name, ok = strings.Cut(text, "SELECT t FROM ")
	return name, ok
}

// missing gives the error for a statement that reads a table that is not there.
func (v *simServer) missing(text string) bool {
	name, ok := tableOf(text)
	return ok && v.temp[name] == "" && !v.fail("42P01", "relation does not exist")
}

// keeping is a statement that has to do with what pins.
func (w *scriptWriter) keeping() string {
	all := [...]string{
		"CREATE TEMP TABLE t1 AS SELECT " + w.tag(), "CREATE TEMP TABLE t2 AS SELECT " + w.tag(),
		"SELECT t FROM t1", "SELECT t FROM t2", "SELECT t FROM t1", "DROP TABLE t1", "DROP TABLE t2", "DISCARD TEMP",
		"PREPARE " + w.name() + " AS SELECT t FROM t1",
		"DECLARE k CURSOR WITH HOLD FOR SELECT " + w.tag(), "FETCH k", "CLOSE k", "CLOSE ALL",
		"SELECT pg_advisory_lock_shared(1)", "SELECT pg_advisory_unlock_shared(1)", "SELECT pg_advisory_unlock_all()",
	}
	return all[w.rng.IntN(len(all))]
}

// mayRest is called when the client is about to send a message. A session that
// has done all that it was asked for, and has a backend still, must have a reason.
func (c *simClient) mayRest() {
	s := c.session
	if c.sim.faults || s.state != stateReady || s.gone || s.back.lease == nil || s.own || !s.pooled() || s.client.paused != 0 {
		return
	}
	b := s.back.lease.Conn().(*simBackend)
	v := b.server
	if !s.quiet() || s.holds() || s.cancel.inFlight > 0 || b.paused || len(b.pending)+len(v.in)+len(v.out) > 0 || v.status != 'I' {
		return
	}
	const forGood = sqlparse.Reasons(1 << sqlparse.ReasonSequence)
	tied := s.tx.pins.Has(sqlparse.ReasonPrepared) && len(v.sources) > 0
	if len(v.keeps()) == 0 && s.tx.pins&forGood == 0 && !tied {
		c.sim.t.Errorf("client %d keeps a backend for nothing: %v", c.id, s.tx.pin)
	}
}
