package sqlparse

import (
	"bytes"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// operator notes what an expression is computed with.
func (w *walker) operator(e *pg_query.A_Expr) {
	names := []Name{nameOf(e.Name)}
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN, pg_query.A_Expr_Kind_AEXPR_BETWEEN_SYM,
		pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN, pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		names = []Name{{"<"}, {"<="}, {">"}, {">="}}
	}
	w.part.Operators = append(w.part.Operators, names...)
}

// attributes notes the words of a dotted name.
func (w *walker) attributes(fields []*pg_query.Node) {
	for _, f := range fields {
		if word := f.GetString_().GetSval(); word != "" {
			w.part.Attributes = append(w.part.Attributes, word)
		}
	}
}

// unstable notes a node whose value is another one each time.
func (w *walker) unstable(m proto.Message) {
	why := ""
	switch v := m.(type) {
	case *pg_query.SQLValueFunction:
		why = "the time, the user or the search path is part of the answer"
	case *pg_query.ColumnRef:
		w.attributes(v.Fields[min(1, len(v.Fields)):])
		if n := len(v.Fields); n > 0 && isSystemColumn(v.Fields[n-1].GetString_().GetSval()) {
			why = "system columns change when a table is tidied up"
		}
	case *pg_query.RangeTableSample:
		if v.Repeatable == nil {
			why = "TABLESAMPLE without REPEATABLE takes other rows each time"
		}
	case *pg_query.XmlSerialize, *pg_query.XmlExpr:
		why = "XML is not looked into"
	case *pg_query.CurrentOfExpr:
		why = "the place of a cursor is part of the answer"
	}
	if w.part.Unstable == "" {
		w.part.Unstable = why
	}
}

// isSystemColumn reports whether every table has a column of this name (ddl-system-columns).
func isSystemColumn(name string) bool {
	switch name {
	case "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid":
		return true
	}
	return false
}

// timeWords are what a string may say to be a time that is not always the same
// (datetime-input.html, Special Values).
var timeWords = [...]string{"now", "today", "tomorrow", "yesterday"}

// NamesTime reports whether a string in a text, or a value, may be the time at which
// it is read, if it is taken for a date or a time.
func NamesTime(text []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexAny(text[i:], "nNtTyY")
		if n < 0 {
			return false
		}
		i += n
		for _, word := range timeWords {
			end := i + len(word)
			if end <= len(text) && equalFold(text[i:end], word) && !isLetter(text, i-1) && !isLetter(text, end) {
				return true
			}
		}
	}
}

func isLetter(text []byte, i int) bool {
	return i >= 0 && i < len(text) && 'a' <= text[i]|0x20 && text[i]|0x20 <= 'z'
}
