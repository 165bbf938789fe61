package explain

import (
	"testing"
	"time"
)

// Random values of PostgreSQL's own and of pgcrypto leave nothing behind; what else is called
// so may.
func TestGateOfRandomValues(t *testing.T) {
	w := newWorld(t, "CREATE TABLE t (id int); INSERT INTO t VALUES (1); GRANT SELECT ON t TO app")
	w.executed("SELECT gen_random_uuid() FROM t")
	if w.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'") == "1" {
		w.run(w.admin, "CREATE EXTENSION pgcrypto")
		w.executed("SELECT public.gen_random_uuid(), gen_random_bytes(8) FROM t")
		w.expectReason(w.explain("SELECT gen_salt('bf') FROM t"), "gen_salt is volatile")
		w.run(w.admin, "DROP EXTENSION pgcrypto")
	}
	w.run(w.admin, "CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE plpgsql VOLATILE AS 'BEGIN RAISE $$called$$; END'")
	w.expectReason(w.explain("SELECT public.gen_random_uuid() FROM t"), "gen_random_uuid is volatile")
	w.expectReason(w.explain("SELECT gen_random_uuid() FROM t"), "gen_random_uuid is volatile") // as a name counts in any schema
}

// What was short has a second all the same, as EXPLAIN ANALYZE may take many times as long:
// it reads the clock for each row. Nothing has longer than monitor.explain_timeout.
func TestTimeLimit(t *testing.T) {
	for _, c := range []struct{ observed, timeout, want time.Duration }{
		{10 * time.Millisecond, 5 * time.Second, time.Second},
		{499 * time.Millisecond, 5 * time.Second, time.Second},
		{700 * time.Millisecond, 5 * time.Second, 1400 * time.Millisecond},
		{time.Minute, 5 * time.Second, 5 * time.Second},
		{10 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond},
		{10 * time.Millisecond, time.Millisecond, 100 * time.Millisecond},
	} {
		x := &explanation{Request: &Request{Observed: c.observed}, cfg: &Config{Timeout: c.timeout}}
		if got := x.limit(); got != c.want {
			t.Errorf("%v with a limit of %v: %v, not %v", c.observed, c.timeout, got, c.want)
		}
	}
	w := newWorld(t, "")
	r := w.request("SELECT current_setting('statement_timeout') FROM generate_series(1, 2) WHERE current_setting('statement_timeout')::interval = '1s'")
	r.Observed = time.Millisecond
	if got := w.explainRequest(r); got.Reason != "" || got.Plan.Root.Rows != 2 {
		t.Errorf("the server has another limit: %q, %+v", got.Reason, got.Plan)
	}
}

// Of the functions of an extension only those in C are taken for what they are declared to be.
func TestGateOfAdopted(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t AS SELECT 1 AS id; GRANT ALL ON t TO app; CREATE EXTENSION hstore;
		CREATE FUNCTION gen_random_bytes(text) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$;
		CREATE FUNCTION folded(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_advisory_lock(1); RAISE 'called'; END $$;
		ALTER EXTENSION hstore ADD FUNCTION gen_random_bytes(text); ALTER EXTENSION hstore ADD FUNCTION folded(int)`)
	w.expectReason(w.explain("SELECT gen_random_bytes('a') FROM t"), "gen_random_bytes is volatile")
	if r := w.explain("SELECT count(*) FROM t WHERE id = folded(1)"); r.Plan != nil || r.Reason == "" {
		t.Errorf("it was planned: %s", r.Reason)
	}
}
