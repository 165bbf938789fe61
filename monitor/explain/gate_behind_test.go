package explain

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// hidden is a database in which a volatile function is called by what does not look like it:
// audit leaves a row in a table, over a connection of its own if it can.
const hidden = `
	CREATE TABLE audit (who text, what text);
	CREATE TABLE t (id int PRIMARY KEY, v int, s text); INSERT INTO t SELECT i, i % 100, 'x' || i FROM generate_series(1, 300) i;
	CREATE TABLE "größen" (id int, "länge" int); INSERT INTO "größen" VALUES (1, 1);
	CREATE FUNCTION sf(a int, b int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM audit('agg'); RETURN coalesce(a, 0) + b; END $$;
	CREATE AGGREGATE mysum(int) (SFUNC = sf, STYPE = int);
	CREATE FUNCTION opf(a int, b int) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM audit('op'); RETURN a = b; END $$;
	CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = opf, RESTRICT = eqsel);
	CREATE TYPE ct AS (x int);
	CREATE FUNCTION cf(a int) RETURNS ct LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM audit('cast'); RETURN row(a)::ct; END $$;
	CREATE CAST (int AS ct) WITH FUNCTION cf(int);
	CREATE FUNCTION takes(c ct) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT c.x';
	CREATE CAST (bool AS ct) WITH INOUT AS IMPLICIT;
	CREATE FUNCTION lim(n int DEFAULT audit('limit')) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN n * 10; END $$;
	CREATE FUNCTION "Audit"() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN audit('inl'); END $$;
	CREATE FUNCTION e(n int DEFAULT "Audit"()) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
	CREATE FUNCTION audit_of_all_that_somebody_has_read_in_this_table_of_contacts_xx_yyyyyyy(w text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN audit(w); END $$;
	CREATE FUNCTION longf(a int) RETURNS int LANGUAGE plpgsql STABLE AS
		$$ BEGIN PERFORM audit_of_all_that_somebody_has_read_in_this_table_of_contacts_xx_yyyyyyy('long'); RETURN a; END $$;
	CREATE FUNCTION "Ärger"(w text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN audit(w); END $$;
	CREATE FUNCTION umf(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM Ärger('umlaut'); RETURN a; END $$;
	CREATE FUNCTION Kbad(w text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN audit(w); END $$;
	CREATE FUNCTION kelvin(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM Kbad('kelvin'); RETURN a; END $$;
	CREATE FUNCTION emf(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM n̈f('combining'); RETURN a; END $$;
	CREATE FUNCTION n̈f(w text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN audit(w); END $$;
	CREATE FUNCTION uf(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM U&"\0061udit"('uni'); RETURN a; END $$;
	CREATE FUNCTION between_quotes(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN length('"') + audit('quotes') + length('"'); END $$;
	CREATE FUNCTION mycmp(a int, b int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM audit('class'); RETURN a - b; END $$;
	CREATE FUNCTION mylt(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a < b'; CREATE FUNCTION mygt(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a > b';
	CREATE FUNCTION myle(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a <= b'; CREATE FUNCTION myge(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a >= b';
	CREATE FUNCTION myeq(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a = b';
	CREATE OPERATOR <# (LEFTARG = int, RIGHTARG = int, FUNCTION = mylt); CREATE OPERATOR ># (LEFTARG = int, RIGHTARG = int, FUNCTION = mygt);
	CREATE OPERATOR <=# (LEFTARG = int, RIGHTARG = int, FUNCTION = myle); CREATE OPERATOR >=# (LEFTARG = int, RIGHTARG = int, FUNCTION = myge);
	CREATE OPERATOR =# (LEFTARG = int, RIGHTARG = int, FUNCTION = myeq);
	CREATE OPERATOR CLASS myops FOR TYPE int USING btree AS OPERATOR 1 <#, OPERATOR 2 <=#, OPERATOR 3 =#, OPERATOR 4 >=#, OPERATOR 5 >#, FUNCTION 1 mycmp(int, int);
	CREATE FUNCTION stf(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM audit('plan'); RETURN a; END $$;
	CREATE FUNCTION alias(n int DEFAULT audit('alias')) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4abs';
	CREATE FUNCTION imf(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM audit('immutable'); RETURN a; END $$;
	CREATE FUNCTION made(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN EXECUTE 'SELECT au' || 'dit(''made'')'; RETURN a; END $$;
	CREATE TABLE checked (id int, CONSTRAINT c CHECK (id > -imf(1)) NOT VALID); CREATE TABLE parent (id int) PARTITION BY LIST (id);
	CREATE TABLE part (id int, CONSTRAINT c CHECK (id > -imf(1)) NOT VALID);
	CREATE TABLE keyed (id int) PARTITION BY RANGE ((imf(id))); CREATE TABLE keyed_part PARTITION OF keyed FOR VALUES FROM (0) TO (1000);
	CREATE FUNCTION fine(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(a, 0) + b';
	CREATE FUNCTION fine_too(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ DECLARE r int; BEGIN SELECT count(*) INTO r FROM t WHERE id < a; /* größer */ RETURN fine(r, 1); END $$;
	CREATE AGGREGATE finesum(int) (SFUNC = fine, STYPE = int); CREATE DOMAIN fine_domain AS int CHECK (VALUE > 0);
	CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE ints AS RANGE (subtype = int);
	GRANT ALL ON ALL TABLES IN SCHEMA public TO app`

