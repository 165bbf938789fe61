package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong, and where. No field has a secret in it.
type Error struct {
	File    string // the file, or the flag as it was written
	Line    int    // from 1; 0 when the place is a flag or the whole file
	Column  int    // from 1, in characters
	Excerpt string // the line, secrets masked
	Width   int    // characters to underline from Column on; 0: none
	Path    string // the key: pool.size; empty when no key is concerned
	Message string // what is wrong, starting with a small letter
	Fix     string // what to do about it
	Fatal   bool   // the rest of the file could not be looked at
	order   int    // by source, then by place
}

// Errors is everything that is wrong with a configuration, in the order of
// the file and then of the flags.
type Errors struct {
	List []*Error
}

// Error is on one line, for logs.
func (e *Error) Error() string {
	text := e.headline()
	if e.Fix != "" {
		text += " (" + e.Fix + ")"
	}
	return text
}

// headline is the place, the key and the message.
func (e *Error) headline() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Path != "" {
		b.WriteString(": " + e.Path)
	}
	b.WriteString(": " + e.Message)
	return b.String()
}

// Pretty is the error as a compiler would print it: place and message, the
// line with the value underlined, the fix.
func (e *Error) Pretty() string {
	var b strings.Builder
	b.WriteString(e.headline() + "\n")
	if e.Line > 0 {
		fmt.Fprintf(&b, "%5d | %s\n", e.Line, e.Excerpt)
		if e.Width > 0 {
			fmt.Fprintf(&b, "      | %s%s\n", indent(e.Excerpt, e.Column-1), strings.Repeat("^", e.Width))
		}
	}
	if e.Fix != "" {
		b.WriteString("  fix: " + e.Fix + "\n")
	}
	return b.String()
}

// indent is as wide as the first n characters of line, tabs kept.
func indent(line string, n int) string {
	blank := make([]rune, 0, n)
	for _, r := range line {
		if len(blank) == n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		blank = append(blank, r)
	}
	return string(blank)
}

// Error prints all errors as a compiler would, and their number.
func (es *Errors) Error() string {
	var b strings.Builder
	for _, e := range es.List {
		b.WriteString(e.Pretty() + "\n")
	}
	if len(es.List) == 1 {
		b.WriteString("1 error")
	} else {
		fmt.Fprintf(&b, "%d errors", len(es.List))
	}
	if slices.ContainsFunc(es.List, func(e *Error) bool { return e.Fatal }) {
		b.WriteString("; the rest of the file was not looked at")
	}
	return b.String()
}

// Unwrap gives errors.As and errors.Is the single errors.
func (es *Errors) Unwrap() []error {
	list := make([]error, len(es.List))
	for i, e := range es.List {
		list[i] = e
	}
	return list
}

func (es *Errors) add(e *Error) { es.List = append(es.List, e) }

func (es *Errors) sort() {
	slices.SortStableFunc(es.List, func(a, b *Error) int {
		return cmp.Or(a.order-b.order, a.Line-b.Line, a.Column-b.Column)
	})
}

// under reports whether something at path, or inside it, is wrong already: a
// value that could not be decoded must not be called missing as well.
func (es *Errors) under(path string) bool {
	return slices.ContainsFunc(es.List, func(e *Error) bool { return within(e.Path, path) })
}

// within reports whether path is ancestor or lies inside it.
func within(path, ancestor string) bool {
	rest, ok := strings.CutPrefix(path, ancestor)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[' || ancestor == "")
}
