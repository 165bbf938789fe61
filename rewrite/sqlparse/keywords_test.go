package sqlparse

import (
	"strings"
	"testing"
)

// TestKeywordsOfServer compares our keywords with the server's. Reserved ones
// are those that cannot be the name of a function.
func TestKeywordsOfServer(t *testing.T) {
	for _, conn := range connections(t) {
		for _, row := range query(t, conn, "SELECT word, catcode FROM pg_get_keywords()") {
			word, category, _ := strings.Cut(row, "|")
			tok := keywords.find([]byte(word), 0, len(word))
			if tok <= tokQuoted || tok.isReserved() != (category == "R" || category == "C") {
				t.Errorf("%s: category %s, token %d", word, category, tok)
			}
		}
	}
}

func TestFindKeyword(t *testing.T) {
	for tok, word := range namedKeywords {
		if word == "" {
			continue
		}
		for _, text := range []string{word, strings.ToUpper(word), " " + word + " ", "xxxxxxxx" + word + "yyyyyyyy"} {
			i := strings.Index(strings.ToLower(text), word)
			if got := keywords.find([]byte(text), i, i+len(word)); got != token(tok) {
				t.Errorf("%s in %q: token %d, want %d", word, text, got, tok)
			}
		}
	}
	for _, word := range []string{"selec", "selects", "current_timestamq", "current_Simestamp", "currenttimestamp_", "a", "s\xc9lect", "characteristicz"} {
		if got := keywords.find([]byte(word), 0, len(word)); got != tokIdent {
			t.Errorf("%q: token %d", word, got)
		}
	}
}
