package configs

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDefaultFile(t *testing.T) {
	got, err := Load("pgjay.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, Default()) {
		t.Errorf("pgjay.yaml is\n%+v, the built-in defaults are\n%+v", got, Default())
	}
	empty, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(empty, Default()) {
		t.Errorf("no file gives\n%+v", empty)
	}
}

// exampleFile is pgjay.yaml with its examples: the comments that follow a list
// without a value.
func exampleFile() string {
	lines := strings.Split(string(DefaultFile), "\n")
	example := false
	for i, line := range lines {
		text, comment := strings.CutPrefix(strings.TrimSpace(line), "#  ")
		if example && comment {
			lines[i] = "    " + text
		} else {
			example = strings.HasPrefix(line, "  ") && strings.HasSuffix(line, ":")
		}
	}
	return strings.Join(lines, "\n")
}

// TestDefaultFileMentionsEveryKey looks for each key in its section.
func TestDefaultFileMentionsEveryKey(t *testing.T) {
	d := newDecoder(func(name string) (string, bool) { return name, true })
	text := exampleFile()
	d.file(newFile("example", []byte(text)))
	validate(d)
	if len(d.errs.List) > 0 {
		t.Fatalf("with its examples, pgjay.yaml is wrong:\n%v\n%s", d.errs, text)
	}
	index := regexp.MustCompile(`\[\d+\]`)
	mentioned := make(map[string]bool)
	for path := range d.places {
		mentioned[index.ReplaceAllString(path, "[]")] = true
	}
	for _, key := range Keys() {
		// A user's entry has no keys of a database's.
		if strings.HasPrefix(key, "pool.users[].") {
			key = strings.Replace(key, "users", "databases", 1)
		}
		if !mentioned[key] {
			t.Errorf("pgjay.yaml does not mention %s", key)
		}
	}
}

// TestDefaultFileMarksRestart compares the [restart] marks with Diff.
func TestDefaultFileMarksRestart(t *testing.T) {
	var sections []string // by indentation
	marked := false
	for i, line := range strings.Split(string(DefaultFile), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "#"):
			marked = marked || strings.Contains(line, "[restart]")
		case trimmed == "":
			marked = false
		default:
			name, value, _ := strings.Cut(trimmed, ":")
			depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
			sections = append(sections[:depth], name)
			path := strings.Join(sections, ".")
			isSection := slices.ContainsFunc(Keys(), func(key string) bool { return strings.HasPrefix(key, path+".") })
			if !(value == "" && isSection) && marked != NeedsRestart(path) {
				t.Errorf("line %d: %s is marked [restart]: %v; Diff says %v", i+1, path, marked, NeedsRestart(path))
			}
			marked = false
		}
	}
}
