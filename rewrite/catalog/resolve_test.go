package catalog

import (
	"strings"
	"testing"
)

func TestTrap51SearchPath(t *testing.T) {
	s := load(t, `
		CREATE SCHEMA app; CREATE SCHEMA ann; CREATE SCHEMA "Odd Name";
		CREATE TABLE t (); CREATE TABLE app.t (); CREATE TABLE ann.t (); CREATE TABLE "Odd Name"."T" (); CREATE TABLE app.pg_class ();
		CREATE TABLE "a.b" ()`)
	for _, test := range []struct{ path, name, want string }{
		{"public", "t", "public.t"},
		{"app public", "t", "app.t"},
		{"ann app public", "t", "ann.t"}, // "$user", which is ann
		{"nowhere app", "t", "app.t"},
		{"nowhere", "t", ""},
		{"", "t", ""},
		{"public", "app.t", "app.t"},
		{"public", "nowhere.t", ""},
		{"public", s.Database + ".app.t", "app.t"},
		{"public", "other.app.t", ""},
		{"app", "pg_class", "pg_catalog.pg_class"},
		{"app pg_catalog", "pg_class", "app.pg_class"},
		{"", "pg_class", "pg_catalog.pg_class"},
		{"", "pg_catalog.pg_class", "pg_catalog.pg_class"},
		{"public", "information_schema.tables", "information_schema.tables"},
		{"public", "T", ""},
	} {
		got := ""
		if r := s.Resolve(strings.Fields(test.path), name(test.name)); r != nil {
			got = r.String()
		}
		if got != test.want {
			t.Errorf("%s with %q is %q, not %q", test.name, test.path, got, test.want)
		}
	}
	if r := s.Resolve([]string{"Odd Name"}, []string{"T"}); r == nil || r.Schema != "Odd Name" {
		t.Error("quoted names are not found")
	}
	if r := s.Resolve(public, []string{"a.b"}); r == nil || r.Name != "a.b" {
		t.Error("a name with a dot is not found")
	}
	if s.Resolve(public, nil) != nil || s.Resolve(public, []string{"a", "b", "c", "d"}) != nil {
		t.Error("a name with no or four parts is found")
	}
	if all := s.Candidates([]string{"ann", "app", "ann", "public"}, name("t")); len(all) != 3 || all[0].Schema != "ann" || all[2].Schema != "public" {
		t.Errorf("candidates are %v", all)
	}
}
