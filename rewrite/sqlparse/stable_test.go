package sqlparse

import "testing"

func TestNamesTime(t *testing.T) {
	for text, want := range map[string]bool{
		"select * from t where d = 'today'":     true,
		"NOW":                                   true,
		"Tomorrow 12:00":                        true,
		"x::date > '2020-01-01 yesterday'":      true,
		"select 'snow', 'nowhere', 'todays' ":   false,
		"select tonow, now1 from yesterdaysx":   true, // now1: a word that is not a name would be read so
		"":                                      false,
		"no":                                    false,
		"select n, t, y from nty where a = 't'": false,
	} {
		if got := NamesTime([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
