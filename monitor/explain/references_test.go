package explain

import (
	"context"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/advice"
)

// Who deletes rows, or changes their keys, is told of foreign keys that have no index.
func TestUnindexedReferences(t *testing.T) {
	w := newWorld(t, `CREATE TABLE parents (id int PRIMARY KEY, "Place" int, kind int, name text, UNIQUE ("Place", kind));
		INSERT INTO parents SELECT i, i, i % 7, 'p' || i FROM generate_series(1, 20) i;
		CREATE TABLE items (id int, owner int CONSTRAINT "Owner" REFERENCES parents, other int REFERENCES parents, place int, kind int, FOREIGN KEY (place, kind) REFERENCES parents ("Place", kind));
		INSERT INTO items SELECT i, i % 10 + 1, i % 10 + 1, i % 10 + 1, (i % 10 + 1) % 7 FROM generate_series(1, 30000) i; CREATE INDEX ON items (other, id);
		CREATE TABLE few (owner int REFERENCES parents); CREATE TABLE unlike (owner int);
		CREATE TABLE parts (id int, owner int REFERENCES parents) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100000);
		INSERT INTO parts SELECT i, i % 10 + 1 FROM generate_series(1, 30000) i; ANALYZE; GRANT ALL ON ALL TABLES IN SCHEMA public TO app`)
	const owner, place, part = `CREATE INDEX CONCURRENTLY ON public.items (owner);`, `CREATE INDEX CONCURRENTLY ON public.items (place, kind);`, `CREATE INDEX ON public.parts (owner);`
	advised := func(sql string, want ...string) {
		t.Helper()
		w.explainer.advices = newAdviceBook()
		r := w.explain(sql)
		list := w.advisedFor(r)
		for _, ddl := range want {
			found := false
			for _, a := range list {
				found = found || a.DDL == ddl && a.State == advice.Unverified && strings.Contains(a.Why, "30000") && strings.Contains(a.Why, "parents") && a.Cost != ""
			}
			if !found {
				t.Errorf("%s: there is no %s in %+v", sql, ddl, list)
			}
		}
		if len(list) != len(want) {
			t.Errorf("%s: advised %+v\n%s", sql, list, strings.Join(r.Lines(), "\n"))
		}
	}
	advised("DELETE FROM parents WHERE id = 15", owner, place, part)
	advised("UPDATE parents SET id = 16 WHERE id = 15", owner, part)
	advised(`UPDATE parents SET name = 'x', "Place" = 16 WHERE id = 15`, place)
	advised("WITH gone AS (DELETE FROM parents WHERE id = 15 RETURNING *) SELECT * FROM gone", owner, place, part)
	advised("UPDATE parents SET name = 'id' WHERE id = 15")
	advised("DELETE FROM few")
	advised("INSERT INTO parents VALUES (100)")
	advised("SELECT * FROM parents WHERE id = 15")
	w.run(w.admin, "CREATE INDEX ON items (kind, place, id); CREATE INDEX ON items (owner) WHERE id > 3")
	advised("DELETE FROM parents WHERE id = 15", owner, part)
	w.explainer.advices = newAdviceBook()
	told := w.request("DELETE FROM parents WHERE id = 15")
	told.Told = Told(strings.Trim(w.value("EXPLAIN (VERBOSE, FORMAT JSON) DELETE FROM parents WHERE id = 15"), "[]\n "))
	if r := w.explainRequest(told); !r.Told || len(w.advisedFor(r)) != 2 {
		t.Errorf("of a plan that was told: %s, advised %+v", r.Reason, w.advisedFor(r))
	}
	if read := w.readForDelete(); read != "60000" {
		t.Errorf("PostgreSQL has read %s rows", read)
	}
	w.run(w.admin, owner)
	w.run(w.admin, part)
	if read := w.readForDelete(); read != "0" {
		t.Errorf("with the indexes PostgreSQL has read %s rows", read)
	}
	w.explainer.revisit(context.Background(), w.links)
	for _, a := range w.advisedFor(nil) {
		if a.State != advice.Adopted {
			t.Errorf("it was not seen: %+v", a)
		}
	}
	advised("DELETE FROM parents WHERE id = 15")
}

// readForDelete returns how many rows of tables that refer to it PostgreSQL goes through when
// it deletes one.
func (w *world) readForDelete() string {
	w.t.Helper()
	conn := w.dial(w.database, "postgres") // whose statistics have nothing of transactions before
	defer w.close(conn)
	results, err := conn.Exec(context.Background(), `BEGIN; DELETE FROM parents WHERE id = 15;
		SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN ('items', 'part'); ROLLBACK`).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(results[2].Rows[0][0])
}
