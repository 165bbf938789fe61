package sqlparse

import (
	"strings"
	"testing"
)

func TestClass(t *testing.T) {
	tests := []struct {
		text       string
		first      Command
		statements int
		readOnly   bool
		readsState bool
		reset      ResetKind
	}{
		{"", CommandNone, 0, false, false, ResetNone},
		{" -- c\n ; /* x */ ;;", CommandNone, 0, false, false, ResetNone},
		{"SELECT 1", CommandSelect, 1, true, false, ResetNone},
		{"SELECT 1;", CommandSelect, 1, true, false, ResetNone},
		{"SELECT 1; SELECT 2", CommandSelect, 2, false, false, ResetNone},
		{";;SELECT 1;;", CommandSelect, 1, true, false, ResetNone},
		{"((SELECT 1))", CommandSelect, 1, true, false, ResetNone},
		{"TABLE t", CommandSelect, 1, true, false, ResetNone},
		{"VALUES (1)", CommandValues, 1, true, false, ResetNone},
		{"WITH x AS (SELECT 1) SELECT * FROM x", CommandSelect, 1, true, false, ResetNone},
		{"(WITH x AS (SELECT 1) SELECT * FROM x)", CommandSelect, 1, true, false, ResetNone},
		{"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", CommandInsert, 1, false, false, ResetNone},
		{"WITH x AS (SELECT 1) UPDATE t SET a = 1", CommandUpdate, 1, false, false, ResetNone},
		{"WITH x AS (SELECT 1) DELETE FROM t", CommandDelete, 1, false, false, ResetNone},
		{"WITH x AS (SELECT 1) MERGE INTO t USING x ON true WHEN MATCHED THEN DELETE", CommandMerge, 1, false, false, ResetNone},
		{"WITH insert AS (SELECT 1), update AS (SELECT 2) SELECT 1", CommandSelect, 1, false, false, ResetNone},
		{"WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x", CommandSelect, 1, false, false, ResetNone},
		{"WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT * FROM x", CommandSelect, 1, false, false, ResetNone},
		{"WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", CommandSelect, 1, false, false, ResetNone},
		{"SELECT * FROM t FOR UPDATE", CommandSelect, 1, true, false, ResetNone},
		{"SELECT * FROM t FOR NO KEY UPDATE OF t NOWAIT", CommandSelect, 1, true, false, ResetNone},
		{"SELECT * INTO x FROM t", CommandSelect, 1, false, false, ResetNone},
		{"SELECT pg_notify('a', 'b')", CommandSelect, 1, false, false, ResetNone},
		{"SELECT lo_create(0)", CommandSelect, 1, false, false, ResetNone},
		{"SELECT lo_get(1)", CommandSelect, 1, true, false, ResetNone},
		{"SELECT nextval('s')", CommandSelect, 1, false, false, ResetNone},
		{"SELECT f()", CommandSelect, 1, false, false, ResetNone},
		{"SELECT currval('s')", CommandSelect, 1, false, true, ResetNone},
		{"SELECT pg_backend_pid()", CommandSelect, 1, false, true, ResetNone},
		{"SELECT pg_my_temp_schema()", CommandSelect, 1, true, true, ResetNone},
		{"SELECT * FROM pg_listening_channels()", CommandSelect, 1, true, true, ResetNone},
		{"SHOW work_mem", CommandShow, 1, true, false, ResetNone},
		{"EXPLAIN SELECT 1", CommandExplain, 1, true, false, ResetNone},
		{"EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM t", CommandExplain, 1, true, false, ResetNone},
		{"EXPLAIN ANALYZE VERBOSE SELECT 1", CommandExplain, 1, true, false, ResetNone},
		{"EXPLAIN (VERBOSE) (SELECT 1)", CommandExplain, 1, true, false, ResetNone},
		{"EXPLAIN (SELECT 1)", CommandExplain, 1, true, false, ResetNone},
		{"EXPLAIN DELETE FROM t", CommandExplain, 1, false, false, ResetNone},
		{"EXPLAIN ANALYZE WITH x AS (SELECT 1) UPDATE t SET a = 1", CommandExplain, 1, false, false, ResetNone},
		{"INSERT INTO t VALUES (1)", CommandInsert, 1, false, false, ResetNone},
		{"COPY t FROM STDIN", CommandCopy, 1, false, false, ResetNone},
		{"BEGIN", CommandBegin, 1, false, false, ResetNone},
		{"START TRANSACTION READ ONLY", CommandBegin, 1, false, false, ResetNone},
		{"COMMIT AND CHAIN", CommandCommit, 1, false, false, ResetNone},
		{"END", CommandCommit, 1, false, false, ResetNone},
		{"ABORT", CommandRollback, 1, false, false, ResetNone},
		{"ROLLBACK WORK", CommandRollback, 1, false, false, ResetNone},
		{"ROLLBACK TO a", CommandSavepoint, 1, false, false, ResetNone},
		{"ROLLBACK TRANSACTION TO SAVEPOINT a", CommandSavepoint, 1, false, false, ResetNone},
		{"SAVEPOINT a; RELEASE a", CommandSavepoint, 2, false, false, ResetNone},
		{"PREPARE TRANSACTION 'x'", CommandTwoPhase, 1, false, false, ResetNone},
		{"COMMIT PREPARED 'x'", CommandTwoPhase, 1, false, false, ResetNone},
		{"ROLLBACK PREPARED 'x'", CommandTwoPhase, 1, false, false, ResetNone},
		{"CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)", CommandDDL, 2, false, false, ResetNone},
		{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3", CommandDDL, 4, false, false, ResetNone},
		{"CREATE FUNCTION f() RETURNS int RETURN 1", CommandDDL, 1, false, false, ResetNone},
		{"LOCK t", CommandUtility, 1, false, false, ResetNone},
		{"WITH x AS (SELECT 1)", CommandUnknown, 1, false, false, ResetNone},
		{"RESET work_mem", CommandReset, 1, false, false, ResetName},
		{"RESET ALL", CommandReset, 1, false, false, ResetAll},
		{"RESET ALL; SELECT 1", CommandReset, 2, false, false, ResetName},
		{"SET work_mem = 1", CommandSet, 1, false, false, ResetNone},
		{"SET work_mem = DEFAULT", CommandSet, 1, false, false, ResetName},
		{`SET work_mem = "default"`, CommandSet, 1, false, false, ResetNone},
		{"SET LOCAL work_mem = DEFAULT", CommandSet, 1, false, false, ResetName},
		{"SET LOCAL work_mem = 1", CommandSet, 1, false, false, ResetNone},
		{"SET LOCAL TIME ZONE LOCAL", CommandSet, 1, false, false, ResetName},
		{"SET TRANSACTION READ ONLY; SET local = 1", CommandSet, 2, false, false, ResetNone},
		{"DISCARD ALL", CommandDiscard, 1, false, false, DiscardAll},
		{" discard /* */ all ; ", CommandDiscard, 1, false, false, DiscardAll},
		{"DISCARD ALL; SELECT 1", CommandDiscard, 2, false, false, ResetName},
		{"DISCARD PLANS", CommandDiscard, 1, false, false, ResetNone},
	}
	for _, test := range tests {
		c := Classify([]byte(test.text))
		if c.First != test.first || c.Statements != test.statements || c.ReadOnly() != test.readOnly ||
			c.ReadsState != test.readsState || c.Reset != test.reset {
			t.Errorf("%s: first %s, %d statements, read only %t, reads state %t, reset %d", test.text,
				c.First, c.Statements, c.ReadOnly(), c.ReadsState, c.Reset)
		}
	}
}

// TestEndsTransaction has what PostgreSQL executes in a failed transaction.
func TestEndsTransaction(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"COMMIT", true},
		{"END WORK", true},
		{"COMMIT AND CHAIN", true},
		{"ROLLBACK", true},
		{"ABORT", true},
		{"ROLLBACK TO a", true},
		{"ROLLBACK TRANSACTION TO SAVEPOINT a", true},
		{"PREPARE TRANSACTION 'x'", true},
		{"PREPARE transaction AS SELECT 1", false},
		{"COMMIT PREPARED 'x'", false},
		{"ROLLBACK PREPARED 'x'", false},
		{"SAVEPOINT a", false},
		{"RELEASE a", false},
		{"RELEASE SAVEPOINT a", false},
		{"BEGIN", false},
		{"", false},
		{"SELECT 1", false},
		{"EXPLAIN COMMIT", false},
		{"ROLLBACK; SELECT 1", false},
		{"SELECT 1; ROLLBACK", false},
	}
	for _, test := range tests {
		if got := Classify([]byte(test.text)).EndsTransaction(); got != test.want {
			t.Errorf("%s: %t", test.text, got)
		}
	}
}

