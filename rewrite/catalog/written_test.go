package catalog

import (
	"strings"
	"testing"
)

func TestTrap16ForeignKeys(t *testing.T) {
	s := load(t, `
		CREATE TABLE firms (id int PRIMARY KEY, code text UNIQUE, name text);
		CREATE TABLE people (id int PRIMARY KEY, firm int REFERENCES firms ON DELETE CASCADE);
		CREATE TABLE notes (id int PRIMARY KEY, person int REFERENCES people ON DELETE CASCADE);
		CREATE TABLE files (note int REFERENCES notes ON DELETE SET NULL ON UPDATE CASCADE);
		CREATE TABLE deals (firm int DEFAULT 0 REFERENCES firms ON DELETE SET DEFAULT, code text REFERENCES firms (code) ON UPDATE CASCADE);
		CREATE TABLE bills (firm int REFERENCES firms ON DELETE RESTRICT ON UPDATE RESTRICT);
		CREATE TABLE logs (firm int REFERENCES firms)`)
	writes(t, s, Delete, "firms", "deals files firms notes people")
	writes(t, s, Delete, "people", "files notes people")
	writes(t, s, Delete, "notes", "files notes")
	writes(t, s, Delete, "files", "files")
	writes(t, s, Update, "notes", "files notes")
	writes(t, s, Update, "people", "people")
	writes(t, s, Update, "firms", "deals firms")
	writes(t, s, Insert, "firms", "firms")
	writes(t, s, Copy, "people", "people")
	writes(t, s, Merge, "firms", "deals files firms notes people")
	writes(t, s, Insert|Update, "notes", "files notes")

	for columns, want := range map[string]string{"": "deals firms", "name": "firms", "name code": "deals firms", "id": "firms", "code": "deals firms"} {
		oids, opaque := s.WrittenColumns(Update, strings.Fields(columns), rel(t, s, "firms"))
		if got := list(s, oids); got != want || opaque != "" {
			t.Errorf("UPDATE of %s writes %q, want %q; %s", columns, got, want, opaque)
		}
	}
}

// TestTrap16Columns follows keys through the columns that they change.
func TestTrap16Columns(t *testing.T) {
	s := load(t, `
		CREATE TABLE a (id int PRIMARY KEY, v int);
		CREATE TABLE b (a int PRIMARY KEY REFERENCES a ON UPDATE CASCADE, k int UNIQUE);
		CREATE TABLE c (b int REFERENCES b ON UPDATE CASCADE, k int REFERENCES b (k) ON UPDATE CASCADE);
		CREATE TABLE d (k int REFERENCES b (k) ON UPDATE CASCADE);
		CREATE TABLE g (x int, y int GENERATED ALWAYS AS (x + 1) STORED UNIQUE);
		CREATE TABLE h (y int REFERENCES g (y) ON UPDATE NO ACTION);
		CREATE TABLE i (y int REFERENCES g (y) ON UPDATE CASCADE)`)
	for _, test := range []struct{ table, columns, want string }{
		{"a", "id", "a b c"},
		{"a", "v", "a"},
		{"b", "k", "b c d"},
		{"b", "a k", "b c d"},
		{"g", "x", "g i"},
	} {
		oids, _ := s.WrittenColumns(Update, strings.Fields(test.columns), rel(t, s, test.table))
		if got := list(s, oids); got != test.want {
			t.Errorf("UPDATE of %s (%s) writes %q, want %q", test.table, test.columns, got, test.want)
		}
	}
}

func TestTrap16Cycles(t *testing.T) {
	s := load(t, `
		CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE CASCADE);
		CREATE TABLE a (id int PRIMARY KEY, c int);
		CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
		CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE);
		ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE`)
	writes(t, s, Delete, "tree", "tree")
	for _, table := range []string{"a", "b", "c"} {
		writes(t, s, Delete, table, "a b c")
	}
}

