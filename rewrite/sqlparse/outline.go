package sqlparse

// words are the places in a statement of the words whose place pg_query does
// not tell.
type words struct {
	all    Span // the statement
	second Span // the second token: PREPARE name
	last   Span // the last token: ROLLBACK TO name
	// executes is the token behind EXECUTE, where that is the statement or
	// what EXPLAIN or CREATE TABLE AS execute.
	executes Span
	types    Span // between the parentheses of PREPARE name (types)
	body     Span // behind PREPARE ... AS

	count   int  // of tokens
	first   bool // only EXPLAIN and its options have been read
	execute bool // an EXECUTE that executes has been read
}

// outline finds the words of the statement that stands in the span.
func outline(text []byte, in Span) words {
	s := scanner{text: text[:in.End], pos: in.Start}
	w := words{first: true}
	depth, prev := 0, tokStart
	for t := s.next(); t != tokEnd; t = s.next() {
		at := s.place(t)
		if t == tokClose {
			depth--
		}
		if depth == 0 {
			w.note(t, prev, at)
			prev = t
		}
		if t == tokOpen {
			depth++
		}
		w.all.End, w.last = at.End, at
		w.count++
	}
	w.body.End = w.all.End
	return w
}

// note looks at a token that is not in parentheses, or is one of these; prev is
// the one before.
func (w *words) note(t, prev token, at Span) {
	switch w.count {
	case 0:
		w.all.Start = at.Start
	case 1:
		w.second = at
	}
	switch {
	case prev == kwExecute && w.execute && w.executes.End == 0:
		w.executes = at
	case t == kwExecute && (w.first || prev == kwAs):
		w.execute = true
	case t == tokOpen && w.count == 2:
		w.types.Start = at.End
	case t == tokClose && prev == tokOpen && w.types.Start > 0 && w.types.End == 0:
		w.types.End = at.Start
	}
	if prev == kwAs && w.body.Start == 0 {
		w.body.Start = at.Start
	}
	switch t {
	case kwExplain, kwAnalyze, kwAnalyse, kwVerbose, tokOpen, tokClose:
	default:
		w.first = false
	}
}
