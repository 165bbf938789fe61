package sqlparse

import "testing"

func TestClassifyWith(t *testing.T) {
	declared := func(schema, name string) (stateful, known bool) {
		switch schema + "." + name {
		case ".good", "app.good", "app.Good One":
			return false, true
		case ".bad", "app.bad":
			return true, true
		}
		return false, false
	}
	for text, want := range map[string]struct {
		pin      Reason
		stateful bool
	}{
		"select good(1)":                          {},
		"select App.GOOD(1), lower('x')":          {},
		`select app."Good One"()`:                 {},
		`select app."GOOD"()`:                     {pin: ReasonFunction},
		"select other.good(1)":                    {pin: ReasonFunction},
		"select x.app.good(1)":                    {pin: ReasonFunction},
		"select good(unknown(1))":                 {pin: ReasonFunction},
		"select good(1), bad(2)":                  {ReasonFunction, true},
		"select app.bad(2)":                       {ReasonFunction, true},
		"select good(pg_advisory_lock(1))":        {pin: ReasonAdvisoryLock},
		"call good(1)":                            {},
		"call app.good(1);":                       {},
		"call good(unknown())":                    {pin: ReasonFunction},
		"call unknown(good())":                    {pin: ReasonCall},
		"call bad(1)":                             {ReasonCall, true},
		"call good(1); call unknown(2)":           {pin: ReasonCall},
		"do $$ begin perform good(1); end $$":     {pin: ReasonDo},
		"select set_config('a.b', good(), false)": {pin: ReasonSetting},
	} {
		class := ClassifyWith([]byte(text), declared)
		if class.Pin != want.pin || class.Stateful != want.stateful || !class.Pins.Has(class.Pin) && class.Pin != ReasonNone {
			t.Errorf("%s: %v (%v), stateful: %v", text, class.Pin, class.Pins, class.Stateful)
		}
		if class.ReadOnly() || class.Atomic() {
			t.Errorf("%s may run again", text)
		}
	}
}
