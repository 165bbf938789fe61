package pgtest

import (
	"strings"
	"testing"
)

func plainTarget(t testing.TB) Target {
	addr := Server(t).Address()
	admin, err := NewAdmin(addr, "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return Target{Address: addr, Admin: admin, User: "postgres", Database: "postgres"}
}

// TestScriptsAreTrue proves the expectations of all wire tables on PostgreSQL.
func TestScriptsAreTrue(t *testing.T) {
	to := plainTarget(t)
	if err := to.Admin.Exec(Fixture); err != nil {
		t.Fatal(err)
	}
	for name, cut := range map[string]Cutter{"whole": Whole, "byte by byte": ByteByByte} {
		to.Cut = cut
		for _, s := range Scripts() {
			if s.LegalIn("") && (name == "whole" || !strings.HasPrefix(s.Name, "residue/")) {
				t.Run(s.Name+"/"+name, func(t *testing.T) { Check(t, to, &s) })
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"Z I", "Z I", true},
		{"Z I", "Z T", false},
		{"E ERROR 22012*", "E ERROR 22012 division by zero", true},
		{"*b*d", "abcd", true},
		{"*b*d", "abdc", false},
		{"*", "", true},
		{"", "x", false},
	} {
		if got := Match(c.pattern, c.text); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func TestCutAt(t *testing.T) {
	cut := CutAt(1, 5)
	if cut(0) != 1 || cut(1) != 4 || cut(5) < 1000 {
		t.Errorf("cuts are %d, %d, %d", cut(0), cut(1), cut(5))
	}
}
