package configs

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		sets          []string
		live, restart string
	}{
		{nil, "", ""},
		{[]string{"pool.size=25", "auth.users=[]"}, "", ""},
		{[]string{"pool.size=5", "pool.mode=session", "pool.overflow=0"}, "pool.mode pool.size pool.overflow", ""},
		{[]string{"listen.addresses=[127.0.0.1:1]", "listen.unix_port=1", "listen.loops=2", "admin="}, "", "listen.addresses listen.unix_port listen.loops admin"},
		{[]string{"cache.enabled=true", "cache.size=1GB", "cache.rules=[{tables: [t], ttl: 1s}]"}, "cache.size cache.rules", "cache.enabled"},
		{[]string{"log.level=debug", "log.format=json"}, "log.level", "log.format"},
		{[]string{"timeouts.query=1s", "auth.method=md5", "limits.max_clients=5"}, "auth.method limits.max_clients timeouts.query", ""},
		{[]string{"auth.users=[{name: app, password: x}]"}, "auth.users", ""},
		{[]string{"pool.databases=[{name: crm, size: 5}]"}, "pool.databases", ""},
		{[]string{"backend.url=postgres://other", "backend.password=x"}, "backend.url backend.password", ""},
		{[]string{"tls.mode=require", "tls.cert_file=testdata/server.crt", "tls.key_file=testdata/server.key"}, "tls.mode tls.cert_file tls.key_file", ""},
	}
	for _, tt := range tests {
		next, err := Load("", tt.sets)
		if err != nil {
			t.Fatal(err)
		}
		live, restart := Diff(Default(), next)
		if strings.Join(live, " ") != tt.live || strings.Join(restart, " ") != tt.restart {
			t.Errorf("%v: live %v, restart %v", tt.sets, live, restart)
		}
		// What is left after Live differs from the old one in live keys only.
		liveOnly, none := Diff(Default(), Live(Default(), next))
		if !slices.Equal(liveOnly, live) || len(none) > 0 {
			t.Errorf("%v: Live leaves %v and %v", tt.sets, liveOnly, none)
		}
	}
}

func TestDiffComparesListsByValue(t *testing.T) {
	sets := []string{"pool.databases=[{name: crm, size: 5, mode: session}]"}
	a, _ := Load("", sets)
	b, _ := Load("", sets)
	if live, restart := Diff(a, b); live != nil || restart != nil {
		t.Errorf("equal ones differ in %v and %v", live, restart)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		sets []string
		want []string // a piece of each
	}{
		{nil, []string{"nobody can log in"}},
		{[]string{"auth.method=trust"}, nil},
		{[]string{"auth.method=trust", "listen.addresses=['[::1]:1', 'localhost:1', /tmp, 127.0.0.5:1]"}, nil},
		{[]string{"auth.method=trust", "listen.addresses=[127.0.0.1:1, ':6432']"}, []string{":6432 can be reached"}},
		{[]string{"auth.method=trust", "listen.addresses=[0.0.0.0:1]"}, []string{"0.0.0.0:1 can be reached"}},
		{[]string{"auth.method=trust", "backend.url=postgres://app:s3cret@db:5432/"}, []string{"backend.url names a user, which"}},
		{[]string{"auth.method=trust", "backend.url=postgres://db/crm?sslmode=disable"}, []string{"backend.url names a database, which"}},
		{[]string{"auth.method=trust", "backend.url=host=db dbname=crm"}, []string{"names a database"}},
		{[]string{"auth.method=trust", "backend.url=host=db user=app"}, []string{"names a user"}},
		{[]string{"auth.method=trust", "backend.url=postgres://db1,db2:5432/?target_session_attrs=any"}, nil},
		{[]string{"auth.users=[{name: a, password: b}]", "listen.addresses=[0.0.0.0:1]"}, nil},
		{[]string{"auth.method=trust", "backend.url=postgres://ann@h"}, []string{"which is not used"}},
		{[]string{"auth.method=trust", "backend.url=postgres://h:1,i:2/crm?sslmode=disable"}, []string{"which is not used"}},
		{[]string{"auth.method=trust", "backend.url=host=/run user=ann"}, []string{"which is not used"}},
		{[]string{"auth.method=trust", "backend.url=postgres://:password@h:1,i:2/?sslmode=disable"}, nil},
		{[]string{"auth.method=trust", "backend.url=host=/run password=p"}, nil},
		{[]string{"auth.method=trust", "cache.rules=[{users: [a]}, {cache: never}]"}, nil},
		{[]string{"auth.method=trust", "cache.rules=[{users: [a]}, {cache: never}, {match: x}, {ttl: 1s}]"},
			[]string{"cache.rules[2] is never used: cache.rules[1] has no conditions", "cache.rules[3] is never used: cache.rules[1]"}},
	}
	for _, tt := range tests {
		c, err := Load("", tt.sets)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Warnings()
		if !slices.EqualFunc(got, tt.want, strings.Contains) {
			t.Errorf("%v: %q, want %q", tt.sets, got, tt.want)
		}
	}
}

// Proxy hands over every section but admin and log.
func TestProxy(t *testing.T) {
	c, err := Load("", []string{"listen.loops=3", "auth.method=md5", "limits.max_clients=4", "pool.size=5", "timeouts.query=6s", "backend.password=x", "cache.size=8MB"})
	if err != nil {
		t.Fatal(err)
	}
	from, to := reflect.ValueOf(*c), reflect.ValueOf(c.Proxy())
	for _, f := range reflect.VisibleFields(to.Type()) {
		if !reflect.DeepEqual(from.FieldByName(f.Name).Interface(), to.FieldByIndex(f.Index).Interface()) {
			t.Errorf("%s is not handed over", f.Name)
		}
	}
}
