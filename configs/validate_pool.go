package configs

import (
	"fmt"
	"time"

	"github.com/pgjay/pgjay/pool"
)

// notNegative wants a duration that can be 0.
func (c check) notNegative(path string, d time.Duration, zero string) {
	if d < 0 {
		c.wrong(path, d.String()+" is negative", "use a positive duration, or 0 "+zero)
	}
}

// positive wants a duration that cannot be 0.
func (c check) positive(path string, d time.Duration) {
	if d <= 0 {
		c.wrong(path, d.String()+" is not positive", "use a duration above 0")
	}
}

func (c check) timeouts() {
	t := c.cfg.Timeouts
	const none = "for no timeout"
	c.notNegative("timeouts.query", t.Query, none)
	c.notNegative("timeouts.transaction", t.Transaction, none)
	c.notNegative("timeouts.idle_in_transaction", t.IdleInTransaction, none)
	c.notNegative("timeouts.client_idle", t.ClientIdle, none)
	c.notNegative("timeouts.client_login", t.ClientLogin, none)
	c.notNegative("timeouts.half_closed", t.HalfClosed, "to take it for gone at once")
	c.notNegative("timeouts.shutdown", t.Shutdown, "to stop at once")
}

func (c check) backend() {
	b := c.cfg.Backend
	c.backendURL("backend.url", b.URL)
	c.positive("backend.connect_timeout", b.ConnectTimeout)
	c.notNegative("backend.keepalive", b.KeepAlive, "for none")
}

// smallestInbox has room for a few of the longest notifications.
const smallestInbox = 64 << 10

func (c check) pool() {
	p := c.cfg.Pool
	c.atLeast("pool.size", p.Size, 1)
	c.atLeast("pool.overflow", p.Overflow, 0)
	c.atLeast("pool.min_idle", p.MinIdle, 0)
	c.atLeast("pool.max_connecting", p.MaxConnecting, 1)
	c.atLeast("pool.max_prepared_statements", p.MaxPreparedStatements, 0)
	c.atLeast("pool.max_database_connections", p.MaxDatabaseConnections, 0)
	c.atLeast("pool.max_notification_bytes", p.MaxNotificationBytes, smallestInbox)
	c.minIdle("pool", p.MinIdle, p.Size)
	c.spool()
	c.functions("pool", p.HarmlessFunctions, p.StatefulFunctions)
	c.notNegative("pool.overflow_after", p.OverflowAfter, "to open them at once")
	c.notNegative("pool.overflow_idle", p.OverflowIdle, "to close them at once")
	c.positive("pool.acquire_timeout", p.AcquireTimeout)
	c.notNegative("pool.recycle", p.Recycle, "to keep backends for ever")
	c.notNegative("pool.pre_ping_after", p.PrePingAfter, "to check before every lease")
}

// minIdle wants no more idle backends in the section at path than are kept.
func (c check) minIdle(path string, idle, size int) {
	if idle > size && size >= 1 {
		c.wrong(path+".min_idle", fmt.Sprintf("%d idle backends cannot be kept in a pool of size %d", idle, size),
			"lower min_idle or raise size", path+".size")
	}
}

// functions checks what the section at path declares of functions.
func (c check) functions(path string, harmless, stateful []string) {
	first := make(map[string]string)
	for _, list := range []struct {
		key   string
		names []string
	}{{".harmless_functions", harmless}, {".stateful_functions", stateful}} {
		for i, written := range list.names {
			at := fmt.Sprintf("%s%s[%d]", path, list.key, i)
			name, err := pool.ParseFunction(written)
			if err != nil {
				c.wrong(at, c.quote(at, written)+" is not the name of a function",
					"write name or schema.name, without arguments; double quotes around what has capitals or other signs")
				continue
			}
			if before, again := first[name]; again {
				c.wrong(at, fmt.Sprintf("%s is %s too", c.quote(at, written), before), "keep one of them")
				continue
			}
			first[name] = at
		}
	}
}

// overrides checks pool.databases or pool.users.
func (c check) overrides(list string, entries []pool.Override) {
	first := make(map[string]int)
	for i, o := range entries {
		path := fmt.Sprintf("%s[%d]", list, i)
		if o.Name == "" {
			c.missing(path+".name", "an entry without a name", "give the name that clients use", path)
			continue
		}
		if before, again := first[o.Name]; again {
			c.wrong(path+".name", fmt.Sprintf("%s is the name of %s[%d] too", c.quote(path+".name", o.Name), list, before), "put all keys into one entry")
			continue
		}
		first[o.Name] = i
		c.override(path, o)
		c.elsewhere(path, list, o)
	}
}

func (c check) override(path string, o pool.Override) {
	size, idle := c.cfg.Pool.Size, c.cfg.Pool.MinIdle
	if o.Size != nil {
		size = *o.Size
		c.atLeast(path+".size", size, 1)
	}
	if o.MinIdle != nil {
		idle = *o.MinIdle
		c.atLeast(path+".min_idle", idle, 0)
	}
	if o.Overflow != nil {
		c.atLeast(path+".overflow", *o.Overflow, 0)
	}
	if o.MaxDatabaseConnections != nil {
		c.atLeast(path+".max_database_connections", *o.MaxDatabaseConnections, 0)
	}
	if o.Size != nil || o.MinIdle != nil {
		c.minIdle(path, idle, size)
	}
	c.functions(path, o.HarmlessFunctions, o.StatefulFunctions)
}

// elsewhere checks what only a database entry can have: another server or
// another name there, and the cap over all users.
func (c check) elsewhere(path, list string, o pool.Override) {
	if list == "pool.databases" {
		if o.Backend != "" {
			c.backendURL(path+".backend", o.Backend)
		}
		return
	}
	if o.Backend != "" {
		c.wrong(path+".backend", "a user has no server of its own", "move it to an entry of pool.databases")
	}
	if o.Database != "" {
		c.wrong(path+".database", "a user has no database of its own", "move it to an entry of pool.databases")
	}
	if o.MaxDatabaseConnections != nil {
		c.wrong(path+".max_database_connections", "the cap of a database is over all its users", "move it to an entry of pool.databases")
	}
}
