package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPackagesAreDocumented wants one doc comment for each package.
func TestPackagesAreDocumented(t *testing.T) {
	docs := make(map[string]int)
	sourceFiles(t, parser.PackageClauseOnly|parser.ParseComments, func(files *token.FileSet, dir, name string, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		docs[dir] += 0
		if file.Doc == nil {
			return
		}
		docs[dir]++
		start := "Package " + file.Name.Name + " "
		if file.Name.Name == "main" {
			start = "Command " + dir[strings.LastIndex(dir, "/")+1:] + " "
		}
		if !strings.HasPrefix(file.Doc.Text(), start) {
			t.Errorf("%s: the comment does not begin with %q", files.Position(file.Doc.Pos()), start)
		}
	})
	for _, dir := range slices.Sorted(maps.Keys(docs)) {
		if docs[dir] != 1 {
			t.Errorf("%s has %d doc comments; write one, in doc.go", dir, docs[dir])
		}
	}
}

// TestTopLevel keeps the first page of the repository as it is.
func TestTopLevel(t *testing.T) {
	want := strings.Fields("cmd proxy rewrite cache pool monitor configs docs go.mod go.sum Makefile README.md LICENSE")
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		name := e.Name()
		ignored := name == "bin" || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".prof") // as in .gitignore
		if !ignored && !strings.HasPrefix(name, ".") {
			got = append(got, name)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the top level has\n%v, not\n%v", got, want)
	}
}
