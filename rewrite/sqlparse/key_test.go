package sqlparse

import (
	"strings"
	"testing"
)

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

// Values of settings are hidden without quotes, too, and are no shape of their own.
func TestValuesOfSettingsAreHidden(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"set local app.token = s3cret", "set local app.token = $1"},
		{`SET app.token TO "S3cret"`, "set app.token to $1"},
		{"set session app.token = s3cret", "set session app.token = $1"},
		{"set search_path = tenant_s3cret, public, 'x'", "set search_path = $1, ..."},
		{"set a = s3cret; set b = s3cret; select a = b", "set a = $1; set b = $2; select a = b"},
		{"set app.a.b = s3cret-s3cret", "set app.a.b = $1"}, // which PostgreSQL refuses
		{"set a = s3cret s3cret", "set a = $1"},
		{"set local = s3cret", "set local = $1"},
		{"set local to s3cret", "set local to $1"},
		{"set a.set = s3cret", "set a.set = $1"},
		{"set a to DEFAULT", "set a to default"},
		{"set a = Off", "set a = off"},
		{"set a from current", "set a from current"},
		{"set role who", "set role $1"},
		{"set time zone utc", "set time zone $1"},
		{"set transaction isolation level serializable", "set transaction isolation level serializable"},
		{"set session characteristics as transaction read only", "set session characteristics as transaction read only"},
		{"alter role me in database d set app.token = s3cret", "alter role me in database d set app.token = $1"},
		{"alter database d set app.token to s3cret", "alter database d set app.token to $1"},
		{"alter system set x = s3cret, s3cret", "alter system set x = $1, ..."},
		{"alter function f() set a = s3cret set b to on reset c", "alter function f() set a = $1 set b to on reset c"},
		{"create or replace function f() returns int set a = s3cret, s3cret language sql as 'x'", "create or replace function f() returns int set a = $1, ... language sql as $2"},
		{"create procedure f() language sql set a = s3cret as 'x'", "create procedure f() language sql set a = $1 as $2"},
		{"alter table t alter c set default a", "alter table t alter c set default a"},
		{"alter table t set (fillfactor = 70)", "alter table t set (fillfactor = $1)"},
		{"alter table t rename to u", "alter table t rename to u"},
		{"create rule r as on update to t do update u set a = b", "create rule r as on update to t do update u set a = b"},
		{"update t set a = b, c = d", "update t set a = b, c = d"},
		{"insert into t values (1) on conflict do update set a = b", "insert into t values ($1) on conflict do update set a = b"},
	} {
		shape, ok := AppendShape(nil, []byte(c.text))
		if !ok || ShapeText(shape) != c.want {
			t.Errorf("%s: %q %v, not %q", c.text, ShapeText(shape), ok, c.want)
		}
		if got := Redact([]byte(c.text)); strings.Contains(got, "3cret") || got == "" {
			t.Errorf("%s: for a log %s", c.text, got)
		}
	}
}

// A pattern tells values of settings apart, and a pattern for people does not show them.
func TestPatternOfSetting(t *testing.T) {
	one, _ := AppendPattern(nil, []byte("set a = s3cret"))
	two, _ := AppendPattern(nil, []byte("set a = other"))
	if string(one) == string(two) || Normal(one) != "set a = $1" {
		t.Errorf("%q, %q, %s", one, two, Normal(one))
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
