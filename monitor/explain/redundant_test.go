package explain

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/advice"
)

// Of indexes that another one has all of it is told, and of no other.
func TestRedundantIndexes(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text, d text, e int UNIQUE DEFERRABLE, u int, CONSTRAINT held UNIQUE (u, b)); CREATE TABLE other (u int, b int, FOREIGN KEY (u, b) REFERENCES t (u, b));
		INSERT INTO t SELECT i, i % 100, i % 10, 'c' || i, 'd', i, i FROM generate_series(1, 20000) i;
		CREATE INDEX one ON t (a); CREATE INDEX two ON t (a, b); CREATE INDEX "Three" ON t (a, b); CREATE INDEX pk_again ON t (id); CREATE UNIQUE INDEX pk_unique ON t (id); CREATE INDEX expression ON t (lower(c)); CREATE INDEX expression_more ON t (lower(c), a);
		CREATE INDEX partial ON t (b) WHERE a = 1; CREATE INDEX partial_more ON t (b, c) WHERE a = 1;
		CREATE UNIQUE INDEX kept_unique ON t (c); CREATE INDEX kept_wider ON t (c, d); CREATE INDEX kept_order ON t (a DESC); CREATE INDEX kept_class ON t (c text_pattern_ops);
		CREATE INDEX kept_included ON t (d) INCLUDE (a); CREATE INDEX kept_included_more ON t (d, b); CREATE INDEX kept_hash ON t USING hash (a); CREATE INDEX kept_partial ON t (a) WHERE b = 2;
		CREATE INDEX kept_collation ON t (d COLLATE "C"); CREATE UNIQUE INDEX kept_immediate ON t (e); CREATE INDEX kept_behind ON t (b, a); CREATE INDEX kept_brin ON t USING brin (b); CREATE INDEX kept_cluster ON t (b);
		ALTER TABLE t CLUSTER ON kept_cluster;
		CREATE TABLE parts (id int, a int) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100000); CREATE INDEX ON parts (a); CREATE INDEX ON parts (a, id);
		INSERT INTO parts SELECT i, i FROM generate_series(1, 20000) i; CREATE TABLE few (a int); CREATE INDEX ON few (a); CREATE INDEX ON few (a); ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app`)
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, a := range w.explainer.Advice() {
			if a.Kind != advice.Redundant {
				continue
			}
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(a.DDL, "DROP INDEX CONCURRENTLY public."), ";"))
			if a.Table != "public.t" || a.Why == "" || a.Cost == "" || a.Database != w.database {
				t.Errorf("%+v", a)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("told of %q, not %q", got, want)
		}
	}
	for _, sql := range []string{"SELECT count(*) FROM t WHERE d = 'x'", "SELECT count(*) FROM part", "SELECT * FROM few"} {
		w.explain(sql)
	}
	told(`"Three"`, "expression", "one", "partial", "pk_again", "pk_unique")
	w.run(w.admin, `DROP INDEX CONCURRENTLY "Three"`)
	w.run(w.admin, "DROP INDEX pk_again; DROP INDEX two")
	w.explainer.revisit(context.Background(), w.links)
	told("expression", "partial", "pk_unique")
	w.run(w.admin, "DROP INDEX partial_more; DROP INDEX expression_more; CREATE INDEX four ON t (a, c)")
	w.explain("SELECT count(*) FROM t")
	told("one", "pk_unique")
}
