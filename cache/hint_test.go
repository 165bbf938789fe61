package cache

import (
	"testing"
	"time"
)

// TestHint: trap 71.
func TestHint(t *testing.T) {
	for text, want := range map[string]HintSet{
		"/* pgjay: ttl=30s */ select 1":            {TTL: 30 * time.Second},
		"/*pgjay:nocache*/select 1":                {NoCache: true},
		" \n\t/* pgjay: nocache */ select 1":       {NoCache: true},
		"/* pgjay: ttl=1m30s, nocache */ select 1": {TTL: 90 * time.Second, NoCache: true},
		"/* pgjay: ttl=1h nocache */":              {TTL: time.Hour, NoCache: true},
		"/* pgjay:,ttl=1s,,nocache, */ select 1":   {TTL: time.Second, NoCache: true},
		"/* pgjay: */ select 1":                    {},
		"/* pgjay: ttl=soon, nocache */ select 1":  {NoCache: true, Bad: true},
		"/* pgjay: ttl=-1s */ select 1":            {Bad: true},
		"/* pgjay: ttl=0 */ select 1":              {Bad: true},
		"/* pgjay: always */ select 1":             {Bad: true},
		"/* pgjay: NOCACHE */ select 1":            {Bad: true},
	} {
		got, rest := Hint([]byte(text))
		if got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
		if after := text[rest:]; rest == 0 || after != "" && after != " select 1" && after != "select 1" {
			t.Errorf("%q goes on with %q", text, after)
		}
	}
	for _, text := range []string{"", "select 1", "select 1 /* pgjay: nocache */", "-- pgjay: nocache\nselect 1", "/* pgjay nocache */ select 1",
		"/* x */ /* pgjay: nocache */ select 1", "/* pgjay: nocache", "/* pgjay: /* nocache */ */ select 1", "'/* pgjay: nocache */'", "/* xpgjay: nocache */",
		"/*", "/*/ pgjay: nocache */", "(/* pgjay: nocache */ select 1)"} {
		if got, rest := Hint([]byte(text)); rest != 0 || got != (HintSet{}) {
			t.Errorf("%q: %+v, %d", text, got, rest)
		}
	}
}
