package rewrite

import (
	"testing"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A text is edited twice; what that makes of another text with the same pattern, and
// where its bytes come from.
func TestTemplate(t *testing.T) {
	probe, ok := probeOf("SELECT a FROM t WHERE b = 'x' AND c IN (1, 2.5) LIMIT 7")
	if !ok || probe != "SELECT a FROM t WHERE b = '731950007' AND c IN (731950012, 731950014.5) LIMIT 731950017" {
		t.Fatalf("the probe is %s", probe)
	}
	at := func(text, what string) int {
		for i := range text {
			if len(text)-i >= len(what) && text[i:i+len(what)] == what {
				return i
			}
		}
		t.Fatalf("there is no %s in %s", what, text)
		return 0
	}
	from, to := at(probe, "b ="), at(probe, " LIMIT")
	first := []Edit{{from, to, "c = ANY (ARRAY[731950012, 731950014.5]) AND b = '731950007' AND 1 = 1"}}
	made, err := Apply(probe, first)
	if err != nil {
		t.Fatal(err)
	}
	end := at(made, " AND 1 = 1")
	pieces := editPieces(editPieces(whole(probe), first), []Edit{{at(made, "a FROM"), at(made, " FROM"), "a, a"}, {end, end + len(" AND 1 = 1"), ""}})
	tpl := newTemplate(probe, pieces)
	if tpl == nil {
		t.Fatal("there is no template")
	}
	text := []byte("/* é */ SELECT a\nFROM t WHERE b='it' AND c IN (10, /* x */ 20.5) LIMIT 5 -- end")
	spans, _ := sqlparse.AppendSpans(nil, text)
	got, ok := tpl.appendText(nil, text, spans)
	const want = "/* é */ SELECT a, a FROM t WHERE c = ANY (ARRAY[ 10 ,  20.5 ]) AND b =  'it' LIMIT 5 -- end"
	if !ok || string(got) != want {
		t.Errorf("it is %s\n  want %s", got, want)
	}
	for _, place := range []struct{ what, in string }{{"SELECT", "SELECT"}, {"FROM", "FROM"}, {"10", "10"}, {"'it'", "'it'"}, {"LIMIT", "LIMIT"}, {"5 --", "5 --"}} {
		if o := tpl.origin(text, spans, at(string(got), place.what)); o != at(string(text), place.in) {
			t.Errorf("%s comes from %d, which is %q", place.what, o, text[min(o, len(text)):])
		}
	}
	if _, ok := tpl.appendText(nil, []byte("SELECT 1"), spans[:2]); ok {
		t.Error("it is used for a text with other tokens")
	}
	buf := make([]byte, 0, 500)
	if n := testing.AllocsPerRun(100, func() {
		spans, _ = sqlparse.AppendSpans(spans[:0], text)
		_, _ = tpl.appendText(buf, text, spans)
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestTemplateOfCutTokens(t *testing.T) {
	const probe = "SELECT abc FROM t"
	if tpl := newTemplate(probe, editPieces(whole(probe), []Edit{{8, 9, "x"}})); tpl != nil {
		t.Error("there is a template for half a token")
	}
}
