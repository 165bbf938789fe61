package explain

import "testing"

// Names that are key words have quotes in what is to be pasted.
func TestKeywordsAreQuoted(t *testing.T) {
	w := newWorld(t, `CREATE TABLE words ("left" int, "full" int, "lateral" int, "current_date" int, "between" int, plain int);
		INSERT INTO words SELECT i, i, i, i, i, i FROM generate_series(1, 20000) i; ANALYZE words; GRANT SELECT ON words TO app`)
	for _, name := range []string{"left", "full", "lateral", "current_date", "between", "plain"} {
		w.explainer.advices = newAdviceBook()
		list := w.advisedFor(w.explain(`SELECT * FROM words WHERE "` + name + `" = 7`))
		if len(list) != 1 {
			t.Errorf("%s: %+v", name, list)
			continue
		}
		w.run(w.admin, list[0].DDL)
	}
}
