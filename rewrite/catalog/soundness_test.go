package catalog

import (
	"context"
	"fmt"
	"testing"
)

// writtenLocks are the relations with rows of their own, and the views, that
// the transaction has changed: PostgreSQL's own answer.
const writtenLocks = `SELECT DISTINCT l.relation FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
	WHERE l.pid = pg_backend_pid() AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
	AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384`

// TestTrap16To25AgainstLocks executes commands and wants every relation that
// PostgreSQL then has locked for writing to be in Written.
func TestTrap16To25AgainstLocks(t *testing.T) {
	d := newDatabase(t, `
		CREATE TABLE firms (id int PRIMARY KEY, code int UNIQUE DEFAULT 1);
		CREATE TABLE people (id int PRIMARY KEY, firm int DEFAULT 2 REFERENCES firms ON DELETE CASCADE ON UPDATE CASCADE);
		CREATE TABLE notes (id int PRIMARY KEY, person int DEFAULT 1 REFERENCES people ON DELETE SET DEFAULT ON UPDATE CASCADE,
			code int REFERENCES firms (code) ON UPDATE SET NULL ON DELETE SET NULL);
		CREATE TABLE log (x int); CREATE TABLE stock (x int);
		CREATE RULE audit AS ON UPDATE TO notes DO ALSO (INSERT INTO log VALUES (NEW.id); DELETE FROM stock);
		CREATE VIEW firms_view AS SELECT * FROM firms WHERE id < 100; CREATE VIEW nested AS SELECT id, code FROM firms_view;
		CREATE VIEW ruled AS SELECT 1 AS x; CREATE RULE ins AS ON INSERT TO ruled DO INSTEAD UPDATE people SET id = id + 10;
		CREATE TABLE root (id int PRIMARY KEY, x int) PARTITION BY RANGE (id);
		CREATE TABLE mid PARTITION OF root FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
		CREATE TABLE leaf1 PARTITION OF mid FOR VALUES FROM (0) TO (50); CREATE TABLE leaf2 PARTITION OF mid FOR VALUES FROM (50) TO (100);
		CREATE TABLE parts (id int PRIMARY KEY, root int REFERENCES root ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY RANGE (id);
		CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (50);
		CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); CREATE TABLE grandchild () INHERITS (child);
		INSERT INTO firms SELECT i, i FROM generate_series(1, 9) i; INSERT INTO people SELECT i, i FROM generate_series(1, 9) i;
		INSERT INTO notes SELECT i, i, i FROM generate_series(1, 9) i; INSERT INTO root SELECT i, i FROM generate_series(0, 49) i;
		INSERT INTO parts SELECT i, i FROM generate_series(0, 49) i; INSERT INTO grandchild VALUES (1)`)
	s := d.load()
	for _, test := range []struct {
		cmd         Command
		target, sql string
		columns     []string
	}{
		{Delete, "firms", "DELETE FROM firms WHERE id > 2", nil},
		{Update, "firms", "UPDATE firms SET id = 50 WHERE id = 5", []string{"id"}},
		{Update, "firms", "UPDATE firms SET code = 50 WHERE id = 5", []string{"code"}},
		{Update, "firms", "UPDATE firms SET id = id + 100, code = code + 100", nil},
		{Insert, "firms", "INSERT INTO firms VALUES (80, 80)", nil},
		{Insert | Update, "firms", "INSERT INTO firms VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET id = 77", nil},
		{Truncate, "firms", "TRUNCATE firms CASCADE", nil},
		{Truncate, "root", "TRUNCATE root CASCADE", nil},
		{Truncate, "mid", "TRUNCATE mid CASCADE", nil},
		{Update, "notes", "UPDATE notes SET person = 1", []string{"person"}},
		{Delete, "nested", "DELETE FROM nested WHERE id = 3", nil},
		{Update, "nested", "UPDATE nested SET code = 60 WHERE id = 6", []string{"code"}},
		{Insert, "ruled", "INSERT INTO ruled VALUES (1)", nil},
		{Update, "root", "UPDATE root SET id = 99 - id", nil},
		{Update, "root", "UPDATE root SET x = 1 WHERE id = 7", []string{"x"}},
		{Delete, "root", "DELETE FROM root WHERE id = 7", nil},
		{Delete, "leaf1", "DELETE FROM leaf1 WHERE id = 7", nil},
		{Delete, "mid", "DELETE FROM mid", nil},
		{Insert, "parts", "INSERT INTO parts VALUES (49, 1) ON CONFLICT DO NOTHING", nil},
		{Copy, "root", "INSERT INTO root VALUES (5, 5) ON CONFLICT DO NOTHING", nil},
		{Update, "parent", "UPDATE parent SET id = 2", nil},
		{Insert, "parent", "INSERT INTO parent VALUES (1)", nil},
		{Delete, "child", "DELETE FROM child", nil},
	} {
		oids, opaque := s.WrittenColumns(test.cmd, test.columns, rel(t, s, test.target))
		if opaque != "" {
			t.Errorf("%s: %s", test.sql, opaque)
		}
		known := map[string]bool{}
		for _, oid := range oids {
			known[fmt.Sprint(oid)] = true
		}
		d.run("BEGIN")
		results, err := d.conn.Exec(context.Background(), test.sql).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", test.sql, err)
		} else {
			locked := d.run(writtenLocks)
			for _, oid := range locked {
				if !known[oid] {
					t.Errorf("%s changes %s, which is not in %s", test.sql, d.run("SELECT " + oid + "::regclass")[0], list(s, oids))
				}
			}
			t.Logf("%s: %v, %d locked, %d written", test.sql, results[0].CommandTag, len(locked), len(oids))
		}
		d.run("ROLLBACK")
	}
}
