package sqlparse

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// stateProbe shows what a session has of its own.
const stateProbe = `SELECT current_user, session_user, pg_my_temp_schema() <> 0, pg_replication_origin_session_is_setup(),
	(SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings
		WHERE source = 'session' AND name NOT LIKE 'transaction\_%'), -- begin anew with each transaction
	(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),
	(SELECT count(*) FROM pg_listening_channels()),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
	(SELECT count(*) FROM pg_replication_slots WHERE temporary AND active_pid = pg_backend_pid())`

// stateSetup makes as many of the statements succeed as possible.
const stateSetup = `CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TABLE items (id int, name text, at timestamptz, price numeric);
	CREATE TABLE u (a int); CREATE SEQUENCE s; CREATE ROLE web SUPERUSER; CREATE TABLE weather (temp int);
	CREATE PROCEDURE p(int) LANGUAGE sql AS 'SET work_mem = 1234'; CREATE TABLE jobs (id int, state text);
	CREATE FUNCTION my_function() RETURNS text LANGUAGE sql AS $$SELECT set_config('a.b', 'c', false)$$;
	SELECT pg_replication_origin_create('o')`

// TestSoundness executes all statements of testdata, each in a session of its
// own, and asks the session what is left: if anything is, the statement must
// have been pinned.
func TestSoundness(t *testing.T) {
	setup := connect(t)
	query(t, setup, "CREATE DATABASE soundness")
	dsn := "host=" + server.dir + " user=postgres dbname=soundness options='-c statement_timeout=500 -c lock_timeout=500'"
	setup = dial(t, dsn)
	query(t, setup, stateSetup)
	clean := query(t, setup, stateProbe)[0]
	texts, _ := stateful(t)
	left := 0
	conn := dial(t, dsn)
	for _, text := range append(append(texts, corpus(t, "applications.sql")...), corpus(t, "psql.sql")...) {
		state := execute(t, conn, text)
		if state == clean {
			continue
		}
		left++
		if Classify([]byte(text)).Pin == ReasonNone {
			t.Errorf("leaves %s, was %s:\n%s", state, clean, text)
		}
		conn.Close(context.Background())
		conn = dial(t, dsn)
	}
	if left < 50 {
		t.Errorf("only %d statements left something behind", left)
	}
}

// execute runs a text, whatever comes of it, and returns the session's state.
func execute(t *testing.T, conn *pgconn.PgConn, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if strings.Contains(strings.ToLower(text), "from stdin") {
		_, _ = conn.CopyFrom(ctx, strings.NewReader(""), text)
	} else {
		_, _ = conn.Exec(ctx, text).ReadAll()
	}
	if conn.TxStatus() != 'I' {
		query(t, conn, "COMMIT")
	}
	return query(t, conn, stateProbe)[0]
}
