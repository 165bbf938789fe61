package sqlparse

import "testing"

func TestLoads(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1":                false,
		"SET a.b = 1":             false,
		"CREATE TABLE t (a int)":  false,
		"SELECT nextval('s')":     false,
		"LISTEN a":                false,
		"DO $$ BEGIN END $$":      true,
		"SELECT f()":              true,
		"CALL p()":                true,
		"LOAD 'plpgsql'":          true,
		"CREATE EXTENSION hstore": true,
		"CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS ''": true,
		"CREATE PROCEDURE p() LANGUAGE plpgsql AS ''":                       true,
		"SELECT 1; DO $$ BEGIN END $$; SELECT 2":                            true,
	} {
		if got := Classify([]byte(text)).Loads; got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if !Unread().Loads {
		t.Error("a text that is not read loads nothing")
	}
}

func TestSequences(t *testing.T) {
	tests := []struct {
		text            string
		advances, reads bool
		pin             Reason
	}{
		{"SELECT nextval('s')", true, false, ReasonNone},
		{"SELECT pg_catalog . \"nextval\" ('s')", true, false, ReasonNone},
		{"select SETVAL('s', 1, true)", true, false, ReasonNone},
		{"INSERT INTO t VALUES (nextval('s'::regclass))", true, false, ReasonNone},
		{"SELECT currval('s')", false, true, ReasonSequence},
		{"SELECT lastval()", false, true, ReasonSequence},
		{"SELECT nextval('s'), lastval()", true, true, ReasonSequence},
		{"SELECT 'nextval', 'lastval'", false, false, ReasonNone},
		{"INSERT INTO t DEFAULT VALUES", false, false, ReasonNone},
		{"DO $$ BEGIN PERFORM nextval('s'); END $$", true, false, ReasonDo},
		{"DO 'BEGIN PERFORM LastVal(); END'", false, true, ReasonDo},
		{"SELECT run('select setval(''s'', 1)')", true, false, ReasonFunction},
		{"CALL run('select currval(''s'')')", false, true, ReasonCall},
		{"SELECT f(last_value), interval, lval FROM s", false, false, ReasonFunction},
	}
	for _, tt := range tests {
		c := Classify([]byte(tt.text))
		if c.Advances != tt.advances || c.ReadsSequences != tt.reads || c.Pin != tt.pin {
			t.Errorf("%s: advances %t, reads %t, pins for %s", tt.text, c.Advances, c.ReadsSequences, c.Pin.Label())
		}
	}
}
