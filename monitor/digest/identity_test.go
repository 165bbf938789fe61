package digest

import (
	"testing"
	"time"
)

// What is shown as one text is one shape with one ID, however its values are sent.
func TestOneTextIsOneShape(t *testing.T) {
	table, r, owner := newTable(t, 100)
	for text, query := range map[string]bool{
		"select a from t where id = 5": true, "select a from t where id = '5'": true, "SELECT a FROM t WHERE id = 5.5": true, "select a from t where id = $1": false,
	} {
		for range 50 {
			r.Record(&Record{Shape: r.Find(owner, []byte(text)), Duration: int64(time.Millisecond), Query: query})
		}
	}
	stats := table.Snapshot()
	if len(stats) != 1 || stats[0].Calls != 200 || stats[0].Literal != 150 {
		t.Errorf("%+v", stats)
	}
}

// No two rows of the table have the same ID.
func TestIDsDiffer(t *testing.T) {
	table, r, owner := newTable(t, 9)
	for _, text := range []string{
		"select 'open", "select (too long, or not to be read for sure)", "(others: more than monitor.max_statements)",
		"select 1", "select $1", "select $2", "select a = $1 and b = 2", "select a = $1 and b = $1", "select a", "select b", "select c",
	} {
		r.Record(&Record{Shape: r.Find(owner, []byte(text)), Duration: 1})
	}
	r.Record(&Record{Shape: r.Find(table.Owner("db", "you"), []byte("select 1")), Duration: 1})
	seen := make(map[ID]string)
	for _, s := range table.Snapshot() {
		if other, twice := seen[s.ID]; twice {
			t.Errorf("%s is %q and %q", s.ID, other, s.Text)
		}
		seen[s.ID] = s.Text
	}
	if len(seen) < 9 {
		t.Errorf("only %d rows", len(seen))
	}
}

// The values of a statement that takes no parameters are none that should be parameters.
func TestUtilityHasNoLiterals(t *testing.T) {
	table, r, owner := newTable(t, 100)
	for _, text := range []string{"set a = b", "set a = 'b'", "copy t from 'x'", "alter role a password 'b'"} {
		r.Record(&Record{Shape: r.Find(owner, []byte(text)), Query: true})
	}
	for _, text := range []string{"with x as (select 5) select * from x", "insert into t values (5)", "(select 5)"} {
		r.Record(&Record{Shape: r.Find(owner, []byte(text)), Query: true})
	}
	var literal uint64
	for _, s := range table.Snapshot() {
		literal += s.Literal
	}
	if literal != 3 {
		t.Errorf("%d", literal)
	}
}
