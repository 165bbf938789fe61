package configs

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
)

// values has what --set gives to keys that any text of their type does not fit.
var values = map[string]string{
	"cache.warm":                  "[{text: select 1, user: u, database: d}]",
	"listen.addresses":            "['[::1]:7000', /tmp]",
	"auth.method":                 "trust",
	"auth.users[].method":         "md5",
	"auth.users":                  "[{name: a}, {name: b, password: c}]",
	"tls.mode":                    "allow",
	"pool.mode":                   "session",
	"pool.databases":              "[{name: crm, size: 3}]",
	"pool.users":                  "[{name: bob}]",
	"pool.databases[].mode":       "session",
	"pool.users[].mode":           "statement",
	"cache.enabled":               "true",
	"cache.hints":                 "true",
	"cache.rules":                 "[{tables: [t]}]",
	"cache.rules[].cache":         "never",
	"cache.rules[].functions":     "[{name: f}]",
	"monitor.explain":             "plan",
	"monitor.otlp":                "http://127.0.0.1:4318",
	"monitor.auto_explain":        "plan",
	"monitor.explain_superuser":   "true",
	"monitor.databases":           "[{name: crm, slow_threshold: 3s}]",
	"monitor.users":               "[{name: bob}]",
	"dashboard.enabled":           "false",
	"rewrite.mode":                "on",
	"rewrite.force":               "true",
	"rewrite.rules":               "[{mode: off}]",
	"rewrite.rules[].mode":        "canary",
	"rewrite.rules[].pages":       "stable",
	"rewrite.user_rules":          "[{name: mine}]",
	"rewrite.user_rules[].mode":   "canary",
	"rewrite.user_rules[].match":  "{regex: x}",
	"rewrite.user_rules[].unsafe": "true",
	"rewrite.user_rules[].stop":   "true",
	"rewrite.user_rules[].tests":  "[{in: x, out: same}]",
	"rewrite.offset.enabled":      "true",
	"log.level":                   "debug",
	"log.format":                  "json",
}

// TestSetReachesEveryKey sets each key by its path, alone, and wants that one
// changed and no other.
func TestSetReachesEveryKey(t *testing.T) {
	for _, key := range Keys() {
		for _, index := range []string{"[0]", ".0"} {
			d := newDecoder(func(string) (string, bool) { return "", false })
			path := strings.ReplaceAll(key, "[]", index)
			_, before, _ := newDecoder(nil).resolve(place{src: &source{}}, path)
			value, ok := values[key]
			if !ok {
				value = sample(t, before.Type())
			}
			d.flag(Set(path + "=" + value))
			if len(d.errs.List) > 0 {
				t.Errorf("%s: %v", key, d.errs)
				continue
			}
			if _, after, _ := d.resolve(place{}, path); reflect.DeepEqual(before.Interface(), after.Interface()) {
				t.Errorf("--set %s=%s changes nothing", path, value)
			}
			list, _, _ := strings.Cut(key, "[]")
			if live, restart := Diff(Default(), d.cfg); !slices.Equal(append(live, restart...), []string{list}) {
				t.Errorf("--set %s=%s changes %v and %v", path, value, live, restart)
			}
		}
	}
}

// sample is a value for a key of type typ that differs from every default.
func sample(t *testing.T, typ reflect.Type) string {
	t.Helper()
	if typ == reflect.TypeFor[[]string]() {
		return "[a, b]"
	}
	switch typ = elem(typ); {
	case typ == durationType:
		return "7s"
	case typ == bytesType:
		return "7KB"
	case typ.Kind() == reflect.Int:
		return "7"
	case typ.Kind() == reflect.Float64:
		return "6.5"
	case typ.Kind() == reflect.Bool:
		return "false"
	case typ.Kind() == reflect.String:
		return "it: is * what # it is"
	}
	t.Fatalf("no sample of a %s", typ)
	return ""
}

