package rewrite

import (
	"strconv"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// DateRange (R16) makes a range of a column of what is computed from it, so that an index
// can be used: c::date = d, date(c) = d, date_trunc(unit, c) = d, extract(year FROM c) = n.
// Preconditions:
//
//  1. the operator and the function are PostgreSQL's own;
//  2. c is a column of a table, of type timestamp; for the year, date too. What is
//     computed from timestamptz depends on TimeZone, and a midnight may be there twice;
//  3. d is a literal that is written as 2022-12-31 or 2022-12-31 23:59:59, without a cast or
//     with one to date or timestamp;
//  4. and it is the beginning of what is asked for, from the year 1 on.
//
// to_char is not among it: it prints years before Christ as those after.
var dateRange = automatic[dateSite]{
	name:  "date_range",
	about: "a comparison of the date of a timestamp becomes a range of timestamps",
	find:  findDates,
	needs: []need[dateSite]{
		{"its operator or function is not PostgreSQL's own", func(w *work, s dateSite) bool {
			return w.isOperator(s.expr.Name, "=") && (s.call == nil || w.call(s.call, "date", "date_trunc", "extract", "date_part") != nil)
		}},
		{"it is not a timestamp without time zone in a column of a table", func(_ *work, s dateSite) bool {
			i, c := s.level.column(s.column)
			return i != nil && (c.Type == timestampType || c.Type == dateType && s.unit == "year" && s.whole)
		}},
		{"it is not compared with a literal in the form of ISO 8601", func(w *work, s dateSite) bool {
			w.literals = true
			_, ok := s.begins(w)
			return ok
		}},
		{"the literal is not the beginning of what is asked for", func(w *work, s dateSite) bool {
			from, _ := s.begins(w)
			year, month, day := from.Date()
			switch s.unit {
			case "year":
				return month == 1 && day == 1 && from.Equal(midnight(from))
			case "month":
				return day == 1 && from.Equal(midnight(from))
			case "day":
				return from.Equal(midnight(from))
			case "hour":
				return from.Equal(from.Truncate(time.Hour))
			}
			return year > 0 && from.Equal(from.Truncate(time.Minute))
		}},
	},
	rewrite: func(w *work, s dateSite) {
		_, c := s.level.column(s.column)
		from, _ := s.begins(w)
		form := func(t time.Time) string { return quoteString(t.Format(time.DateTime)) + "::pg_catalog.timestamp" }
		if c.Type == dateType {
			form = func(t time.Time) string { return quoteString(t.Format(time.DateOnly)) + "::pg_catalog.date" }
		}
		w.replace(s.node, "%1 OPERATOR(pg_catalog.>=) "+form(from)+" AND %1 OPERATOR(pg_catalog.<) "+form(s.ends(from)), w.given(s.column))
	},
}

func midnight(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

type dateSite struct {
	level        *level
	node         *pg_query.Node
	expr         *pg_query.A_Expr
	call, column *pg_query.Node
	unit         string
	whole        bool // the year is asked for by its number
}

// begins is the first moment of what is asked for.
func (s dateSite) begins(w *work) (from time.Time, ok bool) {
	value := s.expr.Rexpr
	if cast := value.GetTypeCast(); cast != nil && !s.whole && w.isTypeName(cast.TypeName, "date", "timestamp") {
		value = cast.Arg
	}
	k, ok := constantOf(value)
	switch {
	case !ok || (k.kind == 'i') != s.whole || k.kind == 'b':
		return from, false
	case s.whole:
		year, _ := strconv.Atoi(k.text)
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), year > 0 && year < 9999
	}
	for _, form := range []string{time.DateOnly, time.DateTime} {
		if at, err := time.Parse(form, k.text); err == nil {
			return at, at.Year() > 0 && at.Year() < 9999
		}
	}
	return from, false
}

// ends is the first moment behind what begins then.
func (s dateSite) ends(from time.Time) time.Time {
	switch s.unit {
	case "year":
		return from.AddDate(1, 0, 0)
	case "month":
		return from.AddDate(0, 1, 0)
	case "day":
		return from.AddDate(0, 0, 1)
	case "hour":
		return from.Add(time.Hour)
	}
	return from.Add(time.Minute)
}

func findDates(w *work) (sites []dateSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || e.Lexpr == nil {
			return
		}
		s := dateSite{level: l, node: n, expr: e}
		if s.look(w); s.column.GetColumnRef() != nil && s.unit != "" {
			sites = append(sites, s)
		}
	})
	return sites
}

// look notes what is computed on the left.
func (s *dateSite) look(w *work) {
	if cast := s.expr.Lexpr.GetTypeCast(); cast != nil && w.isTypeName(cast.TypeName, "date") {
		s.column, s.unit = cast.Arg, "day"
		return
	}
	f := s.expr.Lexpr.GetFuncCall()
	if f == nil {
		return
	}
	s.call = s.expr.Lexpr
	name := nameOf(f.Funcname)
	switch last := name[len(name)-1]; {
	case last == "date" && len(f.Args) == 1:
		s.column, s.unit = f.Args[0], "day"
	case len(f.Args) != 2:
	case last == "date_trunc":
		w.literals = true
		switch unit := f.Args[0].GetAConst().GetSval().GetSval(); unit {
		case "year", "month", "day", "hour", "minute":
			s.column, s.unit = f.Args[1], unit
		}
	case last == "date_part", last == "extract":
		w.literals = true
		if f.Args[0].GetAConst().GetSval().GetSval() == "year" {
			s.column, s.unit, s.whole = f.Args[1], "year", true
		}
	}
}
