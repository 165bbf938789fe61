package cache

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRules(t *testing.T) {
	ttl, large, yes := time.Hour*2, 5*MB, true
	c := newCache(t, func(cfg *Config) {
		cfg.Rules = []Rule{
			0: {Tables: []string{"secrets", "audit.*"}, Cache: Never},
			1: {Tables: []string{"public.countries", "currencies"}, Cache: Always, TTL: &ttl, Tags: []string{"world", "static"}},
			2: {Users: []string{"report", "bi"}, Databases: []string{"crm"}, MaxEntry: &large, StaleWhileRevalidate: time.Minute},
			3: {Fingerprint: "f1", Hints: &yes, StaleIfError: time.Hour},
			4: {Match: `^SELECT .* FROM items WHERE id = \$1$`, Functions: []Function{{Name: "price", Tables: []string{"public.prices"}}}},
			5: {Users: []string{"nobody"}, Match: "x", Cache: Never},
		}
	})
	for _, tt := range []struct {
		query RuleQuery
		want  int
	}{
		{RuleQuery{}, -1},
		{RuleQuery{Tables: []string{"public.secrets"}}, 0},
		{RuleQuery{Tables: []string{"public.items", "other.secrets"}}, 0},
		{RuleQuery{Tables: []string{"audit.log", "public.items"}}, 0},
		{RuleQuery{Tables: []string{"public.secrets_of_success"}}, -1},
		{RuleQuery{Tables: []string{"public.audit"}}, -1},
		{RuleQuery{Tables: []string{"public.countries"}}, 1},
		{RuleQuery{Tables: []string{"public.countries", "x.currencies"}}, 1},
		{RuleQuery{Tables: []string{"x.countries"}}, -1},
		{RuleQuery{Tables: []string{"public.countries", "public.items"}}, -1},
		{RuleQuery{Tables: []string{"public.countries", "public.secrets"}}, 0},
		{RuleQuery{User: "bi", Database: "crm"}, 2},
		{RuleQuery{User: "bi", Database: "shop"}, -1},
		{RuleQuery{User: "app", Database: "crm"}, -1},
		{RuleQuery{Fingerprint: "f1"}, 3},
		{RuleQuery{Fingerprint: "f1", User: "bi", Database: "crm"}, 2},
		{RuleQuery{Text: "SELECT name FROM items WHERE id = $1"}, 4},
		{RuleQuery{Text: "SELECT name FROM items WHERE id = $1 LIMIT 1"}, -1},
		{RuleQuery{User: "nobody", Text: "xyz"}, 5},
		{RuleQuery{User: "nobody", Text: "abc"}, -1},
	} {
		if got := c.Rules().Match(tt.query); got.Rule != tt.want {
			t.Errorf("%+v: rule %d, want %d", tt.query, got.Rule, tt.want)
		}
	}

	general := c.Rules().Match(RuleQuery{})
	if general.Cache != Auto || general.TTL != 5*time.Minute || general.MaxEntry != MB || general.Hints || general.Tags != nil {
		t.Errorf("in general: %+v", general)
	}
	world := c.Rules().Match(RuleQuery{Tables: []string{"public.countries"}})
	if world.Cache != Always || !slices.Equal(world.Tags, []*Word{c.Tag("world"), c.Tag("static")}) {
		t.Errorf("countries: %+v", world)
	}
	if fresh, stale, onError := world.Times(5); fresh != 5+int64(time.Hour) || stale != fresh || onError != fresh {
		t.Errorf("times beyond max_ttl: %d, %d, %d", fresh, stale, onError)
	}
	report := c.Rules().Match(RuleQuery{User: "bi", Database: "crm"})
	if report.MaxEntry != large || report.Cache != Auto {
		t.Errorf("reports: %+v", report)
	}
	if fresh, stale, onError := report.Times(0); fresh != int64(5*time.Minute) || stale != int64(6*time.Minute) || onError != stale {
		t.Errorf("times of reports: %d, %d, %d", fresh, stale, onError)
	}
	if fresh, stale, onError := c.Rules().Match(RuleQuery{Fingerprint: "f1"}).times(0); fresh != stale || onError != int64(time.Hour) {
		t.Errorf("times with stale_if_error: %d, %d, %d", fresh, stale, onError)
	}
	if d := c.Rules().Match(RuleQuery{Text: "SELECT name FROM items WHERE id = $1"}); len(d.Functions) != 1 || d.Functions[0].Name != "price" {
		t.Errorf("items: %+v", d)
	}
}