// TestTrap17Triggers has a trigger for each event, and those that do no harm.
func TestTrap17Triggers(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log DEFAULT VALUES; RETURN NEW; END';
		CREATE TABLE ins (); CREATE TRIGGER x AFTER INSERT ON ins EXECUTE FUNCTION f();
		CREATE TABLE upd (); CREATE TRIGGER x BEFORE UPDATE ON upd FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TABLE del (); CREATE CONSTRAINT TRIGGER x AFTER DELETE ON del DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TABLE tru (); CREATE TRIGGER x BEFORE TRUNCATE ON tru EXECUTE FUNCTION f();
		CREATE TABLE off (); CREATE TRIGGER x AFTER INSERT ON off EXECUTE FUNCTION f(); ALTER TABLE off DISABLE TRIGGER x;
		CREATE TABLE own (t text, v tsvector);
		CREATE TRIGGER x BEFORE INSERT OR UPDATE ON own FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(v, 'pg_catalog.english', t);
		CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (p int REFERENCES parent ON DELETE CASCADE); CREATE TRIGGER x AFTER DELETE ON child EXECUTE FUNCTION f()`)
	for table, cmd := range map[string]Command{"ins": Insert, "upd": Update, "del": Delete, "tru": Truncate} {
		isOpaque(t, s, cmd, table, table+" has trigger x")
		writes(t, s, (Merge|Truncate)&^cmd, table, table)
	}
	writes(t, s, Merge, "off", "off")
	writes(t, s, Merge, "own", "own")
	isOpaque(t, s, Delete, "parent", "child has trigger x")
	writes(t, s, Update, "parent", "parent")
	if tr := rel(t, s, "del").Triggers[0]; !tr.Deferrable || !tr.Row || tr.Before || tr.On != Delete || tr.Enabled != 'O' {
		t.Errorf("the trigger is %+v", tr)
	}
}

func TestTrap18Rules(t *testing.T) {
	s := load(t, `
		CREATE TABLE log (x int); CREATE TABLE other (x int PRIMARY KEY); CREATE TABLE more (x int REFERENCES other ON DELETE CASCADE);
		CREATE TABLE also (x int); CREATE RULE r AS ON INSERT TO also DO ALSO INSERT INTO log VALUES (NEW.x);
		CREATE TABLE instead (x int); CREATE RULE r AS ON DELETE TO instead DO INSTEAD (DELETE FROM other WHERE x = OLD.x; UPDATE log SET x = 1);
		CREATE TABLE nothing (x int); CREATE RULE r AS ON UPDATE TO nothing DO INSTEAD NOTHING;
		CREATE TABLE tells (x int); CREATE RULE r AS ON UPDATE TO tells DO ALSO NOTIFY c;
		CREATE TABLE disabled (x int); CREATE RULE r AS ON INSERT TO disabled DO ALSO INSERT INTO log VALUES (1);
		ALTER TABLE disabled DISABLE RULE r;
		CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM log; SELECT 1';
		CREATE TABLE calls (x int); CREATE RULE r AS ON INSERT TO calls DO ALSO INSERT INTO log VALUES (f());
		CREATE TABLE asks (x int); CREATE RULE r AS ON INSERT TO asks WHERE NEW.x = f() DO ALSO INSERT INTO log VALUES (1)`)
	writes(t, s, Insert, "also", "also log")
	writes(t, s, Update, "also", "also")
	writes(t, s, Delete, "instead", "instead log more other")
	writes(t, s, Update, "nothing", "nothing")
	isOpaque(t, s, Update, "tells", "rule r on public.tells does a NOTIFY")
	writes(t, s, Insert, "disabled", "disabled")
	isOpaque(t, s, Insert, "calls", "rule r on public.calls calls function public.f()")
	isOpaque(t, s, Insert, "asks", "rule r on public.asks calls function public.f()")
}

func TestTrap19Views(t *testing.T) {
	s := load(t, `
		CREATE TABLE t (id int PRIMARY KEY, x int); CREATE TABLE part (t int REFERENCES t ON DELETE CASCADE); CREATE TABLE u (x int);
		CREATE VIEW v AS SELECT * FROM t WHERE x > 1;
		CREATE VIEW vv AS SELECT id, x FROM v WHERE x IN (SELECT x FROM u) WITH CHECK OPTION;
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE VIEW instead AS SELECT count(*) FROM t; CREATE TRIGGER i INSTEAD OF INSERT ON instead FOR EACH ROW EXECUTE FUNCTION f();
		CREATE VIEW ruled AS SELECT 1 AS x; CREATE RULE r AS ON INSERT TO ruled DO INSTEAD INSERT INTO u VALUES (NEW.x);
		CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM u; RETURN 1; END';
		CREATE VIEW sly AS SELECT * FROM t WHERE x = g()`)
	writes(t, s, Update, "v", "t v")
	writes(t, s, Insert, "vv", "t u v vv")
	writes(t, s, Delete, "vv", "part t u v vv")
	isOpaque(t, s, Insert, "instead", "instead has trigger i")
	writes(t, s, Insert, "ruled", "ruled u")
	isOpaque(t, s, Update, "sly", "sly calls function public.g(), which may write")
	if why := s.ReadingWrites(rel(t, s, "sly")); !strings.Contains(why, "public.g()") {
		t.Errorf("reading sly: %q", why)
	}
	if why := s.ReadingWrites(rel(t, s, "vv"), nil); why != "" {
		t.Errorf("reading vv: %q", why)
	}
}

// TestTrap20Functions has functions that write wherever a command calls them.
func TestTrap20Functions(t *testing.T) {
	s := load(t, `
		CREATE TABLE log (x int);
		CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'INSERT INTO log VALUES (1); SELECT 1';
		CREATE FUNCTION sound(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
		SET check_function_bodies = off;
		CREATE FUNCTION liar5(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.liar4($1)';
		CREATE FUNCTION liar4(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.liar3($1)';
		CREATE FUNCTION liar3(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.liar2($1)';
		CREATE FUNCTION liar2(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.liar1($1)';
		CREATE FUNCTION liar1(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.liar($1)';
		CREATE FUNCTION liar(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.F($1)';
		CREATE FUNCTION dynamic(int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
		CREATE OPERATOR ### (RIGHTARG = int, FUNCTION = f);
		CREATE DOMAIN d AS int CHECK (f(VALUE) > 0);
		CREATE DOMAIN dd AS d; CREATE TYPE c AS (a int, b dd);
		CREATE DOMAIN preset AS int DEFAULT f(1);
		CREATE TABLE in_default (x int DEFAULT f(1));
		CREATE TABLE in_operator (x int DEFAULT ### 1);
		CREATE TABLE in_check (x int CHECK (f(x) > 0));
		CREATE TABLE in_index (x int); CREATE INDEX ON in_index (liar(x));
		CREATE TABLE in_predicate (x int); CREATE INDEX ON in_predicate (x) WHERE liar5(x) > 1;
		CREATE TABLE in_generated (x int, y int GENERATED ALWAYS AS (liar(x)) STORED);
		CREATE TABLE in_policy (x int); CREATE POLICY p ON in_policy USING (f(x) > 1);
		CREATE TABLE in_domain (x dd); CREATE TABLE in_array (x d[]); CREATE TABLE in_composite (x c); CREATE TABLE in_row (x in_domain);
		CREATE TABLE in_preset (x preset);
		CREATE TABLE in_dynamic (x int CHECK (dynamic(x) > 0));
		CREATE TABLE in_partition (x int) PARTITION BY RANGE (liar(x));
		CREATE TABLE fine (id serial, u uuid DEFAULT gen_random_uuid(), at timestamptz DEFAULT now(), x int DEFAULT 1 CHECK (x > 0 AND sound(x) > 1))`)
	for _, table := range strings.Fields("default operator check index predicate generated policy domain array composite row preset dynamic partition") {
		isOpaque(t, s, Insert, "in_"+table, "may write")
		isOpaque(t, s, Update, "in_"+table, "may write")
		if table != "policy" {
			writes(t, s, Delete|Truncate, "in_"+table, "in_"+table)
		}
	}
	isOpaque(t, s, Delete, "in_policy", "may write")
	writes(t, s, Merge|Truncate, "fine", "fine")
}

// TestTrap20OperatorClass has an index that orders by a function of a user.
func TestTrap20OperatorClass(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION cmp(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 - $2; END';
		CREATE OPERATOR CLASS mine FOR TYPE int USING btree AS
			OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 cmp(int, int);
		CREATE TABLE t (x int); CREATE INDEX ON t (x mine); CREATE TABLE u (x int); CREATE INDEX ON u (x)`)
	isOpaque(t, s, Insert, "t", "operator class")
	writes(t, s, Delete, "t", "t")
	writes(t, s, Insert, "u", "u")
}

func TestTrap23Truncate(t *testing.T) {
	s := load(t, `
		CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); CREATE TABLE c (b int REFERENCES b);
		CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);
		CREATE TABLE q (p int REFERENCES p)`)
	writes(t, s, Truncate, "a", "a b c")
	writes(t, s, Truncate, "c", "c")
	writes(t, s, Truncate, "p", "p p1 q")
	writes(t, s, Truncate, "p1", "p p1 q")
}

func TestTrap25Partitions(t *testing.T) {
	s := load(t, `
		CREATE TABLE root (id int, x int, PRIMARY KEY (id, x)) PARTITION BY RANGE (id);
		CREATE TABLE mid PARTITION OF root FOR VALUES FROM (0) TO (100) PARTITION BY LIST (x);
		CREATE TABLE leaf PARTITION OF mid FOR VALUES IN (1);
		CREATE TABLE leaf2 PARTITION OF mid FOR VALUES IN (2);
		CREATE TABLE rest PARTITION OF root DEFAULT;
		CREATE TABLE part (id int, x int, FOREIGN KEY (id, x) REFERENCES root ON DELETE CASCADE)`)
	writes(t, s, Insert, "root", "leaf leaf2 mid rest root")
	writes(t, s, Insert, "mid", "leaf leaf2 mid root")
	writes(t, s, Insert, "leaf", "leaf mid root")
	writes(t, s, Update, "root", "leaf leaf2 mid part rest root") // a row that moves is deleted
	writes(t, s, Update, "mid", "leaf leaf2 mid part root")
	writes(t, s, Update, "leaf", "leaf mid root")
	writes(t, s, Delete, "root", "leaf leaf2 mid part rest root")
	writes(t, s, Delete, "leaf", "leaf mid part root")
	reads(t, s, "root", "root")
	reads(t, s, "leaf", "leaf mid root")
	if got := list(s, s.Family([]uint32{rel(t, s, "mid").OID, 7})); got != "7 leaf leaf2 mid root" {
		t.Errorf("the family of mid is %s", got)
	}
}

// TestTrap25Inheritance has children with the same name in two schemas.
func TestTrap25Inheritance(t *testing.T) {
	s := load(t, `
		CREATE SCHEMA a; CREATE SCHEMA b;
		CREATE TABLE parent (id int); CREATE TABLE a.child () INHERITS (parent); CREATE TABLE b.child () INHERITS (parent);
		CREATE TABLE b.both () INHERITS (b.child, a.child)`)
	writes(t, s, Update, "parent", "a.child b.both b.child parent")
	writes(t, s, Insert, "parent", "parent")
	writes(t, s, Insert, "a.child", "a.child parent")
	writes(t, s, Delete, "b.child", "b.both b.child parent")
	writes(t, s, Insert, "b.both", "a.child b.both b.child parent")
	reads(t, s, "b.both", "a.child b.both b.child parent")
}

func TestTrap25PartitionTriggers(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE root (id int) PARTITION BY RANGE (id);
		CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (9);
		CREATE TRIGGER x AFTER INSERT ON root FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TABLE root2 (id int) PARTITION BY RANGE (id);
		CREATE TABLE leaf2 PARTITION OF root2 FOR VALUES FROM (0) TO (9);
		CREATE TRIGGER x AFTER INSERT ON leaf2 FOR EACH ROW EXECUTE FUNCTION f()`)
	for _, table := range strings.Fields("root leaf root2 leaf2") {
		isOpaque(t, s, Insert, table, "has trigger x")
		writes(t, s, Delete, table, list(s, s.Family([]uint32{rel(t, s, table).OID})))
	}
}

// TestTrap25Moves has UPDATEs that move rows to other partitions.
func TestTrap25Moves(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE root (k int, x int, PRIMARY KEY (k, x)) PARTITION BY RANGE (k);
		CREATE TABLE mid PARTITION OF root FOR VALUES FROM (0) TO (9) PARTITION BY LIST (x);
		CREATE TABLE leaf PARTITION OF mid DEFAULT; ALTER TABLE root ADD COLUMN y int;
		CREATE TRIGGER x AFTER INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION f();
		CREATE TABLE free (k int, y int, PRIMARY KEY (k)) PARTITION BY RANGE (k); CREATE TABLE free1 PARTITION OF free DEFAULT;
		CREATE TABLE part (k int REFERENCES free ON DELETE CASCADE);
		CREATE TABLE computed (k int, y int) PARTITION BY LIST (abs(k)); CREATE TABLE computed1 PARTITION OF computed DEFAULT;
		CREATE TRIGGER x AFTER DELETE ON computed FOR EACH ROW EXECUTE FUNCTION f()`)
	for _, test := range []struct {
		target, column, want string
		opaque               bool
	}{
		{"root", "k", "leaf mid root", true},
		{"root", "x", "leaf mid root", true},
		{"root", "y", "leaf mid root", false},
		{"mid", "x", "leaf mid root", true},
		{"mid", "k", "leaf mid root", false},
		{"leaf", "x", "leaf mid root", false},
		{"free", "y", "free free1", false},
		{"free", "k", "free free1 part", false},
		{"computed", "y", "computed computed1", true},
	} {
		oids, opaque := s.WrittenColumns(Update, []string{test.column}, rel(t, s, test.target))
		if got := list(s, oids); got != test.want || (opaque != "") != test.opaque {
			t.Errorf("UPDATE of %s.%s writes %q, want %q; %q", test.target, test.column, got, test.want, opaque)
		}
	}
}

func TestTrap26MaterializedViews(t *testing.T) {
	s := load(t, `
		CREATE TABLE t (x int); CREATE MATERIALIZED VIEW m AS SELECT count(*), now() FROM t;
		CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t; SELECT 1';
		CREATE MATERIALIZED VIEW sly AS SELECT 1 AS x FROM t WHERE x = f()`)
	writes(t, s, Refresh, "m", "m")
	writes(t, s, Insert, "t", "t")
	isOpaque(t, s, Refresh, "sly", "public.f()")
	reads(t, s, "m", "m")
	reads(t, s, "sly", "sly")
}

func TestTrap30ForeignTables(t *testing.T) {
	s := load(t, `
		CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE f (x int) SERVER s;
		CREATE TABLE root (x int) PARTITION BY RANGE (x); CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (9);
		CREATE FOREIGN TABLE far PARTITION OF root FOR VALUES FROM (9) TO (99) SERVER s`)
	isOpaque(t, s, Insert, "f", "f is a foreign table")
	isOpaque(t, s, Update, "root", "far is a foreign table")
	writes(t, s, Insert, "leaf", "leaf root")
	isUnreadable(t, s, "f", "foreign table")
	isUnreadable(t, s, "root", "far is a foreign table")
	reads(t, s, "leaf", "leaf root")
}

func TestWrittenUnknown(t *testing.T) {
	s := load(t, "CREATE TABLE t ()")
	oids, opaque := s.Written(Insert, nil, rel(t, s, "t"))
	if list(s, oids) != "t" || !strings.Contains(opaque, "not known") {
		t.Errorf("an unknown target writes %s; %q", list(s, oids), opaque)
	}
	isOpaque(t, s, Update, "pg_catalog.pg_class", "system catalog")
}
