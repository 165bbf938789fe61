package configs

import (
	"fmt"
	"slices"
	"strings"
)

// check looks at one value and what it says about others. Values that could
// not be decoded have their error already and still the default.
type check struct {
	*decoder
}

func validate(d *decoder) {
	c := check{d}
	c.listen()
	c.admin()
	c.auth()
	c.tls()
	c.limits()
	c.timeouts()
	c.backend()
	c.pool()
	c.overrides("pool.databases", c.cfg.Pool.Databases)
	c.overrides("pool.users", c.cfg.Pool.Users)
	c.cache()
	c.rewrite()
	c.monitor()
	c.dashboard()
	c.log()
}

// wrong reports that the value at path is. Its place is that of the first of
// path and others that was given, or of the section around path.
func (c check) wrong(path, message, fix string, others ...string) {
	c.fail(c.place(append([]string{path}, others...)), path, message, fix)
}

// missing is wrong for a value that ought to be there, unless something inside
// it is wrong already.
func (c check) missing(path, message, fix string, others ...string) {
	for _, p := range append(others, path) {
		if c.errs.under(p) {
			return
		}
	}
	c.wrong(path, message, fix, others...)
}

func (c check) place(paths []string) place {
	for _, p := range paths {
		if at, ok := c.places[p]; ok {
			return at
		}
	}
	for p := paths[0]; p != ""; {
		p = p[:max(strings.LastIndexAny(p, ".["), 0)]
		if at, ok := c.places[p]; ok {
			return at
		}
	}
	return place{src: &source{name: "built-in default"}}
}

// atLeast wants the number at path to be least or more.
func (c check) atLeast(path string, n, least int) {
	if n < least {
		c.wrong(path, fmt.Sprintf("%d is too small", n), fmt.Sprintf("use %d or more", least))
	}
}

// between wants the number at path in a range.
func (c check) between(path string, n, least, most int) {
	if n < least || n > most {
		c.wrong(path, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("use a number from %d to %d", least, most))
	}
}

// oneOf wants a plain string that is an enumeration to have one of its values.
func (c check) oneOf(path, value string, allowed []string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	message, fix := notOneOf(value, c.quote(path, value), allowed)
	c.wrong(path, message, fix)
	return false
}

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"text", "json"}
)

func (c check) log() {
	c.oneOf("log.level", c.cfg.Log.Level, logLevels)
	c.oneOf("log.format", c.cfg.Log.Format, logFormats)
}

func (c check) limits() {
	l := c.cfg.Limits
	c.atLeast("limits.max_clients", l.MaxClients, 1)
	c.atLeast("limits.max_clients_per_address", l.MaxClientsPerAddress, 1)
	c.between("limits.max_startup_packet", l.MaxStartupPacket, 1024, 1<<20)
	c.atLeast("limits.max_prepared_mb", l.MaxPreparedMB, 0)
}
