package catalog

import (
	"strings"
	"testing"
)

// TestTrap52Fingerprint runs every kind of DDL that is known to change what
// statements mean, return or may do, and wants each to be seen.
func TestTrap52Fingerprint(t *testing.T) {
	d := newDatabase(t, `
		CREATE ROLE eve; CREATE ROLE group_of_eve; CREATE SCHEMA app;
		CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1, b text); CREATE TABLE u (id int);
		CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
		CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE part (id int) PARTITION BY RANGE (id); CREATE TABLE leaf (id int);
		CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN dom AS int; CREATE TYPE comp AS (a int);
		CREATE VIEW v AS SELECT 1 AS x; CREATE MATERIALIZED VIEW m AS SELECT 1 AS x; CREATE SEQUENCE s`)
	t.Cleanup(func() { d.run("DROP OWNED BY eve CASCADE; DROP ROLE eve; DROP ROLE group_of_eve") })
	watch := d.connect("postgres")
	if err := prepareFingerprint(t.Context(), watch); err != nil {
		t.Fatal(err)
	}
	var last Fingerprint
	read := func() Fingerprint {
		now, err := readFingerprint(t.Context(), watch, last)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	s := d.load()
	last = s.Fingerprint
	for line := range strings.SplitSeq(strings.TrimSpace(ddl), "\n") {
		d.run(line)
		now := read()
		want, sql, _ := strings.Cut(strings.TrimPrefix(line, "/*"), "*/ ")
		c := now.since(last)
		if got := describe(s, c); got != want {
			t.Errorf("%s is seen as %s, not as %s", sql, got, want)
		}
		last = now
	}
}

// TestFingerprintSeesLateCommits has an older transaction commit after a newer one.
func TestFingerprintSeesLateCommits(t *testing.T) {
	d := newDatabase(t, `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
	older, watch := d.connect("postgres"), d.connect("postgres")
	if err := prepareFingerprint(t.Context(), watch); err != nil {
		t.Fatal(err)
	}
	last := d.load().Fingerprint
	run(t, older, "BEGIN; ALTER FUNCTION f() STABLE")
	d.run("ALTER FUNCTION g() STABLE")
	for _, commit := range []func(){func() {}, func() { run(t, older, "COMMIT") }} {
		commit()
		now, err := readFingerprint(t.Context(), watch, last)
		if err != nil || !now.since(last).Schema {
			t.Errorf("%v is not seen after %v; %v", now, last, err)
		}
		last = now
	}
}

// describe says what has changed, in a word if nothing of the schema has.
func describe(s *Snapshot, c Change) string {
	switch {
	case c.Schema && !c.Roles:
		return "schema"
	case c.Roles && !c.Schema:
		return "roles"
	case c.Schema:
		return "both"
	case len(c.Rewritten) > 0:
		return "rewritten " + list(s, c.Rewritten)
	}
	return "none"
}

const ddl = `
/*schema*/ CREATE TABLE made (x int)
/*schema*/ ALTER TABLE t ADD COLUMN c int
/*schema*/ ALTER TABLE t RENAME COLUMN c TO d
/*schema*/ ALTER TABLE t ALTER COLUMN d SET NOT NULL
/*schema*/ ALTER TABLE t ALTER COLUMN d SET DEFAULT 5
/*schema*/ ALTER TABLE t ALTER COLUMN d DROP DEFAULT
/*schema*/ ALTER TABLE t ALTER COLUMN d TYPE bigint
/*schema*/ ALTER TABLE t ALTER COLUMN b TYPE varchar(99)
/*schema*/ ALTER TABLE t DROP COLUMN d
/*schema*/ ALTER TABLE made RENAME TO made2
/*schema*/ ALTER TABLE made2 SET SCHEMA app
/*schema*/ ALTER TABLE app.made2 OWNER TO eve
/*schema*/ ALTER TABLE app.made2 SET UNLOGGED
/*schema*/ DROP TABLE app.made2
/*schema*/ ALTER TABLE t ENABLE ROW LEVEL SECURITY
/*schema*/ ALTER TABLE t FORCE ROW LEVEL SECURITY
/*schema*/ CREATE POLICY p ON t USING (a = 1)
/*schema*/ ALTER POLICY p ON t USING (a = 2)
/*schema*/ DROP POLICY p ON t
/*schema*/ ALTER TABLE t DISABLE ROW LEVEL SECURITY
/*schema*/ CREATE INDEX i ON t (a)
/*schema*/ CREATE UNIQUE INDEX CONCURRENTLY iu ON t (b)
/*schema*/ DROP INDEX i
/*schema*/ ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID
/*schema*/ ALTER TABLE t VALIDATE CONSTRAINT ck
/*schema*/ ALTER TABLE t DROP CONSTRAINT ck
/*schema*/ ALTER TABLE u ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES t
/*schema*/ ALTER TABLE u ALTER CONSTRAINT fk DEFERRABLE
/*schema*/ ALTER TABLE u DROP CONSTRAINT fk
/*schema*/ CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION trig()
/*schema*/ ALTER TABLE t DISABLE TRIGGER tr
/*schema*/ DROP TRIGGER tr ON t
/*schema*/ CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u VALUES (1)
/*schema*/ CREATE OR REPLACE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u VALUES (2)
/*schema*/ ALTER TABLE t DISABLE RULE r
/*schema*/ DROP RULE r ON t
/*schema*/ CREATE OR REPLACE VIEW v AS SELECT 2 AS x
/*schema*/ ALTER VIEW v SET (security_barrier)
/*rewritten m*/ REFRESH MATERIALIZED VIEW m
/*rewritten t*/ VACUUM FULL t
/*rewritten u*/ TRUNCATE u
/*schema*/ ALTER TABLE part ATTACH PARTITION leaf FOR VALUES FROM (1) TO (2)
/*schema*/ ALTER TABLE part DETACH PARTITION leaf
/*schema*/ ALTER TABLE leaf INHERIT u
/*schema*/ ALTER TABLE leaf NO INHERIT u
/*schema*/ CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'
/*schema*/ ALTER FUNCTION f() IMMUTABLE
/*schema*/ REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC
/*schema*/ CREATE FUNCTION lower(text, int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'
/*schema*/ CREATE AGGREGATE ag(int) (SFUNC = int4larger, STYPE = int)
/*schema*/ CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
/*schema*/ CREATE OPERATOR CLASS oc FOR TYPE int USING hash AS OPERATOR 1 =
/*schema*/ DROP OPERATOR ### (int, int)
/*schema*/ CREATE CAST (text AS int) WITH INOUT
/*schema*/ DROP CAST (text AS int)
/*schema*/ ALTER TYPE mood ADD VALUE 'happy'
/*schema*/ ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'
/*schema*/ ALTER TYPE comp ADD ATTRIBUTE b int
/*schema*/ ALTER DOMAIN dom ADD CHECK (VALUE > 1)
/*schema*/ ALTER DOMAIN dom SET DEFAULT 4
/*schema*/ CREATE TYPE span AS RANGE (SUBTYPE = int)
/*schema*/ CREATE COLLATION coll FROM "C"
/*schema*/ CREATE EXTENSION hstore
/*schema*/ DROP EXTENSION hstore
/*schema*/ CREATE SCHEMA eves AUTHORIZATION eve
/*schema*/ ALTER SCHEMA eves RENAME TO eves2
/*schema*/ GRANT USAGE ON SCHEMA app TO eve
/*schema*/ GRANT SELECT ON t TO eve
/*schema*/ GRANT SELECT (id) ON u TO eve
/*schema*/ REVOKE SELECT ON t FROM eve
/*schema*/ ALTER TEXT SEARCH CONFIGURATION pg_catalog.english ALTER MAPPING FOR word WITH simple
/*roles*/ ALTER ROLE eve BYPASSRLS
/*roles*/ ALTER ROLE eve SUPERUSER
/*roles*/ ALTER ROLE eve VALID UNTIL '2030-01-01'
/*roles*/ GRANT group_of_eve TO eve
/*roles*/ REVOKE group_of_eve FROM eve
/*roles*/ ALTER ROLE eve SET search_path = app
/*roles*/ ALTER ROLE eve RENAME TO adam
/*roles*/ ALTER ROLE adam RENAME TO eve
/*roles*/ DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$
/*roles*/ DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$
/*none*/ SELECT 1
/*none*/ INSERT INTO t VALUES (1)
/*none*/ UPDATE t SET a = 3
/*none*/ ANALYZE t
/*none*/ VACUUM FREEZE
/*none*/ SELECT nextval('s')
/*none*/ CREATE TEMP TABLE tt (x serial PRIMARY KEY CHECK (x > 0), y int DEFAULT 5, z mood)
/*none*/ CREATE TRIGGER tr BEFORE INSERT ON tt FOR EACH ROW EXECUTE FUNCTION trig()
/*none*/ CREATE TEMP VIEW tv AS SELECT * FROM tt
/*none*/ CREATE FUNCTION pg_temp.tf() RETURNS int LANGUAGE sql AS 'SELECT 1'
/*none*/ DROP TABLE tt CASCADE
/*none*/ BEGIN; CREATE TABLE undone (x int); ROLLBACK`
