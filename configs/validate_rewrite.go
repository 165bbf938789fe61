package configs

import (
	"fmt"
	"slices"

	"github.com/pgjay/pgjay/rewrite"
)

func (c check) rewrite() {
	cfg := &c.cfg.Rewrite
	c.atLeast("rewrite.offset.min", cfg.Offset.Min, 1)
	c.atLeast("rewrite.offset.memory_mb", cfg.Offset.MemoryMB, 1)
	c.positive("rewrite.offset.max_age", cfg.Offset.MaxAge)
	c.positive("rewrite.offset.sample_timeout", cfg.Offset.SampleTimeout)
	names := cfg.Names()
	for i := range cfg.Rules {
		path := fmt.Sprintf("rewrite.rules[%d]", i)
		r := &cfg.Rules[i]
		c.named(path+".users", r.Users)
		c.named(path+".databases", r.Databases)
		for j, name := range r.Names {
			if at := fmt.Sprintf("%s.names[%d]", path, j); !c.errs.under(at) {
				c.oneOf(at, name, names)
			}
		}
		if r.Pages != "" && c.oneOf(path+".pages", string(r.Pages), []string{string(rewrite.PagesExact), string(rewrite.PagesStable)}) && !slices.Contains(r.Names, rewrite.OffsetRule) {
			c.wrong(path+".pages", "pages for a rule that is not "+rewrite.OffsetRule, "write names: ["+rewrite.OffsetRule+"], or remove pages")
		}
		if r.Mode == "" {
			c.missing(path+".mode", "a rule without a mode", "write mode: off, shadow, canary or on", path)
		}
	}
	for i := range cfg.UserRules {
		path := fmt.Sprintf("rewrite.user_rules[%d]", i)
		if err := cfg.UserRules[i].Check(); err != nil && !c.errs.under(path) {
			c.wrong(path, err.Error(), "see docs/rewriting.md, Rules of your own")
		}
	}
	if len(c.errs.List) > 0 {
		return
	}
	engine, err := rewrite.New(*cfg)
	if err != nil {
		c.wrong("rewrite", err.Error(), "see docs/rewriting.md, Rules of your own")
		return
	}
	failed, _ := engine.RunTests()
	for _, text := range failed {
		c.wrong("rewrite.user_rules", "a test fails: "+text, "mend the rule, or its test")
	}
}

// RewriteTests returns how many tests there are in rules of rewriting, and how many
// rules have some.
func (c *Config) RewriteTests() (rules, tests int) {
	for i := range c.Rewrite.UserRules {
		if n := len(c.Rewrite.UserRules[i].Tests); n > 0 {
			rules, tests = rules+1, tests+n
		}
	}
	return rules, tests
}