func TestSet(t *testing.T) {
	t.Setenv("PGJAY_TEST_PASSWORD", "pa$${ss}: *x")
	tests := []struct {
		set  string
		want func(*Config)
	}{
		{"pool.size=10", func(c *Config) { c.Pool.Size = 10 }},
		{`admin=""`, func(c *Config) { c.Admin = "" }},
		{"admin=", func(c *Config) { c.Admin = "" }},
		{"admin=:9000", func(c *Config) { c.Admin = ":9000" }},
		{"listen.addresses=[127.0.0.1:1, '[::1]:2']", func(c *Config) { c.Listen.Addresses = []string{"127.0.0.1:1", "[::1]:2"} }},
		{"listen.addresses[1]=localhost:3", func(c *Config) { c.Listen.Addresses = []string{"127.0.0.1:6432", "localhost:3"} }},
		{"pool={size: 3, mode: session}", func(c *Config) { c.Pool.Size, c.Pool.Mode = 3, pool.ModeSession }},
		{"timeouts.query=1m30s", func(c *Config) { c.Timeouts.Query = 90 * time.Second }},
		{"timeouts.shutdown=0", func(c *Config) { c.Timeouts.Shutdown = 0 }},
		{"auth.users=[{name: app, password: x}]", func(c *Config) { c.Auth.Users = []proxy.User{{Name: "app", Password: "x"}} }},
		{"backend.password=a=b # c", func(c *Config) { c.Backend.Password = "a=b # c" }},
		{`backend.password="a\tb"`, func(c *Config) { c.Backend.Password = "a\tb" }},
		{"backend.password=${PGJAY_TEST_PASSWORD}", func(c *Config) { c.Backend.Password = "pa$${ss}: *x" }},
		{"cache.max_entry=64 KB", func(c *Config) { c.Cache.MaxEntry = 64 * cache.KB }},
		{"cache.rules=[{cache: never, ttl: 1s, max_entry: 2MB, hints: true, functions: [{name: f, tables: [a.b, a.c]}]}]", func(c *Config) {
			ttl, most, yes := time.Second, 2*cache.MB, true
			c.Cache.Rules = []cache.Rule{{
				Cache: cache.Never, TTL: &ttl, MaxEntry: &most, Hints: &yes,
				Functions: []cache.Function{{Name: "f", Tables: []string{"a.b", "a.c"}}},
			}}
		}},
		{"pool.databases.0={name: crm, size: 3, mode: session}", func(c *Config) {
			size, mode := 3, pool.ModeSession
			c.Pool.Databases = []pool.Override{{Name: "crm", Size: &size, Mode: &mode}}
		}},
	}
	for _, tt := range tests {
		got, err := Load("", []string{tt.set})
		if err != nil {
			t.Errorf("--set %s: %v", tt.set, err)
			continue
		}
		want := Default()
		tt.want(want)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("--set %s gives\n%+v, want\n%+v", tt.set, got, want)
		}
	}
}

func TestSetErrors(t *testing.T) {
	_, err := LoadFlags("testdata/override.yml", []Flag{
		Set("pool.size"), Set("=5"), Set("pool.sise=5"), Set("size=5"), Set("pool.size=many"), Set("pool.size.x=1"),
		Set("listen.addresses=127.0.0.1:1"), Set("listen.addresses=[127.0.0.1:1"), Set("auth.users.2.name=x"),
		Set("auth.users.x=y"), Set("auth.users.0.password=[s3cret]"), Set("auth.users.0.pasword=s3cret"),
		Set("backend.password=${PGJAY_TEST_UNSET}s3cret"), Set("auth.users=[{name: app, password: [s3cret]}]"),
		{Text: "--backend postgres://me:s3cret@host:port", Path: "backend.url", Value: "postgres://me:s3cret@host:port"},
		Set("pool.min_idle=30"), Set("auth.users={app: s3cret}"), Set("pool.databases={app: 5}"),
	})
	if err == nil {
		t.Fatal("no error")
	}
	golden(t, "testdata/set.golden", err.Error()+"\n")
}

// A flag wins over the file, and its place is the one that errors name.
func TestFlagWinsOverFile(t *testing.T) {
	got, err := Load("testdata/override.yml", []string{"pool.size=7", "auth.users[0].password=new", "auth.users[1].name=second", "auth.users[1].password=x"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []proxy.User{{Name: "first", Password: "new"}, {Name: "second", Password: "x"}}; got.Pool.Size != 7 || !reflect.DeepEqual(got.Auth.Users, want) {
		t.Errorf("size %d, users %v", got.Pool.Size, got.Auth.Users)
	}
	_, err = Load("testdata/override.yml", []string{"pool.size=2"})
	if err == nil || !strings.Contains(err.Error(), "testdata/override.yml:3:13: pool.min_idle: 3 idle") {
		t.Errorf("got %v", err)
	}
}