func (d Decision) times(now int64) (fresh, stale, onError int64) { return d.Times(now) }

func TestHintsNeedLeave(t *testing.T) {
	allowed := Decision{Cache: Auto, TTL: time.Minute, Hints: true, maxTTL: time.Hour}
	for _, tt := range []struct {
		hint  HintSet
		cache Policy
		ttl   time.Duration
	}{
		{HintSet{}, Auto, time.Minute},
		{HintSet{Bad: true}, Auto, time.Minute},
		{HintSet{TTL: time.Second}, Auto, time.Second},
		{HintSet{NoCache: true, TTL: time.Second}, Never, time.Minute},
	} {
		if d := allowed.With(tt.hint); d.Cache != tt.cache || d.TTL != tt.ttl {
			t.Errorf("%+v: %s for %s", tt.hint, d.Cache, d.TTL)
		}
		forbidden := allowed
		forbidden.Hints = false
		if d := forbidden.With(tt.hint); d.Cache != Auto || d.TTL != time.Minute {
			t.Errorf("%+v without leave: %s for %s", tt.hint, d.Cache, d.TTL)
		}
	}
	d := allowed.With(HintSet{TTL: 100 * time.Hour})
	if fresh, _, _ := d.Times(0); fresh != int64(time.Hour) {
		t.Errorf("a hint goes beyond max_ttl: %d", fresh)
	}
}

func TestRulesAreChecked(t *testing.T) {
	zero, none := time.Duration(0), Bytes(0)
	for want, r := range map[string]Rule{
		"rules[1].cache":                  {Cache: "sometimes"},
		"rules[1].ttl":                    {TTL: &zero},
		"rules[1].max_entry":              {MaxEntry: &none},
		"rules[1].match":                  {Match: "("},
		"rules[1].stale_while_revalidate": {StaleWhileRevalidate: -1},
		"rules[1].stale_if_error":         {StaleIfError: -1},
		"rules[1].functions":              {Functions: []Function{{}}},
		"rules[1].tables and tags":        {Tables: []string{""}},
	} {
		cfg := DefaultConfig()
		cfg.Rules = []Rule{{}, r}
		if _, err := New(cfg); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
}

// TestOtherRulesForget: what was remembered by other rules is not served.
func TestOtherRulesForget(t *testing.T) {
	c := newCache(t)
	cfg := *c.cfg.Load()
	put(t, c, key("q"), stamp(t, c.Space("db")), "x")
	rules := c.Rules()
	cfg.Size *= 2
	if err := c.Configure(cfg); err != nil || c.Rules() != rules {
		t.Fatal("rules have changed with the size:", err)
	}
	wantGet(t, c, key("q"), 1, "x", Hit)
	cfg.Rules = []Rule{{Cache: "wrong"}}
	if err := c.Configure(cfg); err == nil || c.Rules() != rules {
		t.Fatal("wrong rules are taken")
	}
	wantGet(t, c, key("q"), 1, "x", Hit)
	cfg.Rules = []Rule{{Cache: Never}}
	if err := c.Configure(cfg); err != nil || c.Rules().Match(RuleQuery{}).Cache != Never {
		t.Fatal("new rules are not taken:", err)
	}
	wantGet(t, c, key("q"), 1, "", Absent)
}
