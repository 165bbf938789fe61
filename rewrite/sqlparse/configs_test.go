package sqlparse

import (
	"slices"
	"testing"
)

func TestConfigs(t *testing.T) {
	for text, want := range map[string][]Config{
		"select set_config('a', 'x', false)":                                                     nil,
		"select set_config('a', 'x'::text, true), 'b'":                                           nil,
		"select set_config('A.b', null, false)":                                                  {{Name: "a.b", Value: ConfigNull, LocalKnown: true}},
		"select set_config('a', NULL::pg_text, true)":                                            {{Name: "a", Value: ConfigNull, Local: true, LocalKnown: true}},
		"select set_config('a', $12::text, $2)":                                                  {{Name: "a", Value: ConfigParameter, Parameter: 12}},
		"select set_config($1, $2, false)":                                                       {{Value: ConfigParameter, Parameter: 2, LocalKnown: true}},
		"select set_config('a', (null), false)":                                                  {{Name: "a", Value: ConfigUnknown, LocalKnown: true}},
		"select set_config('a', 'x' || b, false)":                                                {{Name: "a", Value: ConfigUnknown, LocalKnown: true}},
		"select set_config('a', f('x', null), true)":                                             {{Name: "a", Value: ConfigUnknown, Local: true, LocalKnown: true}},
		`select set_config('a', "null", false)`:                                                  {{Name: "a", Value: ConfigUnknown, LocalKnown: true}},
		"select set_config('a', $$x$$, false)":                                                   nil,
		"select set_config('a', null, false), set_config('b', 'x', b)":                           {{Name: "a", Value: ConfigNull, LocalKnown: true}, {Name: "b"}},
		"select set_config(set_config('a', 'x', false), 'b', false)":                             {{Value: ConfigUnknown}, {LocalKnown: true}},
		"select set_config(new_value => null, is_local => false, setting_name => 'a')":           {{Value: ConfigUnknown}},
		"update pg_settings set setting = default where name = 'a'":                              {{Value: ConfigUnknown}},
		"update pg_catalog.pg_settings set setting = null":                                       {{Value: ConfigUnknown}},
		"select * from pg_settings":                                                              nil,
		"create function f() returns text begin atomic select set_config('a', null, false); end": nil,
	} {
		class := Classify([]byte(text))
		if got := class.Configs(); !slices.Equal(got, want) || class.Nulls != (want != nil) {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
