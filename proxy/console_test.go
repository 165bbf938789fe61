package proxy

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/cache"
)

// FuzzConsole: whatever a text is, it is understood or refused with a hint; what is
// understood means the same when it is written out again.
func FuzzConsole(f *testing.F) {
	for _, text := range []string{
		"", ";", "show cache", "SHOW/**/Version;show help", `purge cache table "a""b".'c'`, "purge cache tag 'x''y'", "/* /* */", "set a = 'b;c'", "set local a.\"to\" to b", "set names x",
		"select pg_catalog.set_config('search_path', '', false)", "purge cache table a . b -- c", "begin; commit", "show \x00 \xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, bad := allConsoleCommands.parse(text)
		if bad != nil {
			if bad.Code != "42601" || !strings.Contains(bad.Hint, "SHOW HELP") || parsed != nil {
				t.Fatalf("%q is refused with %v and %v", text, bad, parsed)
			}
			return
		}
		for _, st := range parsed {
			again, bad := allConsoleCommands.parse(written(st))
			if bad != nil || len(again) != 1 || again[0].command != st.command || strings.Join(again[0].arguments, "\x00") != strings.Join(st.arguments, "\x00") {
				t.Fatalf("%q is %v, and that is %v, %v", text, written(st), again, bad)
			}
		}
	})
}

// written is a command as text.
func written(st consoleStatement) string {
	text := st.command.words
	for i, a := range st.arguments {
		switch {
		case st.command == &purgeCacheTable && i == 0 && a == "":
			continue
		case st.command == &purgeCacheTable && i == 1 && st.arguments[0] != "":
			text += "."
		}
		text += ` "` + strings.ReplaceAll(a, `"`, `""`) + `"`
	}
	switch st.command {
	case &setParameter:
		text += " = 'x'"
	case &setSearchPath:
		text += " set_config('search_path', '', false)"
	}
	return text
}

// Rows are in the order of what they have saved, then of their misses; statements with
// one text are one row.
func TestCacheLines(t *testing.T) {
	shape := func(name string, saved, misses int64) cache.ShapeStat {
		st := cache.ShapeStat{Name: name}
		st.SavedNS, st.Outcomes[cache.Absent] = saved, misses
		return st
	}
	off := shape("b", 1, 0)
	off.Off = true
	lines := cacheLines([]cache.ShapeStat{shape("few misses", 0, 1), shape("b", 3, 1), shape("many misses", 0, 7), shape("a", 3, 9), off})
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	if got := strings.Join(names, ", "); got != "b, a, many misses, few misses" {
		t.Errorf("the order is %s", got)
	}
	if b := lines[0]; b.SavedNS != 4 || b.Misses() != 1 || !b.off || b.whyNot() != refusals[cache.RefusedCost] {
		t.Errorf("the sum is %+v", b)
	}
}

// Each reason has a sentence, as has a statement that was refused for it most often.
func TestRefusals(t *testing.T) {
	var n cache.Counts
	for r := range n.Refused {
		reason := cache.Reason(r)
		if (refusals[reason] == "") != (reason == cache.NoReason) {
			t.Errorf("the sentence of %s is %q", reason, refusals[reason])
		}
		l := cacheLine{}
		l.Refused[cache.RefusedHint], l.Refused[reason] = 1, 2
		if reason != cache.NoReason && l.whyNot() != refusals[reason] {
			t.Errorf("%s: %q", reason, l.whyNot())
		}
	}
}