// domains are those of which a check calls audit.
const domains = `CREATE DOMAIN dom AS int CHECK (audit('domain') > 0); CREATE TYPE within AS (d dom);
	CREATE VIEW deep AS SELECT (SELECT d FROM (SELECT NULL::within AS w) x, LATERAL (SELECT (w).d) y) AS d; GRANT SELECT ON deep TO app;`

// hiding are statements that call audit, and what the reason is if they are not executed.
var hiding = []struct{ name, sql, why string }{
	{"A1 aggregate", "SELECT mysum(v) FROM t", "audit is volatile"},
	{"A2 operator", "SELECT count(*) FROM t WHERE id === v", "audit is volatile"},
	{"A3 cast", "SELECT max((id::ct)::text) FROM t", "audit is volatile"},
	{"A4 default in LIMIT", "SELECT count(*) FROM (SELECT id FROM t ORDER BY s LIMIT lim()) x", "audit is volatile"},
	{"A4 default in OFFSET", "SELECT count(*) FROM (SELECT id FROM t ORDER BY s OFFSET lim()) x", "audit is volatile"},
	{"A5 quoted in the plan", "SELECT e() FROM t WHERE id < 20", "udit is volatile"},
	{"A6 long name", "SELECT sum(longf(v)) FROM t", "is volatile"},
	{"A7 not ASCII", "SELECT sum(umf(v)) FROM t", "is volatile"},
	{"A8 combining", "SELECT sum(emf(v)) FROM t", "is volatile"},
	{"A8 folded by nobody", "SELECT sum(kelvin(v)) FROM t", "is volatile"},
	{"A9 escapes", "SELECT sum(uf(v)) FROM t", "escapes"},
	{"A10 operator class", "SELECT count(*) FROM (SELECT id FROM t ORDER BY id USING <# LIMIT 3) x", "is volatile"},
	{"A11 stable, planned", "SELECT count(*) FROM t WHERE v = stf(3)", "audit is volatile"},
	{"A11 immutable, planned", "SELECT count(*) FROM t WHERE v = imf(3)", "audit is volatile"},
	{"A11 DELETE", "DELETE FROM t WHERE v = stf(3)", "no SELECT"},
	{"A11 operator of an estimate", "DELETE FROM t WHERE v === 3", "no SELECT"},
	{"A11 made up", "DELETE FROM t WHERE v = made(3)", "no SELECT"},
	{"quotes in strings", "SELECT sum(between_quotes(v)) FROM t", "audit is volatile"},
	{"domain", "SELECT v::dom FROM t", "audit is volatile"},
	{"domain in an array", "SELECT ARRAY[v]::dom[] FROM t", "audit is volatile"},
	{"domain in a row of a view", "SELECT d FROM deep", "audit is volatile"},
	{"check of a table", "SELECT * FROM checked WHERE id < 0", "audit is volatile"},
	{"check of a partition", "SELECT * FROM parent WHERE id < 0", "audit is volatile"},
	{"domain by its number", "SELECT domain_in(v::text::cstring, 'dom'::regtype, -1) FROM t", "domain_in"},
	{"default of an alias of a builtin", "SELECT count(*) FROM (SELECT id FROM t ORDER BY s LIMIT alias()) x", "audit is volatile"},
	{"key of the parent of a partition", "SELECT count(*) FROM keyed_part WHERE id > 3", "audit is volatile"},
	{"in quotes with a U", `SELECT U&"\0073tf"(id) FROM t`, ""},
}

// Whatever calls a volatile function, it is not called.
func TestGateOfWhatIsBehind(t *testing.T) {
	w := newWorld(t, strings.Replace(hidden, "CREATE TABLE t ", `CREATE FUNCTION audit(w text) RETURNS int LANGUAGE plpgsql VOLATILE AS
		$$ BEGIN IF current_setting('application_name') = 'pgjay-explain' THEN RAISE 'it was called'; END IF; RETURN 1; END $$; CREATE TABLE t `, 1))
	w.run(w.admin, "ALTER TABLE parent ATTACH PARTITION part FOR VALUES IN (1); ANALYZE t")
	for _, c := range hiding {
		if c.name == "domain" {
			w.run(w.admin, domains)
		}
		r := w.explain(c.sql)
		if strings.Contains(r.Reason, "it failed when it was executed") || r.Plan != nil && r.Plan.Analyzed || !strings.Contains(r.Reason, c.why) && r.Plan != nil {
			t.Errorf("%s: %+v", c.name, r.Reason)
		}
	}
	latin := w.request("SELECT sum(umf(v)) FROM t")
	latin.Settings = []pool.Setting{{Name: "client_encoding", Value: "latin1"}}
	w.expectReason(w.explainRequest(latin), "is volatile")
}

