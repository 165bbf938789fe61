package explain

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// An index that is advised does not make PostgreSQL refuse rows that it has taken before; where
// it may, that is said.
func TestNoRowIsRefused(t *testing.T) {
	w := newWorld(t, `CREATE TABLE papers (id int, owner int, note text, code varchar(20), doc jsonb, raw bytea, tags text[]);
		ALTER TABLE papers ALTER note SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL;
		INSERT INTO papers SELECT i, i % 2000, 'n' || i, 'c' || i, '{}', 'r', '{x}' FROM generate_series(1, 20000) i;
		GRANT SELECT ON papers TO app`)
	w.run(w.admin, "VACUUM ANALYZE papers")
	const long = `INSERT INTO papers SELECT 0, 0, string_agg(h, ''), 'c', to_jsonb(string_agg(h, '')), string_agg(h, '')::bytea, array_agg(h)
		FROM (SELECT md5(i::text) FROM generate_series(1, 500) i) t (h)`
	for _, c := range []struct {
		sql, ddl string
		told     bool
	}{
		{"SELECT note FROM papers WHERE owner = 7", "(owner);", false},
		{"SELECT doc FROM papers WHERE owner = 7", "(owner);", false},
		{"SELECT raw, tags FROM papers WHERE owner = 7", "(owner);", false},
		{"SELECT id, code FROM papers WHERE owner = 7", "(owner) INCLUDE (code, id);", false},
		{"SELECT * FROM papers WHERE code = 'c7'", "(code);", false},
		{"SELECT * FROM papers WHERE note = 'n7'", "(note);", true},
		{"SELECT * FROM papers WHERE lower(note) = 'n7'", "((lower(note)));", true},
		{"SELECT * FROM papers WHERE owner = 7 ORDER BY note", "(owner, note);", true},
	} {
		w.explainer.advices = newAdviceBook()
		list := w.advisedFor(w.explain(c.sql))
		if len(list) != 1 || !strings.HasSuffix(list[0].DDL, "ON public.papers "+c.ddl) {
			t.Errorf("%s: %+v", c.sql, list)
			continue
		}
		w.run(w.admin, strings.ReplaceAll(list[0].DDL, "CONCURRENTLY", "advised"))
		_, err := w.admin.Exec(t.Context(), "BEGIN; "+long).ReadAll()
		w.run(w.admin, "ROLLBACK; DROP INDEX advised")
		var refused *pgconn.PgError
		if errors.As(err, &refused) != c.told || c.told != strings.Contains(list[0].Why, "more than about 2,700 bytes") {
			t.Errorf("%s: %v; it is said: %s", list[0].DDL, err, list[0].Why)
		}
	}
}
