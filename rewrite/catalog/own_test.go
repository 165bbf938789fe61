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
