package catalog

import "testing"

func TestReadable(t *testing.T) {
	s := load(t, `
		CREATE TABLE t (x int); CREATE TABLE u (x int); CREATE UNLOGGED TABLE quick (); CREATE SEQUENCE seq;
		CREATE VIEW v AS SELECT t.x FROM t JOIN u USING (x); CREATE VIEW vv AS SELECT *, current_user FROM v WHERE x::text LIKE 'a%';
		CREATE VIEW over_catalog AS SELECT relname FROM pg_class; CREATE VIEW over_that AS SELECT * FROM over_catalog;
		CREATE VIEW over_schema AS SELECT table_name FROM information_schema.tables;
		CREATE VIEW over_sequence AS SELECT last_value FROM seq;
		CREATE VIEW clock AS SELECT x FROM t WHERE now() > '2020-01-01'; CREATE VIEW today AS SELECT current_date FROM t;
		CREATE VIEW schema AS SELECT current_schema FROM t;
		CREATE VIEW chance AS SELECT random() FROM t; CREATE VIEW locks AS SELECT * FROM t FOR UPDATE;
		CREATE VIEW sample AS SELECT * FROM t TABLESAMPLE SYSTEM (10);
		CREATE TYPE comp AS (a int);
		CREATE TABLE names (x regclass); CREATE TABLE rights (x aclitem[]); CREATE TABLE hours (x timetz)`)
	reads(t, s, "t", "t")
	reads(t, s, "quick", "quick")
	reads(t, s, "vv", "t u")
	for relation, why := range map[string]string{
		"pg_catalog.pg_class": "system catalog", "information_schema.tables": "system catalog",
		"pg_catalog.pg_largeobject": "system catalog", "pg_catalog.pg_stat_activity": "system catalog",
		"over_catalog": "pg_class is a system catalog", "over_that": "pg_class is a system catalog",
		"over_schema": "system catalog", "seq": "sequence", "over_sequence": "seq is a sequence",
		"clock": "now()", "today": "time", "schema": "search_path", "chance": "random()", "locks": "locks", "sample": "TABLESAMPLE",
		"comp": "no rows", "names": "regclass", "rights": "aclitem", "hours": "timetz",
	} {
		isUnreadable(t, s, relation, why)
	}
	if _, why := s.Readable([]uint32{1 << 31}); why == "" {
		t.Error("an unknown relation is readable")
	}
}

func TestTrap60RowSecurity(t *testing.T) {
	s := load(t, `
		CREATE TABLE t (x int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE VIEW v AS SELECT * FROM t;
		CREATE TABLE forced (x int); ALTER TABLE forced ENABLE ROW LEVEL SECURITY; ALTER TABLE forced FORCE ROW LEVEL SECURITY;
		CREATE TABLE u (x int); CREATE POLICY p ON u USING (x > 1)`)
	isUnreadable(t, s, "t", "row level security")
	isUnreadable(t, s, "v", "row level security")
	reads(t, s, "u", "u")
	if r := rel(t, s, "forced"); !r.RowSecurity || !r.ForceRowSecurity {
		t.Errorf("row level security of forced: %+v", r.Security)
	}
}

func TestTrap50TemporaryTables(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int); CREATE TEMP TABLE t (x text)")
	s := d.load()
	reads(t, s, "t", "t")
	if r := rel(t, s, "t"); r.Schema != "public" || r.Columns[0].Type != 23 {
		t.Errorf("t is %+v", r)
	}
	s.Relations(func(r *Relation) {
		if r.Persistence == 't' {
			t.Errorf("%s is temporary", r)
		}
	})
}
