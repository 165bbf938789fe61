package sqlparse

import "testing"

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
