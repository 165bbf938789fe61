package sqlparse

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// describe tells facts in one line: for each part its command, then the facts
// that are not empty. Spans are shown by the text in them.
func describe(s *Statement) string {
	f := s.Facts()
	if f.Opaque {
		return "opaque"
	}
	var parts []string
	for _, p := range f.Parts {
		parts = append(parts, describePart(s.Text(), p))
	}
	return strings.Join(parts, "; ")
}

func describePart(text string, p Part) string {
	words := []string{p.Command.String()}
	if p.Explained != CommandNone {
		words = append(words, "of "+p.Explained.String())
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{p.Analyze, "analyze"}, {p.Locks, "locks"}} {
		if flag.on {
			words = append(words, flag.name)
		}
	}
	for _, list := range []struct {
		what  string
		names []Name
	}{{"reads", p.Reads}, {"writes", p.Writes}, {"calls", p.Functions}, {"computes", p.Operators}, {"casts", p.Types}} {
		if len(list.names) > 0 {
			words = append(words, list.what)
		}
		for _, name := range list.names {
			words = append(words, name.String())
		}
	}
	if len(p.Attributes) > 0 {
		words = append(words, "attributes "+strings.Join(p.Attributes, " "))
	}
	if p.Unstable != "" {
		words = append(words, "unstable: "+p.Unstable+";")
	}
	if p.Parameters > 0 {
		words = append(words, fmt.Sprint("$", p.Parameters))
	}
	if p.Detail != nil {
		words = append(words, describeDetail(text, p.Detail))
	}
	return strings.Join(words, " ")
}

func describeDetail(text string, d Detail) string {
	switch d := d.(type) {
	case *Transaction:
		return fmt.Sprintf("{%d %q %q %s chain %t}", d.Kind, d.Name, d.At.In(text), describeModes(d.Modes), d.Chain)
	case *Setting:
		return fmt.Sprintf("{%d %q %q local %t inexact %t %s}", d.Kind, d.Name, d.Values, d.Local, d.Inexact, describeModes(d.Modes))
	case *Prepare:
		return fmt.Sprintf("{%q %q (%s) %q}", d.Name, d.At.In(text), d.Types.In(text), d.Body.In(text))
	case *Execute:
		return fmt.Sprintf("{%q %q %t}", d.Name, d.At.In(text), d.Creates)
	case *Deallocate:
		return fmt.Sprintf("{%q %q}", d.Name, d.At.In(text))
	case *Channel:
		return fmt.Sprintf("{%d %q %q %q}", d.Kind, d.Name, d.At.In(text), d.Payload)
	case *Cursor:
		return fmt.Sprintf("{%d %q %q %t}", d.Kind, d.Name, d.At.In(text), d.Hold)
	}
	return fmt.Sprintf("%+v", d)[1:]
}

func describeModes(m Modes) string {
	return fmt.Sprintf("modes %q %d %d %q", m.Isolation, m.ReadOnly, m.Deferrable, m.Snapshot)
}

var updateFacts = flag.Bool("facts", false, "write testdata/facts.txt anew")

// TestFacts compares the facts of the texts in facts.txt with what stands below
// each of them.
func TestFacts(t *testing.T) {
	var out strings.Builder
	for line := range strings.Lines(readFile(t, "facts.txt")) {
		if text := strings.TrimSuffix(line, "\n"); !strings.HasPrefix(text, "\t") {
			fmt.Fprintf(&out, "%s\n\t%s\n", text, describe(NewStatement([]byte(text))))
		}
	}
	if *updateFacts {
		if err := os.WriteFile("testdata/facts.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Split(readFile(t, "facts.txt"), "\n")
	for i, line := range strings.Split(out.String(), "\n") {
		if i >= len(want) || line != want[i] {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
}

// TestFactsAgreeWithClass holds pg_query and our classifier to each other: both
// must find the same commands, and where a name stands in the text it must be
// the name that pg_query found.
func TestFactsAgreeWithClass(t *testing.T) {
	parsed := 0
	for _, text := range texts(t) {
		s := NewStatement([]byte(text))
		f := s.Facts()
		if f.Opaque || len(f.Parts) == 0 {
			continue
		}
		parsed++
		if got := f.Parts[0].Command; got != s.Class().First && s.Class().First != CommandUnknown { // which pins
			t.Errorf("%s, but Classify says %s:\n%s", got, s.Class().First, text)
		}
		if n := s.Class().Statements; n != len(f.Parts) && !holdsStatements.MatchString(text) {
			t.Errorf("%d statements, but Classify says %d:\n%s", len(f.Parts), n, text)
		}
		for i, p := range f.Parts {
			checkPlace(t, text, p)
			if i > 0 && strings.Trim(text[f.Parts[i-1].End:p.Start], "; \n\r\t\f\v") != "" && !strings.Contains(text, "--") && !strings.Contains(text, "/*") {
				t.Errorf("%q between two statements:\n%s", text[f.Parts[i-1].End:p.Start], text)
			}
		}
	}
	if parsed < 200 {
		t.Errorf("only %d texts", parsed)
	}
}

// holdsStatements finds what has statements in it, which Classify counts.
var holdsStatements = regexp.MustCompile(`(?i)\batomic\b|\brule\b`)

// checkPlace compares a name with what stands at its place.
func checkPlace(t *testing.T, text string, p Part) {
	t.Helper()
	var name string
	var at Span
	switch d := p.Detail.(type) {
	case *Prepare:
		name, at = d.Name, d.At
	case *Execute:
		name, at = d.Name, d.At
	case *Deallocate:
		name, at = d.Name, d.At
	case *Channel:
		name, at = d.Name, d.At
	case *Cursor:
		name, at = d.Name, d.At
	}
	if name == "" {
		return
	}
	written := at.In(text)
	if quoted, ok := strings.CutPrefix(written, `"`); ok {
		written = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
	} else {
		written = strings.ToLower(written)
	}
	if written[:min(len(written), 63)] != name {
		t.Errorf("%s is at %q:\n%s", name, at.In(text), text)
	}
}

// texts returns all texts of testdata, and where they are on this machine those
// of PostgreSQL's regression tests.
func texts(t testing.TB) []string { return append(ownTexts(t), regression(t)...) }

// ownTexts returns all texts of testdata.
func ownTexts(t testing.TB) (all []string) {
	stateful, _ := stateful(t)
	all = append(append(corpus(t, "applications.sql"), corpus(t, "psql.sql")...), stateful...)
	for line := range strings.Lines(readFile(t, "facts.txt")) {
		if !strings.HasPrefix(line, "\t") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

// regressionFiles are PostgreSQL's regression tests, where PGREGRESS says or its
// source is usually unpacked here.
func regressionFiles(t testing.TB) []string {
	dir := cmp.Or(os.Getenv("PGREGRESS"), "/tmp/suites/src/postgresql-*/src/test/regress/sql")
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// regression returns the statements of PostgreSQL's regression tests: what ends
// with a semicolon at the end of a line. A text cut in two is a text too.
func regression(t testing.TB) (all []string) {
	for _, file := range regressionFiles(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Split(string(content), ";\n") {
			all = append(all, psqlLine.ReplaceAllString(text, ""))
		}
	}
	return all
}

// psqlLine is a line for psql.
var psqlLine = regexp.MustCompile(`(?m)^\\.*$`)
