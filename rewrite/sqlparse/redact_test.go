package sqlparse

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"SET app.key = 'secret'":                        "set app.key = ?",
		"ALTER ROLE bob PASSWORD 'secret' -- secret":    "alter role bob password ?",
		"do $body$ begin secret(); end $body$":          "do ?",
		"select f(1, 2.5, 'se''cret', $1) /* secret */": "select f(?, ?, ?, $1)",
		"select E'se\\'cret'":                           "select ?",
		"select\n\t\"Secret Table\".x":                  `select "Secret Table".x`,
		"select 'secret":                                "",
		"select U&'secret' uescape '!'":                 "",
	} {
		if got := Redact([]byte(text)); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
	long := Redact([]byte("select " + strings.Repeat("é, ", 500)))
	if len(long) > maxRedacted+3 || !strings.HasSuffix(long, "...") || strings.ContainsRune(long, '\uFFFD') {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}
