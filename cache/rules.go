package cache

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Rules are the configuration's, compiled. They never change: a new configuration
// makes new ones.
type Rules struct {
	rules    []rule
	base     Decision   // where none matches
	declared []Function // by any of them
}

type rule struct {
	Rule
	match    *regexp.Regexp // nil: any text
	decision Decision
}

// A RuleQuery is what rules look at.
type RuleQuery struct {
	Tables      []string // all that the statement reads, as schema.name
	User        string   // as the client gave it
	Database    string
	Fingerprint string
	Text        string // normalised
}

// A Decision is what the rules say about a statement. Its slices belong to the
// rules.
type Decision struct {
	// Rule is the number of the rule in the configuration, from 0; -1 if none
	// matched.
	Rule  int
	Cache Policy
	// TTL, with what follows it, is not more than max_ttl.
	TTL, StaleWhileRevalidate, StaleIfError time.Duration
	MaxEntry                                Bytes
	Hints                                   bool
	Functions                               []Function
	Tags                                    []*Word // for Stamp.Add
	maxTTL                                  time.Duration
}

// Rules returns the rules of the present configuration. What they say of a
// statement stays the same for as long as these are the same.
func (c *Cache) Rules() *Rules { return c.rules.Load() }

func (c *Cache) newRules(cfg *Config) (*Rules, error) {
	r := &Rules{base: Decision{Rule: -1, Cache: Auto, TTL: cfg.TTL, MaxEntry: cfg.MaxEntry, Hints: cfg.Hints, maxTTL: cfg.MaxTTL}}
	var errs []error
	for i, given := range cfg.Rules {
		compiled, err := r.compile(i, given, c.Tag)
		if err != nil {
			errs = append(errs, fmt.Errorf("rules[%d].%w", i, err))
		}
		r.rules = append(r.rules, compiled)
		r.declared = append(r.declared, given.Functions...)
	}
	return r, errors.Join(errs...)
}

func (r *Rules) compile(i int, given Rule, tag func(string) *Word) (rule, error) {
	if err := given.check(); err != nil {
		return rule{}, err
	}
	d := r.base
	d.Rule, d.Functions = i, given.Functions
	d.StaleWhileRevalidate, d.StaleIfError = given.StaleWhileRevalidate, given.StaleIfError
	if given.Cache != "" {
		d.Cache = given.Cache
	}
	if given.TTL != nil {
		d.TTL = *given.TTL
	}
	if given.MaxEntry != nil {
		d.MaxEntry = *given.MaxEntry
	}
	if given.Hints != nil {
		d.Hints = *given.Hints
	}
	for _, name := range given.Tags {
		d.Tags = append(d.Tags, tag(name))
	}
	compiled := rule{Rule: given, decision: d}
	if given.Match != "" {
		var err error
		if compiled.match, err = regexp.Compile(given.Match); err != nil {
			return rule{}, fmt.Errorf("match: %w", err)
		}
	}
	return compiled, nil
}

func (r *Rule) check() error {
	switch {
	case r.Cache != "" && r.Cache != Auto && r.Cache != Never && r.Cache != Always:
		return fmt.Errorf("cache: %q is not one of auto, never, always", r.Cache)
	case r.TTL != nil && *r.TTL <= 0:
		return errors.New("ttl: must be more than 0; to cache nothing, write cache: never")
	case r.MaxEntry != nil && *r.MaxEntry <= 0:
		return errors.New("max_entry: must be more than 0")
	case r.StaleWhileRevalidate < 0:
		return errors.New("stale_while_revalidate: must not be negative")
	case r.StaleIfError < 0:
		return errors.New("stale_if_error: must not be negative")
	case slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Name == "" }):
		return errors.New("functions: each needs a name")
	case slices.Contains(r.Tables, "") || slices.Contains(r.Tags, ""):
		return errors.New("tables and tags must not be empty")
	}
	return nil
}

// Declared returns the functions that rules declare, all of them. The slice belongs
// to the rules.
func (r *Rules) Declared() []Function { return r.declared }

// Match returns what the first rule that matches says.
func (r *Rules) Match(q RuleQuery) Decision {
	for i := range r.rules {
		if r.rules[i].matches(&q) {
			return r.rules[i].decision
		}
	}
	return r.base
}

func (r *rule) matches(q *RuleQuery) bool {
	return (r.Fingerprint == "" || r.Fingerprint == q.Fingerprint) &&
		(len(r.Users) == 0 || slices.Contains(r.Users, q.User)) &&
		(len(r.Databases) == 0 || slices.Contains(r.Databases, q.Database)) &&
		(len(r.Tables) == 0 || r.reads(q.Tables)) &&
		(r.match == nil || r.match.MatchString(q.Text))
}

// reads reports whether the statement reads one of the rule's tables if that is
// what forbids it, and nothing but these otherwise.
func (r *rule) reads(tables []string) bool {
	if r.Cache == Never {
		return slices.ContainsFunc(tables, r.names)
	}
	return len(tables) > 0 && !slices.ContainsFunc(tables, func(table string) bool { return !r.names(table) })
}

// names reports whether the rule has this table.
func (r *rule) names(table string) bool {
	schema, name, _ := strings.Cut(table, ".")
	return slices.ContainsFunc(r.Tables, func(given string) bool {
		in, of, qualified := strings.Cut(given, ".")
		if !qualified {
			return given == name
		}
		return in == schema && (of == name || of == "*")
	})
}

// With is the decision for a statement that has these hints, if they are allowed.
func (d Decision) With(h HintSet) Decision {
	switch {
	case !d.Hints:
	case h.NoCache:
		d.Cache = Never
	case h.TTL > 0:
		d.TTL = h.TTL
	}
	return d
}

// Times are the points in time for an Answer that has been asked for now.
func (d *Decision) Times(now int64) (fresh, stale, onError int64) {
	capped := func(ttl time.Duration) int64 { return now + int64(min(ttl, d.maxTTL)) }
	return capped(d.TTL), capped(d.TTL + d.StaleWhileRevalidate), capped(d.TTL + max(d.StaleWhileRevalidate, d.StaleIfError))
}
