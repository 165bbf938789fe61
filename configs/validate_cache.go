package configs

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
)

func (c check) cache() {
	cfg := &c.cfg.Cache
	c.aboveZero("cache.size", cfg.Size)
	c.entry("cache.max_entry", cfg.MaxEntry)
	c.positive("cache.max_ttl", cfg.MaxTTL)
	c.ttl("cache.ttl", cfg.TTL, "use a duration above 0")
	c.atLeast("cache.verify_sample", cfg.VerifySample, 0)
	c.notNegative("cache.coalesce_max_wait", cfg.CoalesceMaxWait, "for no waiting")
	for i := range cfg.Rules {
		c.rule(fmt.Sprintf("cache.rules[%d]", i), &cfg.Rules[i])
	}
	for i := range cfg.Warm {
		c.warm(fmt.Sprintf("cache.warm[%d]", i), &cfg.Warm[i])
	}
}

// aboveZero wants a number of bytes that cannot be 0.
func (c check) aboveZero(path string, b cache.Bytes) bool {
	if b > 0 {
		return true
	}
	c.wrong(path, b.String()+" is too small", "use a number above 0, such as 1MB")
	return false
}

// entry wants a bound of one answer to be one that fits in.
func (c check) entry(path string, b cache.Bytes) {
	if size := c.cfg.Cache.Size; c.aboveZero(path, b) && b > size && size > 0 {
		c.wrong(path, fmt.Sprintf("%v is more than cache.size, %v", b, size), "lower max_entry or raise cache.size", "cache.size")
	}
}

// ttl wants a time that is not above the highest.
func (c check) ttl(path string, ttl time.Duration, fix string) {
	switch most := c.cfg.Cache.MaxTTL; {
	case ttl <= 0:
		c.wrong(path, ttl.String()+" is not positive", fix)
	case ttl > most && most > 0:
		c.wrong(path, fmt.Sprintf("%v is more than cache.max_ttl, %v", ttl, most), "lower ttl or raise cache.max_ttl", "cache.max_ttl")
	}
}

// rule checks the rule at path, in the order of its keys.
func (c check) rule(path string, r *cache.Rule) {
	c.tables(path+".tables", r.Tables, "write name, schema.name or schema.*, as PostgreSQL has it, without quotes", isTables)
	c.named(path+".users", r.Users)
	c.named(path+".databases", r.Databases)
	if r.Fingerprint != "" && !fingerprint.MatchString(r.Fingerprint) {
		c.wrong(path+".fingerprint", c.quote(path+".fingerprint", r.Fingerprint)+" is not a fingerprint", "copy the 16 digits that the console shows for the statement")
	}
	c.match(path+".match", r.Match)
	c.times(path, r)
	if r.MaxEntry != nil {
		c.entry(path+".max_entry", *r.MaxEntry)
	}
	for i, f := range r.Functions {
		c.function(fmt.Sprintf("%s.functions[%d]", path, i), f)
	}
	c.named(path+".tags", r.Tags)
}

var fingerprint = regexp.MustCompile(`^[0-9a-f]{16}$`)

// isTables reports whether a text is name, schema.name or schema.*.
func isTables(text string) bool {
	schema, name, qualified := strings.Cut(text, ".")
	return schema != "" && (name != "" || !qualified) && !strings.ContainsAny(schema, `*"`) &&
		(name == "*" || !strings.ContainsAny(name, `.*"`))
}

// isTable reports whether a text is schema.name.
func isTable(text string) bool {
	return isTables(text) && strings.Contains(text, ".") && !strings.HasSuffix(text, "*")
}

func (c check) tables(path string, tables []string, fix string, proper func(string) bool) {
	for i, written := range tables {
		if at := fmt.Sprintf("%s[%d]", path, i); !proper(written) && !c.errs.under(at) {
			c.wrong(at, c.quote(at, written)+" is not the name of a table", fix)
		}
	}
}

// named wants no name in a list to be empty.
func (c check) named(path string, names []string) {
	for i, name := range names {
		if at := fmt.Sprintf("%s[%d]", path, i); name == "" && !c.errs.under(at) {
			c.wrong(at, "an empty name", "write the name, or remove the entry")
		}
	}
}

// match wants a regular expression.
func (c check) match(path, written string) {
	if _, err := regexp.Compile(written); err != nil {
		why := "it cannot be compiled"
		if detail := new(syntax.Error); errors.As(err, &detail) {
			why = detail.Code.String()
		}
		c.wrong(path, c.quote(path, written)+" is not a regular expression: "+why, `write one as Go and RE2 have it; \ before . * + ? ( ) [ ] { } | ^ $ takes a sign as it is`)
	}
}

// times wants answers not to be served for longer than they may be at most.
func (c check) times(path string, r *cache.Rule) {
	ttl, most := c.cfg.Cache.TTL, c.cfg.Cache.MaxTTL
	if r.TTL != nil {
		ttl = *r.TTL
		c.ttl(path+".ttl", ttl, "use a duration above 0; to cache nothing, write cache: never")
	}
	for _, stale := range []struct {
		key string
		d   time.Duration
	}{{".stale_while_revalidate", r.StaleWhileRevalidate}, {".stale_if_error", r.StaleIfError}} {
		c.notNegative(path+stale.key, stale.d, "for none")
		if stale.d > 0 && 0 < ttl && ttl <= most && stale.d > most-ttl {
			c.wrong(path+stale.key, fmt.Sprintf("%v after a ttl of %v is more than cache.max_ttl, %v", stale.d, ttl, most), "lower it or raise cache.max_ttl")
		}
	}
}

// function checks what a rule declares of a function.
func (c check) function(path string, f cache.Function) {
	const fix = "write name or schema.name, without arguments; double quotes around what has capitals or other signs"
	if f.Name == "" {
		c.missing(path+".name", "a function without a name", fix, path)
	} else if _, err := pool.ParseFunction(f.Name); err != nil {
		c.wrong(path+".name", c.quote(path+".name", f.Name)+" is not the name of a function", fix)
	}
	c.tables(path+".tables", f.Tables, "write schema.name, as PostgreSQL has it, without quotes", isTable)
}

// warm checks the statement at path that is to be warm.
func (c check) warm(path string, w *cache.Warm) {
	for _, needed := range []struct{ key, value, what string }{
		{".text", w.Text, "a statement without text"}, {".user", w.User, "a statement without a user"}, {".database", w.Database, "a statement without a database"},
	} {
		if needed.value == "" {
			c.missing(path+needed.key, needed.what, "write it as clients give it", path)
		}
	}
	for i, setting := range w.Settings {
		if name, _, ok := strings.Cut(setting, "="); !ok || name == "" {
			at := fmt.Sprintf("%s.settings[%d]", path, i)
			c.wrong(at, c.quote(at, setting)+" is not a setting", "write name=value")
		}
	}
}

// cacheWarnings lists what is allowed in the section cache and probably not meant.
func (c *Config) cacheWarnings() (list []string) {
	all := -1
	for i := range c.Cache.Rules {
		switch r := &c.Cache.Rules[i]; {
		case all >= 0:
			list = append(list, fmt.Sprintf("cache.rules[%d] is never used: cache.rules[%d] has no conditions, so it is for all statements", i, all))
		case unconditional(r):
			all = i
		}
	}
	return list
}

// unconditional reports whether a rule is for all statements.
func unconditional(r *cache.Rule) bool {
	return len(r.Tables)+len(r.Users)+len(r.Databases) == 0 && r.Fingerprint == "" && r.Match == ""
}
