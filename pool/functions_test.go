package pool

import (
	"strings"
	"testing"
)

func TestParseFunction(t *testing.T) {
	for written, want := range map[string]string{
		"f": "f", "My_Schema.My_Func": "my_schema.my_func", `"F"`: "F", `app."My Func"`: "app.My Func",
		`"a""b".f`: `a""b.f`, "été": "été", "f$1": "f$1",
		"": "", "f(int)": "", "f ": "", "a.b.c": "", "a.": "", ".a": "", `"f`: "", `""`: "", `"a"b`: "", `"a.b"`: "", "1f": "",
		strings.Repeat("x", 64): "",
	} {
		got, err := ParseFunction(written)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", written, got, err, want)
		}
	}
}

func TestFunctionsAreFound(t *testing.T) {
	f := newFunctions([]string{"f", "app.g", "both", "app.one"}, []string{"app.h", "any", "app.both", `"Quoted"`})
	type answer struct{ stateful, declared bool }
	harmless, stateful, unknown := answer{false, true}, answer{true, true}, answer{}
	for name, want := range map[string]answer{
		"f": harmless, "app.f": harmless, "app.g": harmless, "g": unknown, "other.g": unknown,
		"h": stateful, "app.h": stateful, "other.h": unknown, "any": stateful, "app.any": stateful,
		"both": stateful, "app.both": stateful, "other.both": harmless, "Quoted": stateful, "quoted": unknown,
	} {
		schema, bare, qualified := strings.Cut(name, ".")
		if !qualified {
			schema, bare = "", name
		}
		var got answer
		if got.stateful, got.declared = f.Find(schema, bare); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if newFunctions(nil, nil) != nil {
		t.Error("nothing is declared, but there is something to look at")
	}
}
