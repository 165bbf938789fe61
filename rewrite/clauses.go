package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// clauses are the places of the clauses of a simple SELECT.
type clauses struct {
	all span // from SELECT to the end
	// distinct is the word DISTINCT.
	distinct span
	// body is what stands behind the words of each clause that is there; whole is with
	// these words. LIMIT, OFFSET and FETCH are "limit", in whatever order.
	body, whole map[string]span
}

// first words of clauses, and what they are called.
var clauseWords = map[string]string{
	"from": "from", "where": "where", "group": "group", "having": "having", "window": "window",
	"order": "order", "limit": "limit", "offset": "limit", "fetch": "limit", "for": "for", "into": "into",
}

// endsSelect are the words behind which another SELECT begins.
var endsSelect = map[string]bool{"union": true, "except": true, "intersect": true, ";": true}

// clauses finds the places of the clauses of a SELECT that is no set operation and no
// VALUES; nil if it cannot.
func (s *source) clauses(q *pg_query.SelectStmt) *clauses {
	i := s.selectWord(q)
	if i < 0 {
		return nil
	}
	c := &clauses{body: map[string]span{}, whole: map[string]span{}}
	c.all.from = s.tokens[i].Start
	depth, name, begun, bodyFrom := s.depths[i], "targets", c.all.from, s.tokens[i].End
	end := s.tokens[i].End
	note := func() {
		if _, twice := c.whole[name]; twice {
			c.whole[name] = span{c.whole[name].from, end}
			return
		}
		c.whole[name], c.body[name] = span{begun, end}, span{bodyFrom, end}
	}
	for j := i + 1; j < len(s.tokens) && s.depths[j] >= depth; j++ {
		t := s.tokens[j]
		if s.depths[j] == depth && !s.isLabel(j) {
			if endsSelect[t.Word] {
				break
			}
			if j == i+1 && t.Word == "distinct" {
				c.distinct, bodyFrom = span{t.Start, t.End}, t.End
			}
			if next := clauseWords[t.Word]; next != "" && !s.isOtherUse(j) {
				note()
				name, begun, bodyFrom = next, t.Start, t.End
				if (next == "group" || next == "order") && j+1 < len(s.tokens) {
					j++ // BY
					bodyFrom = s.tokens[j].End
				}
				end = bodyFrom
				continue
			}
		}
		end = t.End
	}
	note()
	c.all.to = end
	return c
}

// selectWord finds the word SELECT of a query: the last one before its first place that
// is not closed again before it, behind the list of a WITH.
func (s *source) selectWord(q *pg_query.SelectStmt) int {
	with := q.WithClause
	q.WithClause = nil
	place := placesOf(q)
	q.WithClause = with
	if place.none() || q.Op != pg_query.SetOperation_SETOP_NONE || len(q.ValuesLists) > 0 {
		return -1
	}
	first := s.at(place.from)
	if first < 0 {
		return -1
	}
	depth := s.depths[first]
	for i := first; i >= 0; i-- {
		depth = min(depth, s.depths[i])
		if s.depths[i] == depth && s.tokens[i].Word == "select" && !s.isLabel(i) {
			return i
		}
	}
	return -1
}

// isLabel reports whether a token is a name, whatever it says: behind AS or a dot. A
// query of a WITH is in parentheses.
func (s *source) isLabel(i int) bool {
	return i > 0 && (s.tokens[i-1].Word == "as" || s.tokens[i-1].Word == ".")
}

// isOtherUse reports whether the word of a clause is part of something else: IS
// DISTINCT FROM, WITHIN GROUP.
func (s *source) isOtherUse(i int) bool {
	switch before := s.tokens[i-1].Word; s.tokens[i].Word {
	case "from":
		return before == "distinct" && i > 1 && (s.tokens[i-2].Word == "is" || s.tokens[i-2].Word == "not")
	case "group":
		return before == "within"
	}
	return false
}

// quoteName writes a name so that it is read as it is.
func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// quoteString writes a string; standard_conforming_strings is on.
func quoteString(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
