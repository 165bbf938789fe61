package catalog

import "testing"

func TestOwn(t *testing.T) {
	s := load(t, `
		CREATE SCHEMA app; CREATE TYPE pair AS (a int, b int);
		CREATE FUNCTION app.strpos(varchar, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
		CREATE FUNCTION strpos(pair, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
		CREATE FUNCTION same(varchar, varchar) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
		CREATE FUNCTION same(pair, pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
		CREATE OPERATOR app.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same);
		CREATE OPERATOR = (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same)`)
	for _, test := range []struct {
		path     []string
		function string
		own      bool
	}{
		{public, "strpos", true}, {[]string{"app"}, "strpos", false}, {public, "same", false}, {public, "nothing", false},
		{[]string{"app"}, "pg_catalog.strpos", true}, {public, "app.strpos", false},
	} {
		if got := s.OwnFunction(test.path, name(test.function)); got != test.own {
			t.Errorf("function %s with %v is own: %v", test.function, test.path, got)
		}
	}
	for _, test := range []struct {
		path     []string
		operator []string
		own      bool
	}{
		{public, []string{"="}, true}, {[]string{"app"}, []string{"="}, false}, {[]string{"app"}, []string{"pg_catalog", "="}, true},
		{public, []string{"=="}, false}, {public, []string{"app", "="}, false},
	} {
		if got := s.OwnOperator(test.path, test.operator); got != test.own {
			t.Errorf("operator %s with %v is own: %v", test.operator, test.path, got)
		}
	}
	for call, aggregate := range map[string]bool{"count": true, "pg_catalog.max": true, "lower": false, "nothing": true} {
		if got := s.Aggregates(public, name(call)); got != aggregate {
			t.Errorf("%s aggregates: %v", call, got)
		}
	}
}

// TestFactsForRules has facts that only rules of rewriting ask for.
func TestFactsForRules(t *testing.T) {
	d := newDatabase(t, `
		CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF p DEFAULT;
		CREATE TABLE f (p int REFERENCES p, kind text, many int);
		INSERT INTO p SELECT generate_series(1, 500); INSERT INTO f SELECT i, i % 3, i FROM generate_series(1, 500) i;
		SET allow_system_table_mods = on; INSERT INTO pg_subscription_rel VALUES (1, 'p1'::regclass, 'r', NULL)`)
	d.run("ANALYZE f")
	s := d.load()
	f, p1 := rel(t, s, "f"), rel(t, s, "p1")
	for _, k := range f.ForeignKeys {
		if k.Holds == (k.To == p1.OID) {
			t.Errorf("the foreign key to %s holds: %v", list(s, []uint32{k.To}), k.Holds)
		}
	}
	if !f.Column("kind").FewValues || f.Column("many").FewValues || f.Column("p").FewValues {
		t.Errorf("few values: %+v", f.Columns)
	}
	if !p1.Subscribed || f.Subscribed {
		t.Error("what a subscription writes is wrong")
	}
}