func TestResets(t *testing.T) {
	tests := []struct {
		text    string
		setting string
		want    bool
	}{
		{"SELECT 1", "work_mem", false},
		{"RESET work_mem", "work_mem", true},
		{"reset WORK_mem", "Work_Mem", true},
		{"RESET work_mem", "search_path", false},
		{`RESET "work_mem"`, "work_mem", true},
		{"RESET app . x", "app.x", false}, // not worth the trouble
		{"RESET app.x", "app.x", true},
		{"RESET app.x", "app.y", false},
		{"RESET app.x", "app", false},
		{"RESET ALL", "work_mem", true},
		{"DISCARD ALL", "work_mem", true},
		{"RESET TIME ZONE", "TimeZone", true},
		{"SET TIME ZONE LOCAL", "timezone", true},
		{"SET TIME ZONE DEFAULT", "timezone", true},
		{"SET TIME ZONE 'UTC'", "timezone", false},
		{"SET NAMES", "client_encoding", true},
		{"SET NAMES DEFAULT", "client_encoding", true},
		{"SET NAMES 'UTF8'; RESET work_mem", "client_encoding", false},
		{"SET SCHEMA DEFAULT", "search_path", true},
		{"RESET SESSION AUTHORIZATION", "session_authorization", true},
		{"SET SESSION AUTHORIZATION DEFAULT", "session_authorization", true},
		{"RESET TRANSACTION ISOLATION LEVEL", "transaction_isolation", true},
		{"SET XML OPTION DEFAULT", "xmloption", true},
		{"RESET ROLE", "role", true},
		{"SET ROLE NONE", "role", false},
		{"SET SESSION work_mem TO DEFAULT", "work_mem", true},
		{"RESET work_mem; RESET search_path", "work_mem", true},
		{"RESET work_mem; SET work_mem = 1", "work_mem", false},
		{"SET work_mem = 1; RESET work_mem", "work_mem", true},
		{"RESET ALL; SET work_mem = 1", "work_mem", false},
		{"RESET ALL; SET work_mem = 1", "search_path", true},
		{"RESET work_mem; SET LOCAL work_mem = 1", "work_mem", true},
	}
	for _, test := range tests {
		if got, local := Classify([]byte(test.text)).Resets(test.setting); got != test.want || local {
			t.Errorf("%s: resets %s: %t, locally %t", test.text, test.setting, got, local)
		}
	}
	for text, want := range map[string]bool{
		"SET LOCAL work_mem TO DEFAULT":                           true,
		`SET LOCAL "work_mem" = DEFAULT`:                          true,
		"SET LOCAL search_path TO DEFAULT":                        false,
		"SET LOCAL work_mem = 1; SET LOCAL work_mem TO DEFAULT":   true,
		"SET LOCAL work_mem TO DEFAULT; SET LOCAL work_mem = 1":   false,
		"SET LOCAL work_mem TO DEFAULT; SET work_mem = 1":         false,
		"SET LOCAL app.work_mem TO DEFAULT":                       false,
		"SET work_mem = 1; SET LOCAL work_mem TO DEFAULT; COMMIT": true,
		"SET LOCAL work_mem TO DEFAULT; DISCARD ALL":              false,
	} {
		if _, local := Classify([]byte(text)).Resets("work_mem"); local != want {
			t.Errorf("%s: resets locally: %t", text, local)
		}
	}
	if _, local := Classify([]byte("set local app.x to default")).Resets("app.x"); !local {
		t.Error("a name of two parts is not reset")
	}
	if _, local := Classify([]byte("set local time zone local")).Resets("timezone"); !local {
		t.Error("the time zone is not reset")
	}
}

