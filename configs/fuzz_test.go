package configs

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad reads any text as a file, and any as --set. Nothing may panic, and
// whatever is wrong has a place inside the text.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "pgjay.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "pool.size=5")
	}
	f.Add("a: &b [*b]", "auth.users=[{name: a}]")
	f.Add("? a\n: !!str b", "pool.databases.0.size=5")
	f.Add("<<: {a: b}\n%YAML 1.2\n--- |\n x\n...", "listen.addresses[0]=")
	f.Fuzz(func(t *testing.T, text, set string) {
		d := newDecoder(func(name string) (string, bool) { return name, len(name) > 3 })
		file := newFile("fuzz", []byte(text))
		d.file(file)
		d.flag(Set(set))
		validate(d)
		for _, e := range d.errs.List {
			if e.Line < 0 || e.Line > len(file.lines)+1 || e.Message == "" || e.Pretty() == "" {
				t.Errorf("a text of %d lines: %+v", len(file.lines), e)
			}
		}
		Diff(Default(), d.cfg)
		d.cfg.Warnings()
	})
}
