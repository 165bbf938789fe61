package sqlparse

import (
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		`SELECT a."B c", $1 /* x */ >= 'it''s' -- end`: `SELECT=select|a=a|.=.|"B c"=|,=,|$1=|>=>|===|'it''s'=`,
		"f(x)::int[1]": "f=f|(=(|x=x|)=)|::=::|int=int|[=[|1=|]=]",
		`$$a$$ E'\''`:  `$$a$$=|E'\''=`,
		"":             "",
	} {
		tokens, ok := Tokens(text)
		var got []string
		for _, token := range tokens {
			got = append(got, text[token.Start:token.End]+"="+token.Word)
		}
		if all := strings.Join(got, "|"); all != want || !ok {
			t.Errorf("%s: %s, %v, not %s", text, all, ok, want)
		}
	}
	for _, text := range []string{`'a\' b'`, "'a", `U&"x"`, "/* a"} {
		if _, ok := Tokens(text); ok {
			t.Errorf("%s is well formed", text)
		}
	}
}
