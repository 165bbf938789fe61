package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	repository = "../.."
	module     = "github.com/pgjay/pgjay/"
)

// imports says which packages there are, and which others of this module each
// of them may import. It is the design: do not change it to get a build to
// work. A package that is not here needs a place in the design first, and
// common or util will not get one.
var imports = map[string]string{
	"proxy/wire":       "",
	"proxy/reactor":    "",
	"rewrite/sqlparse": "",
	"rewrite/catalog":  "",
	"cache":            "",
	"rewrite":          "rewrite/sqlparse rewrite/catalog",
	"pool":             "proxy/wire proxy/reactor",
	"monitor":          "pool cache rewrite/sqlparse rewrite/catalog monitor/digest monitor/plan monitor/advice monitor/explain monitor/trace",
	"monitor/digest":   "rewrite/sqlparse",
	"monitor/plan":     "rewrite/sqlparse",
	"monitor/trace":    "monitor/digest",
	"monitor/advice":   "monitor/digest monitor/plan",
	"monitor/explain":  "pool rewrite/sqlparse monitor/digest monitor/plan monitor/advice",
	"monitor/web":      "monitor cache monitor/digest monitor/plan monitor/advice monitor/explain",
	"proxy":            "proxy/wire proxy/reactor pool cache rewrite rewrite/sqlparse rewrite/catalog monitor monitor/digest monitor/explain",
	"configs":          "proxy pool cache rewrite monitor monitor/explain monitor/web", // for their Config
	"cmd/pgjay":        "configs proxy pool pool/embedded monitor monitor/web",
	"cmd/simulator": "configs pool/embedded cmd/simulator/internal/crm cmd/simulator/internal/seed cmd/simulator/internal/load " +
		"cmd/simulator/internal/servers cmd/simulator/internal/compare cmd/simulator/internal/report cmd/simulator/internal/claims",

	// The simulator's rooms: it measures the program, and imports nothing of it, but for
	// configs in tests, so that they run again when it has changed.
	"cmd/simulator/internal/crm":     "",
	"cmd/simulator/internal/seed":    "cmd/simulator/internal/crm",
	"cmd/simulator/internal/load":    "cmd/simulator/internal/crm",
	"cmd/simulator/internal/servers": "pool/embedded",
	"cmd/simulator/internal/compare": "cmd/simulator/internal/crm cmd/simulator/internal/load cmd/simulator/internal/servers",
	"cmd/simulator/internal/report":  "cmd/simulator/internal/load cmd/simulator/internal/compare cmd/simulator/internal/claims",
	"cmd/simulator/internal/claims": "configs pool/embedded cmd/simulator/internal/crm cmd/simulator/internal/seed " +
		"cmd/simulator/internal/load cmd/simulator/internal/servers cmd/simulator/internal/compare",

	// For demo and tests.
	"pool/embedded":      "",
	"proxy/pgtest":       "proxy/wire pool/embedded",
	"proxy/pgtest/bench": "proxy/pgtest pool/embedded",
}

// inTests may be imported by every test, besides the package it tests.
const inTests = "proxy/pgtest pool/embedded"

// sourceFiles parses all Go files of the module, whatever their build tags, and
// calls visit with each of them and the directory it is in.
func sourceFiles(t *testing.T, mode parser.Mode, visit func(files *token.FileSet, dir, name string, file *ast.File)) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != repository && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, mode)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(repository, filepath.Dir(path))
		visit(files, filepath.ToSlash(dir), name, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImports compares what is imported with the table.
func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	sourceFiles(t, parser.ImportsOnly, func(files *token.FileSet, dir, name string, file *ast.File) {
		seen[dir] = true
		allowed := strings.Fields(imports[dir])
		if strings.HasSuffix(name, "_test.go") {
			allowed = append(append(allowed, dir), strings.Fields(inTests)...)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if inner, ours := strings.CutPrefix(path, module); ours && !slices.Contains(allowed, inner) {
				t.Errorf("%s: %s may not import %s", files.Position(spec.Pos()), dir, inner)
			}
		}
	})
	for _, dir := range slices.Sorted(maps.Keys(seen)) {
		if _, ok := imports[dir]; !ok {
			t.Errorf("the design has no package %s", dir)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(imports)) {
		if !seen[dir] {
			t.Errorf("there is no package %s", dir)
		}
	}
}

// TestImportsHaveNoCycle follows the table, which alone could allow one.
func TestImportsHaveNoCycle(t *testing.T) {
	var follow func(dir string, above []string)
	follow = func(dir string, above []string) {
		if slices.Contains(above, dir) {
			t.Fatalf("%s -> %s is a cycle", strings.Join(above, " -> "), dir)
		}
		for _, next := range strings.Fields(imports[dir]) {
			follow(next, append(slices.Clone(above), dir))
		}
	}
	for dir := range imports {
		follow(dir, nil)
	}
}
