package sqlparse

import "testing"

func TestAppendShape(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"select 1", "select $1"},
		{"SELECT a FROM t WHERE b = 'secret' AND c = $1 -- comment", "select a from t where b = $2 and c = $1"},
		{"select * from t where id in (1, 2,3 , 4)", "select * from t where id in ($1, ...)"},
		{"insert into t values (1,'a',2.5),(2,'b',3)", "insert into t values ($1, ...),($2, ...)"},
		{"select f(1), g('x', y)", "select f($1), g($2, y)"},
		{"select E'a\\'b', $$c$$", "select $1, ..."},
		{"; begin;;select 1 ;select 'a'; 'b' ; -- end", "begin; select $1; select $2; $3"},
		{"select do('delete from t; select pg_sleep(1)')", "select do($1)"},
	} {
		shape, ok := AppendShape([]byte("kept"), []byte(c.text))
		if !ok || string(shape[:4]) != "kept" || ShapeText(shape[4:]) != c.want {
			t.Errorf("%s: %q %v, not %q", c.text, ShapeText(shape[4:]), ok, c.want)
		}
	}
	if _, ok := AppendShape(nil, []byte("select 'open")); ok {
		t.Error("a text that does not end has a shape")
	}
}

func BenchmarkAppendShape(b *testing.B) {
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 123456;")
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		AppendShape(buf, text)
	}
}
