package pool

import (
	"fmt"
	"slices"
	"testing"
)

func set(pairs ...string) (settings []Setting) {
	for i := 0; i < len(pairs); i += 2 {
		settings = append(settings, Setting{Name: pairs[i], Value: pairs[i+1]})
	}
	return settings
}

func TestLabelIdentity(t *testing.T) {
	a := NewLabel(set("TimeZone", "UTC", "search_path", "a, b"))
	for _, same := range [][]Setting{
		set("search_path", "a, b", "timezone", "UTC"),
		set("search_path", "x", "TIMEZONE", "UTC", "Search_Path", "a, b"),
		append(set("search_path", "a, b", "timezone", "UTC", "role", "x"), Setting{Name: "Role", Reset: true}),
	} {
		if NewLabel(same) != a {
			t.Errorf("%v is another label than %v", same, a.Settings())
		}
	}
	for _, other := range [][]Setting{
		nil, set("timezone", "UTC"), set("search_path", "a, b", "timezone", "utc"),
		set("search_path", "a, ", "timezone", "bUTC"),
	} {
		if NewLabel(other) == a {
			t.Errorf("%v is the same label as %v", other, a.Settings())
		}
	}
	if !slices.Equal(a.Settings(), set("search_path", "a, b", "timezone", "UTC")) {
		t.Errorf("settings %v", a.Settings())
	}
	if NewLabel(nil) != (Label{}) || !NewLabel([]Setting{{Name: "x", Reset: true}}).Empty() || a.Empty() {
		t.Error("empty labels")
	}
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		have, want []Setting
		diff       string
	}{
		{nil, nil, "[]"},
		{set("a", "1"), set("a", "1"), "[]"},
		{nil, set("b", "2", "a", "1"), "[a=1 b=2]"},
		{set("b", "2", "a", "1"), nil, "[reset a reset b]"},
		{set("a", "1", "b", "2"), set("b", "3", "c", ""), "[reset a b=3 c=]"},
		{set("a", "1"), set("a", ""), "[a=]"},
		{set("role", "x", "a", "1"), set("session_authorization", "s", "role", "y", "z", "1"),
			"[reset role reset a z=1 session_authorization=s role=y]"},
		{set("role", "x", "session_authorization", "s"), set("zz", "1"),
			"[reset session_authorization reset role zz=1]"},
		{set("role", "x"), set("role", "x", "a", "1"), "[a=1]"},
		{set("client_encoding", "LATIN1"), set("client_encoding", "SJIS", "search_path", "x"),
			"[reset client_encoding search_path=x client_encoding=SJIS]"},
	} {
		var steps []string
		for _, s := range Diff(NewLabel(test.have), NewLabel(test.want)) {
			if s.Reset {
				steps = append(steps, "reset "+s.Name)
			} else {
				steps = append(steps, s.Name+"="+s.Value)
			}
		}
		if got := fmt.Sprint(steps); got != test.diff {
			t.Errorf("from %v to %v: %s, want %s", test.have, test.want, got, test.diff)
		}
	}
}

func TestParams(t *testing.T) {
	p := NewParams(map[string]string{"TimeZone": "UTC", "DateStyle": "ISO", "empty": ""})
	if v, ok := p.Get("TimeZone"); v != "UTC" || !ok {
		t.Errorf("TimeZone %q", v)
	}
	if v, ok := p.Get("empty"); v != "" || !ok {
		t.Errorf("empty %q", v)
	}
	if _, ok := p.Get("timezone"); ok {
		t.Error("names are as the server writes them")
	}
	if p.With("TimeZone", "UTC") != p {
		t.Error("the same value changed it")
	}
	changed := p.With("TimeZone", "Asia/Tokyo").With("new", "1")
	if got := changed.Changed(p); !slices.Equal(got, set("TimeZone", "Asia/Tokyo", "new", "1")) {
		t.Errorf("changed %v", got)
	}
	if changed.With("TimeZone", "UTC").Changed(p)[0].Name != "new" || p.Changed(p) != nil {
		t.Error("changed")
	}
	want := "S\x00\x00\x00\x12DateStyle\x00ISO\x00S\x00\x00\x00\x11TimeZone\x00UTC\x00S\x00\x00\x00\x0bempty\x00\x00"
	if p.Wire() != want {
		t.Errorf("wire %q, want %q", p.Wire(), want)
	}
	var none Params
	if none.Wire() != "" || none.Changed(p) != nil || len(p.Changed(none)) != 3 {
		t.Error("zero Params")
	}
	if none.With("TimeZone", "UTC") != NewParams(map[string]string{"TimeZone": "UTC"}) {
		t.Error("With on zero Params")
	}
}