func TestGreatestReason(t *testing.T) {
	tests := map[string]Reason{
		"SELECT nextval('s'), f()":                   ReasonFunction,
		"SELECT f(); SET a = 1":                      ReasonSetting,
		"SET a = 1; CREATE TEMP TABLE t (a int)":     ReasonTemporary,
		"SELECT pg_backend_pid(), nextval('s')":      ReasonBackendPID,
		"SELECT f(), pg_advisory_lock(1)":            ReasonAdvisoryLock,
		"BEGIN; SELECT 1; COMMIT; BEGIN; SELECT f()": ReasonFunction,
	}
	for text, want := range tests {
		if got := Classify([]byte(text)).Pin; got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestReadable(t *testing.T) {
	for encoding, want := range map[string]bool{"UTF8": true, "utf-8": true, "LATIN1": true, "SQL_ASCII": true,
		"EUC_JP": true, "SJIS": false, "Shift_JIS": false, "SHIFT_JIS_2004": false, "Big5": false, "GBK": false,
		"gb18030": false, "WIN949": false, "JOHAB": false, "": true, "a name that is much too long": true} {
		if got := Readable(encoding); got != want {
			t.Errorf("%s: %t", encoding, got)
		}
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]bool{}
	for r := range reasonCount {
		if label := r.Label(); label == "" || seen[label] || r.String() == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("reason %d: label %q, sentence %q", r, label, r)
		} else {
			seen[label] = true
		}
	}
	for c := range commandCount {
		switch c.Label() {
		case "select", "insert", "update", "delete", "merge", "copy", "tx", "utility":
		default:
			t.Errorf("command %s: label %q", c, c.Label())
		}
		if c.String() == "" {
			t.Errorf("command %d has no name", c)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	stateful, _ := stateful(t)
	for _, text := range append(append(corpus(t, "applications.sql"), corpus(t, "psql.sql")...), stateful...) {
		b := []byte(text)
		if n := testing.AllocsPerRun(10, func() { Classify(b).Resets("work_mem") }); n != 0 {
			t.Errorf("%v allocations: %s", n, text)
		}
	}
}

// TestLongTexts ends soon because Classify takes linear time.
func TestLongTexts(t *testing.T) {
	const size = 1 << 20
	for _, piece := range []string{"a", "a.", "a(", "(", ")", "f(1),", "'", "''", `'\'`, `"`, `""`, "$", "$a", "$a$", "$$", "/*", "*/", "/*/",
		"--", "--\n", "-", "E'a'\n", "E'\\'", "E'a' --\n", "U&'", `U&"`, "1e", "1.", "1_", ":", "::", ";", "SET ", "WITH a AS (", "set_config(",
		"\x00", "\xff", "RESET a;", "CREATE ", "select 1;"} {
		for _, prefix := range []string{"", "SELECT ", "$" + strings.Repeat("a", size) + "$ "} {
			Classify([]byte(prefix + strings.Repeat(piece, size/len(piece))))
		}
	}
}

func TestReadsReset(t *testing.T) {
	for text, want := range map[string]bool{
		"RESET work_mem":                           false,
		"SELECT 1; RESET work_mem":                 false,
		"RESET work_mem; SELECT 1":                 true,
		"SET work_mem = DEFAULT; SHOW work_mem":    true,
		"SET work_mem = 1; SELECT 1":               false,
		"RESET ALL; SET work_mem = 1; COMMIT":      false,
		"CLOSE ALL; UNLISTEN *; RESET ALL; -- end": false,
		"RESET ALL; EXPLAIN SELECT 1":              true,
	} {
		if got := Classify([]byte(text)).ReadsReset; got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
