package proxy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
)

// neverCached runs a statement until its shape says why it is not remembered, with a
// piece of that sentence, and wants no hit.
func neverCached(t *testing.T, p *running, sql, why string) {
	t.Helper()
	conn, hits := dial(t, p.addr), p.server.Cache().Stat().Hits()
	eventually(t, "there is a reason for "+sql, func() bool {
		answerOf(t, conn, sql)
		for _, s := range p.server.Cache().Shapes() {
			if strings.Contains(s.Why, why) {
				return true
			}
		}
		return false
	})
	if got := p.server.Cache().Stat().Hits(); got != hits {
		t.Errorf("%s was answered from the cache", sql)
	}
}

// A rule says what functions read: then that is what answers depend on.
func TestCacheDeclaredFunctions(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	if err := observer(t, backend).Exec(`
		create function c.price(int) returns int language plpgsql stable as $$ begin return (select v from c.other where id = $1); end $$;
		create function c.undeclared(int) returns int language plpgsql stable as $$ begin return 1; end $$;
		create function c.volatile(int) returns int language plpgsql as $$ begin return 1; end $$;
		create function c.lost(int) returns int language plpgsql stable as $$ begin return 1; end $$;
		create function c.hidden(int) returns int language plpgsql stable as $$ begin return (select n from c.logged); end $$`); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Cache.Rules = []cache.Rule{
			{Tables: []string{"c.logged"}, Cache: cache.Never},
			{Tables: []string{"c.child"}, Cache: cache.Always},
			{Cache: cache.Always, Functions: []cache.Function{
				{Name: "C.Price", Tables: []string{"c.other"}}, {Name: "volatile"}, {Name: "lost", Tables: []string{"c.nowhere"}},
				{Name: "hidden", Tables: []string{"c.logged"}},
			}},
		}
	})
	conn, writer := dial(t, p.addr), dial(t, p.addr)
	const sql = "select id, price(1) from t where id = 1"
	before := cached(t, p, conn, sql)
	answerOf(t, writer, "update other set v = v + 1")
	if got := answerOf(t, conn, sql); got == before {
		t.Errorf("after a write to what the function reads it is still %s", got)
	}
	neverCached(t, p, "select undeclared(1)", "c.undeclared() is not built in")
	neverCached(t, p, "select volatile(1)", "c.volatile() is not built in")
	neverCached(t, p, "select lost(1)", "no table c.nowhere")
	neverCached(t, p, "select price(1), id from child", "the statement's rule does not declare it")
	hits := p.server.Cache().Stat().Hits()
	eventually(t, "the rule about what the function reads holds", func() bool {
		answerOf(t, conn, "select hidden(1)")
		return p.server.Cache().Stat().Refused[cache.RefusedRule] > 1
	})
	if got := p.server.Cache().Stat().Hits(); got != hits {
		t.Error("what a rule forbids to remember was served")
	}
}

// A rule may name a statement by the fingerprint of its shape.
func TestCacheRuleOfFingerprint(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		never := cache.Rule{Fingerprint: cache.Fingerprint("select v from t where id = $1"), Cache: cache.Never}
		c.Cache.Rules = append([]cache.Rule{never}, c.Cache.Rules...)
	})
	conn := dial(t, p.addr)
	cached(t, p, conn, "select s from t where id = 1")
	eventually(t, "the rule holds", func() bool {
		answerOf(t, conn, "select v from t where id = 1 /* a comment */")
		return p.server.Cache().Stat().Refused[cache.RefusedRule] > 0
	})
}

// What Reload changes holds at once, also for answers that are there.
func TestCacheReload(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, withCache)
	conn, direct := dial(t, p.addr), observer(t, backend)
	const sql = "select v from t where id = 1"
	before := cached(t, p, conn, sql)
	if err := direct.Exec("update c.t set v = v + 1 where id = 1"); err != nil {
		t.Fatal(err)
	}
	if got := answerOf(t, conn, sql); got != before {
		t.Errorf("a write from elsewhere is seen before its time: %s", got)
	}
	bad := p.cfg
	bad.Cache.Rules = []cache.Rule{{Match: "("}}
	bad.Timeouts.Query = time.Nanosecond
	if err := p.server.Reload(bad); err == nil {
		t.Error("a rule that does not compile is accepted")
	}
	if got := answerOf(t, conn, sql); got != before {
		t.Errorf("a configuration with errors has changed something: %s", got)
	}
	p.reload(t, func(c *proxy.Config) { c.Cache.Rules = []cache.Rule{{Cache: cache.Never}} })
	for range 3 {
		if got := answerOf(t, conn, sql); got == before {
			t.Errorf("it is served though a rule forbids it: %s", got)
		}
	}
	p.reload(t, func(c *proxy.Config) { c.Cache.Size, c.Cache.Rules = 8*cache.MB, []cache.Rule{{Cache: cache.Always}} })
	if got := p.server.Cache().Stat().Limit; got != 8*cache.MB {
		t.Errorf("the size is %v", got)
	}
	cached(t, p, conn, sql)
}

// Without a cache, its section may change as it likes.
func TestCacheReloadWithoutOne(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	p.reload(t, withCache)
	if p.server.Cache() != nil {
		t.Error("there is a cache")
	}
	if r := dial(t, p.addr).ExecParams(context.Background(), "select 1", nil, nil, nil, nil).Read(); r.Err != nil {
		t.Error(r.Err)
	}
}
