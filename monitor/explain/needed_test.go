package explain

import (
	"strings"
	"testing"
)

// INCLUDE has what the statement reads, and nothing else of what a scan puts out.
func TestIncluded(t *testing.T) {
	w := newWorld(t, `CREATE TABLE things (id int, owner int, kind int, made timestamp);
		INSERT INTO things SELECT i, i % 2000, i % 20, now() FROM generate_series(1, 20000) i; GRANT SELECT ON things TO app`)
	w.run(w.admin, "VACUUM ANALYZE things")
	for sql, ddl := range map[string]string{
		"SELECT count(*) FROM things WHERE owner = 7":                           "(owner);",
		"SELECT sum(kind) FROM things WHERE owner = 7":                          "(owner) INCLUDE (kind);",
		"SELECT id FROM things WHERE owner = 7":                                 "(owner) INCLUDE (id);",
		"SELECT kind, max(id) FROM things WHERE owner = 7 GROUP BY kind":        "(owner, kind) INCLUDE (id);",
		"SELECT count(*) FROM things WHERE owner = 7 AND kind + 1 > 0":          "(owner) INCLUDE (kind);",
		"SELECT made FROM things WHERE owner = 7 ORDER BY kind + id LIMIT 1000": "(owner) INCLUDE (id, kind, made);",
	} {
		w.explainer.advices = newAdviceBook()
		list := w.advisedFor(w.explain(sql))
		if len(list) != 1 || !strings.HasSuffix(list[0].DDL, "ON public.things "+ddl) {
			t.Errorf("%s: %+v", sql, list)
		}
	}
}