// What runs SQL over a connection of its own is not even called by planning.
func TestGateOfWhatIsBehindPlanning(t *testing.T) {
	w := newWorld(t, "CREATE EXTENSION dblink")
	url := pgtest.Server(t).URL(w.database, "postgres")
	w.run(w.admin, strings.Replace(hidden, "CREATE TABLE t ", `CREATE FUNCTION audit(w text) RETURNS int LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS
		$$ BEGIN PERFORM dblink_exec('`+url+`', format('INSERT INTO audit VALUES (%L, %L)', current_setting('application_name'), w)); RETURN 1; END $$; CREATE TABLE t `, 1))
	w.run(w.admin, "ALTER TABLE parent ATTACH PARTITION part FOR VALUES IN (1); ANALYZE t; TRUNCATE audit")
	for _, c := range hiding {
		if c.name == "domain" {
			w.run(w.admin, domains)
		}
		r := w.explain(c.sql)
		if r.Plan != nil || r.Reason == "" {
			t.Errorf("%s: it was planned: %s", c.name, r.Reason)
		}
		if rows := w.value("SELECT string_agg(what, ' ') FROM audit"); rows != "" {
			t.Errorf("%s: it has called %s", c.name, rows)
			w.run(w.admin, "TRUNCATE audit")
		}
	}
	bound := w.request("SELECT count(*) FROM t WHERE id = $1", "7")
	bound.Types = nil
	if bound.Types = append(bound.Types, w.oid("dom")); w.explainRequest(bound).Plan != nil || w.value("SELECT count(*) FROM audit") != "0" {
		t.Errorf("a parameter of the domain was bound: %s", w.explainer.Results()[0].Reason)
	}
	w.run(w.admin, "ALTER FUNCTION dblink_exec(text, text) RENAME TO plain; ALTER FUNCTION plain STABLE")
	renamed := w.explain("SELECT * FROM t WHERE s = plain('" + url + "', 'INSERT INTO audit VALUES (1, 1)')")
	if renamed.Plan != nil || w.value("SELECT count(*) FROM audit") != "0" {
		t.Errorf("a function of dblink with another name was called: %s", renamed.Reason)
	}
	w.executes()
}

// What is harmless is executed, whatever else there is in the database.
func TestGateLetsThrough(t *testing.T) {
	w := newWorld(t, strings.Replace(hidden, "CREATE TABLE t ", `CREATE FUNCTION audit(w text) RETURNS int LANGUAGE plpgsql VOLATILE AS
		$$ BEGIN RETURN nextval('s'); END $$; CREATE SEQUENCE s; CREATE TABLE t `, 1))
	w.executes()
	w.run(w.admin, domains)
	w.executes()
	for _, sql := range []string{
		"SELECT finesum(fine(v, 1)), sum(fine_too(v)) FROM t WHERE id < 5",
		"SELECT v::fine_domain, 'good'::mood, ints(1, id + 1) FROM t WHERE ints(1, 5) @> id AND 'bad'::mood > 'good' AND v > 0",
	} {
		w.executed(sql)
	}
}

// executes wants what uses functions of PostgreSQL's own to be executed.
func (w *world) executes() {
	w.t.Helper()
	for _, sql := range []string{
		"SELECT 1",
		"SELECT count(*), max(s), string_agg(s, ',' ORDER BY id DESC) FROM t WHERE id = 1 AND v <= 3 AND s LIKE 'x%' AND s ~ '^x' GROUP BY v HAVING sum(v) > 0",
		"SELECT DISTINCT a.v::numeric, '2020-01-01'::timestamptz + interval '1 day', '{1}'::int[], '{}'::jsonb -> 'a' FROM t a JOIN t b USING (id) WHERE a.id IN (1, 2) OR b.s IS DISTINCT FROM 'dblink'",
		`SELECT "länge" FROM "größen" WHERE id BETWEEN 1 AND 2 UNION SELECT row_number() OVER (ORDER BY id) FROM t ORDER BY 1 LIMIT 3`,
		"SELECT now(), random(), upper(s), s COLLATE \"C\" FROM t ORDER BY s USING < -- audit() \n",
		"SELECT n.nspname, c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'audit'",
	} {
		w.executed(sql)
	}
}

func (w *world) executed(sql string) {
	w.t.Helper()
	if r := w.explain(sql); r.Reason != "" || r.Plan == nil || !r.Plan.Analyzed {
		w.t.Errorf("%s was not executed: %s", sql, r.Reason)
	}
}

func (w *world) oid(typ string) uint32 {
	w.t.Helper()
	n := uint32(0)
	for _, c := range w.value("SELECT '" + typ + "'::regtype::oid") {
		n = n*10 + uint32(c-'0')
	}
	return n
}
