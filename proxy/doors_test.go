package proxy

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// TestDoorNames says which texts have one of the names, as PostgreSQL reads names.
func TestDoorNames(t *testing.T) {
	var names doorNames
	for name, kind := range map[string]string{
		"orders_view": "code", "Mixed": "code", `odd "name"`: "load", "===": "seed", "größe": "setting", strings.Repeat("n", 63): "code",
	} {
		if !names.add([]byte(hex.EncodeToString([]byte(name))), []byte(kind)) {
			t.Fatalf("%q cannot be read", name)
		}
	}
	for text, want := range map[string]string{
		"select 1":                                 "",
		"select * from orders_view":                "code",
		"SELECT*FROM ORDERS_VIEW;":                 "code",
		"select * from orders_views":               "",
		"select * from my_orders_view":             "",
		`select * from public."orders_view"`:       "code",
		`select * from "Mixed"`:                    "code",
		`select * from "odd ""name"""`:             "load",
		"select 1===2":                             "seed",
		"select * from größe":                      "setting",
		"select 'äh'":                              "setting", // the encoding is the client's
		"select * from " + strings.Repeat("N", 70): "code",    // what is beyond 63 bytes is cut off
	} {
		if got := names.in([]byte(text)); got != doorReasons[want] {
			t.Errorf("%s: %b, want %b", text, got, doorReasons[want])
		}
	}
	if got := names.in([]byte(`select * from u&"\006frders_view"`)); got != names.all {
		t.Errorf("a name that is not written out is %b", got)
	}
	if names.add([]byte("zz"), []byte("code")) || names.add([]byte("61"), []byte("?")) {
		t.Error("what cannot be read was taken")
	}
}

// TestSpelledOut says where the names of settings are in a text.
func TestSpelledOut(t *testing.T) {
	var names doorNames
	if !names.add([]byte(hex.EncodeToString([]byte("f"))), []byte("name")) {
		t.Fatal("it cannot be read")
	}
	for text, want := range map[string]bool{
		"select f('app.x', 'left')":                true,
		"SELECT s.f ( 'app.x' , 1.5, true ) ;":     true,
		"call f('app.x')":                          true,
		"select f('app.' || 'x', 'left')":          false,
		"select f(lower('APP.X'), 'left')":         false,
		"select f($1, 'left')":                     false,
		`select f(E'app\x2ex', 'left')`:            false,
		"select f(name, 'left') from t":            false,
		"select f('app.x', 'y'), f(n) from t":      false,
		"select f('app.x', 'a'); select f(g())":    false,
		"select f('app''||x', 'a')":                false,
		"select * from f('app.x', (select 'b.c'))": false,
	} {
		if got := names.spelledOut([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if got := dottedNames([]byte("select f('App.x', 'left', 'a.b_1.c', 'no')")); !slices.Equal(got, []string{"app.x", "a.b_1.c"}) {
		t.Errorf("names %q", got)
	}
	if names.add([]byte("67"), []byte("setting")); names.spelledOut([]byte("select f('app.x', 'left')")) {
		t.Error("where a name may be made up, too, it need not be in the text")
	}
}

// TestDoorsOfAnotherGeneration are not taken: they may have been looked for before
// others were made.
func TestDoorsOfAnotherGeneration(t *testing.T) {
	var d doors
	asked := d.generation.Load()
	d.forget(false)
	if d.put(&doorNames{}, asked, 1); d.fresh(1) {
		t.Error("an answer from before was taken")
	}
	if d.put(&doorNames{}, d.generation.Load(), 1); !d.fresh(1) {
		t.Error("an answer was not taken")
	}
	late := 1 + int64(doorsFor)
	if _, unknown, old := d.look(late); unknown || !old {
		t.Error("they do not become old")
	}
	if !d.seek(late) || d.seek(late) || d.seek(late+int64(doorsPause)-1) {
		t.Error("not one asks for what is old")
	}
	if _, _, old := d.look(late); old {
		t.Error("they are old while somebody asks")
	}
	if !d.seek(late + int64(doorsPause)) {
		t.Error("nobody asks again where no answer has come")
	}
}

// TestFearedDoors are asked for at once.
func TestFearedDoors(t *testing.T) {
	var d doors
	if !d.seek(1) || d.seek(2) {
		t.Error("not one asks")
	}
	if d.forget(false); d.seek(3) || d.feared.Load() != 0 {
		t.Error("they are asked for again before the pause is over")
	}
	if d.forget(true); !d.seek(4) || d.seek(5) || d.feared.Load() != 2 {
		t.Error("not one asks for what is feared")
	}
}

// TestCodeFears are what cannot be asked for.
func TestCodeFears(t *testing.T) {
	code := sqlparse.Class{Pins: sqlparse.ReasonDo.Set()}
	for text, want := range map[string]sqlparse.Reasons{
		"do $$ begin perform set_config('app.x', 'v', false); end $$":       0,
		"do $$ begin perform set_config ( 'app.' || x, 'v', false); end $$": sqlparse.ReasonAnySetting.Set(),
		"do $$ begin perform set_config(x, 'v', false); end $$":             sqlparse.ReasonAnySetting.Set(),
		"do $$ begin execute 'set ' || x; end $$":                           sqlparse.ReasonAnySetting.Set(),
		"do $$ begin execute format('set local %I = 1', x); end $$":         sqlparse.ReasonAnySetting.Set(),
		"do $$ begin execute format('update t set %I = 1', x); end $$":      0,
		"do $$ begin perform setseed(1); end $$":                            sqlparse.ReasonSeed.Set(),
		"do $$ begin set local seed = 1; end $$":                            sqlparse.ReasonSeed.Set(),
		"do $$ begin insert into seed values (1); end $$":                   0,
		"do $$ begin load 'auto_explain'; end $$":                           sqlparse.ReasonLoad.Set(),
		"do $$ begin perform f('load ''auto_explain'''); end $$":            sqlparse.ReasonLoad.Set(),
		"do $$ begin update jobs set load = 'high'; end $$":                 0,
	} {
		if got := fearsOf(code, []byte(text)); got != want {
			t.Errorf("%s: %b, want %b", text, got, want)
		}
	}
	if fearsOf(sqlparse.Class{}, []byte("select 'setseed'")) != 0 {
		t.Error("a text without code is feared")
	}
}
