package proxy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
)

var showPools = consoleCommand{
	words: "SHOW POOLS", tag: "SHOW", run: poolRows,
	columns: bouncerColumns("ssiiiiiiiiiiiiiss",
		"database", "user", "cl_active", "cl_waiting", "cl_active_cancel_req", "cl_waiting_cancel_req",
		"sv_active", "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login",
		"maxwait", "maxwait_us", "pool_mode", "load_balance_hosts"),
}

// poolLine is a row of SHOW POOLS.
type poolLine struct {
	key pool.Key
	// Clients: active has those with nothing to wait for, as PgBouncer counts them.
	active, waiting, cancels, cancelsWaiting int
	servers                                  pool.Stat
	mode                                     string
}

func poolRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	lines := make(map[pool.Key]*poolLine)
	for _, st := range call.pools.Stats() {
		lines[st.Key] = &poolLine{key: st.Key, servers: st, mode: string(st.Settings.Mode)}
	}
	for i := range clients {
		c := &clients[i]
		line := lines[c.Key]
		if line == nil { // the console's, or it has come just now
			line = &poolLine{key: c.Key, mode: string(pool.ModeStatement)}
			lines[c.Key] = line
		}
		line.add(c)
	}
	var rows [][]any
	for _, key := range slices.SortedFunc(maps.Keys(lines), compareKeys) {
		rows = append(rows, lines[key].row())
	}
	return consoleAnswer{rows: rows}, nil
}

func compareKeys(a, b pool.Key) int {
	return cmp.Or(cmp.Compare(a.Database, b.Database), cmp.Compare(a.User, b.User))
}

func (l *poolLine) add(c *ClientStat) {
	if c.State == monitor.ClientWaiting {
		l.waiting++
	} else {
		l.active++
	}
	l.cancels += c.Cancels
	l.cancelsWaiting += c.CancelsWaiting
}

func (l *poolLine) row() []any {
	s := &l.servers
	return []any{
		shown(l.key.Database), shown(l.key.User), int64(l.active), int64(l.waiting), int64(l.cancels), int64(l.cancelsWaiting),
		int64(s.Active + s.Dedicated), int64(l.cancels), int64(0), int64(s.Idle), int64(0), int64(s.Testing), int64(s.Login),
		int64(s.OldestWait / time.Second), int64(s.OldestWait % time.Second / time.Microsecond), l.mode, nil,
	}
}
