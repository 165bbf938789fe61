package explain

import "testing"

// No index is advised that the planner could not use.
func TestUselessIndexes(t *testing.T) {
	w := newWorld(t, `CREATE TABLE odd (u uuid, d date, c char(8), i int, v varchar(20), note text);
		INSERT INTO odd SELECT md5(i::text)::uuid, date '2020-01-01' + i, 'c' || i, i, 'v' || i, 'n' || i FROM generate_series(1, 20000) i;
		ANALYZE odd; GRANT SELECT ON odd TO app`)
	for where, want := range map[string]bool{
		"u::text = 'abc'": false, "d::text = '2020-01-03'": false, "c::text = 'c7'": false, "i::text = '7'": false,
		`note > 'ny' COLLATE "POSIX"`: false, `note = 'n7' COLLATE "C"`: false,
		"v = 'v7'": true, "v::text = 'v7'": true, "note > 'nz'": true, "c = 'c7'": true,
	} {
		w.explainer.advices = newAdviceBook()
		if list := w.advisedFor(w.explain("SELECT * FROM odd WHERE " + where)); len(list) > 0 != want {
			t.Errorf("%s: %+v", where, list)
		}
	}
}

// On citext LIKE uses no index.
func TestCitext(t *testing.T) {
	w := newWorld(t, "SELECT 1")
	if w.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") == "0" {
		t.Skip("citext is not installed here")
	}
	w.run(w.admin, `CREATE EXTENSION citext; CREATE DOMAIN mail AS citext; CREATE TABLE odd (ci citext, m mail, c char(20));
		INSERT INTO odd SELECT 'c' || i, 'c' || i, 'c' || i FROM generate_series(1, 20000) i; ANALYZE odd; GRANT SELECT ON odd TO app`)
	for where, want := range map[string]bool{
		"ci LIKE 'c777%'": false, "ci ILIKE '%c777%'": false, "m LIKE 'c777%'": false, "m ILIKE '%c777%'": false, "ci = 'c777'": true,
		"c ILIKE '%c777%'": false, // nor has pg_trgm anything for char
	} {
		w.explainer.advices = newAdviceBook()
		if list := w.advisedFor(w.explain("SELECT * FROM odd WHERE " + where)); len(list) > 0 != want {
			t.Errorf("%s: %+v", where, list)
		}
	}
}
