package rewrite

import (
	"fmt"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Page returns the text that gets a page from a bookmark. value is the bookmark's, as
// SQL, empty where the key is NULL; offset counts from the bookmark.
func (d *Deep) Page(text string, p *sqlparse.Paging, value, offset string) string {
	var b strings.Builder
	b.Grow(len(text) + len(value) + 80)
	lead := d.key(text, p)
	if p.Where.End > 0 {
		b.WriteString(text[:p.Where.Start] + "(" + p.Where.In(text) + ") AND " + lead)
	} else {
		b.WriteString(text[:p.From.End] + " WHERE " + lead)
	}
	nulls := p.Nulls
	switch {
	case value == "":
		b.WriteString(" IS NULL")
		nulls = sqlparse.Span{}
	case d.desc:
		b.WriteString(" OPERATOR(pg_catalog.<=) " + value)
	default:
		b.WriteString(" OPERATOR(pg_catalog.>=) " + value)
	}
	rest := p.From.End
	if p.Where.End > 0 {
		rest = p.Where.End
	}
	if nulls.End > 0 { // no index has to be in that order too: there are no NULLs
		b.WriteString(text[rest:nulls.Start])
		rest = nulls.End
	}
	b.WriteString(text[rest:p.Offset.Start] + offset + text[p.Offset.End:])
	return b.String()
}

// key is the leading key in a condition.
func (d *Deep) key(text string, p *sqlparse.Paging) string {
	if d.lead != "" {
		return d.lead
	}
	return "(" + p.First.In(text) + ")"
}

// Found returns the text that finds the rows of a page first: see findJoin.
func (d *Deep) Found(text string, p *sqlparse.Paging) string {
	return text[:p.From.End] + " WHERE " + d.unique + " OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT " + d.unique + " " +
		text[p.From.Start:p.End] + ")) " + p.Order.In(text)
}

// rowsOf is from FROM to the end of the condition.
func rowsOf(text string, p *sqlparse.Paging) string {
	return text[p.From.Start:max(p.From.End, p.Where.End)]
}

// Samples returns the text that counts a list through. Its rows are the value of each
// step-th row, as text, and how many rows are before the first with that value.
func (d *Deep) Samples(text string, p *sqlparse.Paging, step int64) string {
	const sql = `SELECT k::pg_catalog.text, r FROM (SELECT %[1]s AS k, ` +
		`pg_catalog.rank() OVER w OPERATOR(pg_catalog.-) 1 AS r, pg_catalog.row_number() OVER w AS n %[2]s ` +
		`WINDOW w AS (ORDER BY %[1]s %[3]s %[4]s)) s WHERE (n OPERATOR(pg_catalog.%%) %[5]d) OPERATOR(pg_catalog.=) 1`
	direction := "ASC"
	if d.desc {
		direction = "DESC"
	}
	return fmt.Sprintf(sql, d.key(text, p), rowsOf(text, p), direction, p.Nulls.In(text), step)
}

// Literal is a value as SQL; plain strings must be without escapes.
func (t *KeyType) Literal(v Value) string {
	return "'" + strings.ReplaceAll(v.Bytes, "'", "''") + "'::pg_catalog." + t.Name
}

// Probe returns the text of a page whose bookmark and offset are parameters, behind
// those that the statement has.
func (d *Deep) Probe(text string, p *sqlparse.Paging, parameters int, null bool) string {
	value, offset := "$"+strconv.Itoa(parameters+1), "$"+strconv.Itoa(parameters+2)
	if null {
		value = ""
	}
	return d.Page(text, p, value, offset)
}

// means reports whether the texts that Page and Found make of a statement mean what is
// meant: each is parsed, and is the statement but for what was put into it.
func (d *Deep) means(q *Query, p *sqlparse.Paging, parameters int) bool {
	original := bare(q.Tree).Stmts[0].Stmt.GetSelectStmt()
	page := selectOf(d.Probe(q.Text, p, parameters, false))
	if page == nil || !isPage(original, page, int32(parameters)) {
		return false
	}
	if !d.Join {
		return true
	}
	found := selectOf(d.Found(q.Text, p))
	return found != nil && isFound(original, found)
}

func selectOf(text string) *pg_query.SelectStmt {
	tree, err := pg_query.Parse(text)
	if err != nil || len(tree.Stmts) != 1 {
		return nil
	}
	return bare(tree).Stmts[0].Stmt.GetSelectStmt()
}

// isPage takes back what Page does to the tree.
func isPage(original, page *pg_query.SelectStmt, parameters int32) bool {
	rest := []*pg_query.Node{page.WhereClause}
	if original.WhereClause != nil {
		rest = page.WhereClause.GetBoolExpr().GetArgs()
	}
	if len(rest) == 0 {
		return false
	}
	last := rest[len(rest)-1].GetAExpr()
	if last.GetRexpr().GetParamRef().GetNumber() != parameters+1 || page.LimitOffset.GetParamRef().GetNumber() != parameters+2 {
		return false
	}
	if name := last.Name; len(name) != 2 || name[0].GetString_().GetSval() != "pg_catalog" {
		return false
	}
	if original.WhereClause != nil && !isAnd(original.WhereClause, page.WhereClause, rest[:len(rest)-1]) {
		return false
	}
	page.WhereClause, page.LimitOffset = original.WhereClause, original.LimitOffset
	page.SortClause[0].GetSortBy().SortbyNulls = original.SortClause[0].GetSortBy().SortbyNulls
	return proto.Equal(original, page)
}

// isAnd reports whether a condition is the original one and something behind it.
func isAnd(original, all *pg_query.Node, before []*pg_query.Node) bool {
	if all.GetBoolExpr().Boolop != pg_query.BoolExprType_AND_EXPR {
		return false
	}
	if b := original.GetBoolExpr(); b != nil && b.Boolop == pg_query.BoolExprType_AND_EXPR {
		return proto.Equal(b, &pg_query.BoolExpr{Boolop: b.Boolop, Args: before})
	}
	return len(before) == 1 && proto.Equal(original, before[0])
}

// isFound takes back what Found does to the tree.
func isFound(original, found *pg_query.SelectStmt) bool {
	link := found.WhereClause.GetAExpr().GetRexpr().GetSubLink()
	inner := link.GetSubselect().GetSelectStmt()
	if inner == nil || link.SubLinkType != pg_query.SubLinkType_ARRAY_SUBLINK || found.WhereClause.GetAExpr().Kind != pg_query.A_Expr_Kind_AEXPR_OP_ANY {
		return false
	}
	inner.TargetList = original.TargetList
	found.WhereClause, found.LimitCount, found.LimitOffset, found.LimitOption = original.WhereClause, original.LimitCount, original.LimitOffset, original.LimitOption
	return proto.Equal(original, inner) && proto.Equal(original, found)
}
