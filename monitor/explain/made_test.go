package explain

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/advice"
)

// An index counts as made if it is what was advised, and nothing else does.
func TestMade(t *testing.T) {
	w := newWorld(t, `CREATE TABLE big (a int, b int, gone timestamp, doc jsonb);
		INSERT INTO big SELECT i, i % 3, CASE WHEN i % 100 <> 0 THEN now() END, jsonb_build_object('k', i) FROM generate_series(1, 20000) i;
		GRANT SELECT ON big TO app; ANALYZE big`)
	for _, c := range []struct {
		sql, create string
		made        bool
	}{
		{"SELECT * FROM big WHERE a = 5", "CREATE INDEX made ON big (a, b)", false},
		{"SELECT * FROM big WHERE a = 5", "CREATE INDEX made ON big (a) WHERE b = 1", false},
		{"SELECT * FROM big WHERE a = 5", "CREATE INDEX made ON big (a)", true},
		{"SELECT * FROM big WHERE a = 5", "CREATE INDEX made ON big (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'made'::regclass", false},
		{"SELECT * FROM big WHERE gone IS NULL", "CREATE INDEX made ON big (gone) WHERE gone IS NULL", true},
		{"SELECT * FROM big WHERE gone IS NULL", "CREATE INDEX made ON big (gone)", false},
		{"SELECT * FROM big WHERE doc ->> 'k' = '77'", "CREATE INDEX made ON big ((doc ->> 'k'))", true},
	} {
		w.explainer.advices = newAdviceBook()
		w.explain(c.sql)
		w.run(w.admin, c.create)
		w.explainer.revisit(t.Context(), w.links)
		if list := w.advisedFor(nil); len(list) != 1 || (list[0].State == advice.Adopted) != c.made {
			t.Errorf("%s after %s: %+v", c.sql, strings.TrimSpace(c.create), list)
		}
		w.run(w.admin, "DROP INDEX made")
	}
}
