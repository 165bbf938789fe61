package sqlparse

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// parse returns the facts of a text that is parsable.
func parse(text string) *Facts {
	tree, err := pg_query.Parse(text)
	if err != nil {
		return opaque
	}
	return factsOf(text, tree)
}

// factsOf returns the facts of a text with this tree.
func factsOf(text string, tree *pg_query.ParseResult) *Facts {
	f := &Facts{Parts: make([]Part, len(tree.Stmts))}
	for i, raw := range tree.Stmts {
		f.Parts[i] = newPart(text, raw)
		f.Parameters = max(f.Parameters, f.Parts[i].Parameters)
	}
	return f
}

// newPart returns the facts of one statement.
func newPart(text string, raw *pg_query.RawStmt) Part {
	end := len(text)
	if raw.StmtLen > 0 {
		end = int(raw.StmtLocation + raw.StmtLen)
	}
	words := outline([]byte(text), Span{int(raw.StmtLocation), end})
	p := Part{Span: words.all, Command: commandOf(raw.Stmt)}
	stmt := raw.Stmt
	if e := stmt.GetExplainStmt(); e != nil {
		stmt = e.Query
		p.Explained, p.Analyze = commandOf(stmt), isAnalyze(e)
	}
	p.Detail = words.detail(stmt)
	if _, ok := p.Detail.(*Execute); p.Explained != CommandNone && !ok {
		p.Detail = nil
	}
	w := walker{part: &p}
	w.statement(stmt)
	w.finish()
	return p
}

// isAnalyze reports whether an EXPLAIN executes: the last ANALYZE option counts.
func isAnalyze(e *pg_query.ExplainStmt) (yes bool) {
	for _, o := range e.Options {
		if d := o.GetDefElem(); d != nil && d.Defname == "analyze" {
			yes = isOn(d.Arg)
		}
	}
	return yes
}

// isOn reads a boolean option as PostgreSQL does (defGetBoolean); what it would
// refuse is on.
func isOn(arg *pg_query.Node) bool {
	switch strings.ToLower(constant(arg)) {
	case "0", "false", "off":
		return false
	}
	return true
}
