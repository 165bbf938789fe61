package advice

import (
	"regexp"
	"slices"
)

// PostgreSQL refuses a row whose entry in a B-tree index, with INCLUDE, has more than about
// 2,700 bytes. An average says nothing of the longest value, so only types with a bound are
// certain never to get there.

const (
	// coveredBytes bounds the longest values of all columns of INCLUDE.
	coveredBytes = 1000
	// shortKey is what a key without a bound has on average at most, in bytes.
	shortKey = 200
	// boundedKey is from how many bytes on a key of a type with a bound may be too long.
	boundedKey = 500
)

// short are expressions of few bytes, whatever they are given.
var short = regexp.MustCompile(`^(abs|md5|length|date_trunc)\(|\)::(smallint|integer|bigint|numeric|date|boolean|uuid|timestamp without time zone)$`)

// unbounded reports whether a value of a key may be too long for a B-tree.
func (t *Table) unbounded(column, expression string) bool {
	if column == "" {
		return !short.MatchString(expression)
	}
	longest := t.Columns[column].Longest
	return longest == 0 || longest > boundedKey
}

// tooLong reports whether what a predicate compares is long as a rule.
func (t *Table) tooLong(p predicate) bool {
	return p.column != "" && t.unbounded(p.column, "") && t.Columns[p.column].Width > shortKey
}

// refusing says that rows may be refused for the index; empty: none is.
func (c *Candidate) refusing() string {
	if c.Method != "btree" || !slices.ContainsFunc(c.Keys, func(k Key) bool { return c.Table.unbounded(k.Column, k.Expression) }) {
		return ""
	}
	return "with it PostgreSQL refuses rows whose values in it have more than about 2,700 bytes"
}
