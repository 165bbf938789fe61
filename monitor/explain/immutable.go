package explain

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/plan"
)

// PostgreSQL takes an index on an expression only if all functions, operators and casts in
// it are immutable. Which ones these are depends on the types of what they are given: the
// server says them when it describes a statement, which executes nothing. PostgreSQL writes
// the casts in an expression out, so that they are those that are declared.

// checkExpressions asks on which of a plan's expressions an index can be.
func (x *explanation) checkExpressions(ctx context.Context, p *plan.Plan) error {
	for _, e := range advice.Expressions(p, x.tables, advice.DefaultLimits()) {
		why, err := mutable(ctx, x.conn, e)
		if err != nil {
			if err = x.beginAgain(ctx); err != nil {
				return err
			}
			why = "whether it is immutable could not be found out"
		}
		e.Table.Expressions[e.Text] = why
	}
	return nil
}

// use is a function, an operator or a cast in an expression.
type use struct {
	ask  string // one of those below
	name string // of the function or operator
	// operands are those of the statement that describes them; of a cast what it makes of
	// them too.
	from, to int
	told     string // what it is, for people
}

// What is asked about each: the types are $1, as an oidvector, the name is $2. Where no
// function or operator has just these types, as it takes any, all of its name count.
const (
	askFunction = `SELECT coalesce(pg_catalog.bool_and(p.provolatile OPERATOR(pg_catalog.=) 'i') FILTER (WHERE p.proargtypes OPERATOR(pg_catalog.=) $1::pg_catalog.oidvector),
		pg_catalog.bool_and(p.provolatile OPERATOR(pg_catalog.=) 'i'), false) FROM pg_catalog.pg_proc p
		WHERE p.proname OPERATOR(pg_catalog.=) $2`

	askOperator = `SELECT coalesce(pg_catalog.bool_and(p.provolatile OPERATOR(pg_catalog.=) 'i') FILTER (WHERE pg_catalog.concat_ws(' ', nullif(o.oprleft, 0), o.oprright) OPERATOR(pg_catalog.=) $1),
		pg_catalog.bool_and(p.provolatile OPERATOR(pg_catalog.=) 'i'), false) FROM pg_catalog.pg_operator o, pg_catalog.pg_proc p
		WHERE p.oid OPERATOR(pg_catalog.=) o.oprcode AND o.oprname OPERATOR(pg_catalog.=) $2`

	// Without a function of its own a cast writes a value, and reads it as the other type.
	askCast = `SELECT t.source OPERATOR(pg_catalog.=) t.target OR coalesce(
		(SELECT c.castmethod OPERATOR(pg_catalog.=) 'b' OR (SELECT p.provolatile OPERATOR(pg_catalog.=) 'i' FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) c.castfunc)
			FROM pg_catalog.pg_cast c WHERE c.castsource OPERATOR(pg_catalog.=) t.source AND c.casttarget OPERATOR(pg_catalog.=) t.target AND c.castmethod OPERATOR(pg_catalog.<>) 'i'),
		(SELECT pg_catalog.bool_and(p.provolatile OPERATOR(pg_catalog.=) 'i') FROM pg_catalog.pg_type y, pg_catalog.pg_proc p
			WHERE y.oid OPERATOR(pg_catalog.=) t.source AND p.oid OPERATOR(pg_catalog.=) y.typoutput::pg_catalog.oid OR y.oid OPERATOR(pg_catalog.=) t.target AND p.oid OPERATOR(pg_catalog.=) y.typinput::pg_catalog.oid), false)
		FROM (SELECT ($1::pg_catalog.oidvector)[0] AS source, ($1::pg_catalog.oidvector)[1] AS target WHERE $2::pg_catalog.text OPERATOR(pg_catalog.=) '') t`
)

// mutable says what an expression has that is not immutable; empty: nothing.
func mutable(ctx context.Context, conn *pgconn.PgConn, e advice.Expression) (string, error) {
	u, why := usesOf(e)
	if why != "" || len(u.list) == 0 {
		return why, nil
	}
	text, err := pg_query.Deparse(u.statement)
	if err != nil {
		return "", err
	}
	described, err := conn.Prepare(ctx, "", text, nil)
	if err != nil {
		return "", err
	}
	var types []string
	for _, f := range described.Fields {
		types = append(types, strconv.FormatUint(uint64(f.DataTypeOID), 10))
	}
	for _, one := range u.list {
		r := conn.ExecParams(ctx, one.ask, [][]byte{[]byte(strings.Join(types[one.from:one.to], " ")), []byte(one.name)}, nil, nil, nil).Read()
		if r.Err != nil {
			return "", r.Err
		}
		if len(r.Rows) != 1 || string(r.Rows[0][0]) != "t" {
			return one.told + " is not immutable", nil
		}
	}
	return "", nil
}

// uses are those of an expression, and the statement that describes their operands.
type uses struct {
	list      []use
	operands  []*pg_query.Node
	statement *pg_query.ParseResult
	unknown   bool // there is something else in it
	moment    bool // something that is never immutable
}

// literal is one that is not known: PostgreSQL writes the type of all but numbers and booleans.
var literal = regexp.MustCompile(`\?(::)?`)

// usesOf reads an expression; why says that it cannot.
func usesOf(e advice.Expression) (u uses, why string) {
	const unread = "whether it is immutable cannot be read from it"
	text := literal.ReplaceAllStringFunc(e.Text, func(found string) string {
		if found == "?" {
			return "0"
		}
		return "NULL::"
	})
	tree, err := pg_query.Parse("SELECT " + text + " FROM " + e.Table.String())
	if err != nil || len(tree.Stmts) != 1 {
		return u, unread
	}
	from := tree.Stmts[0].Stmt.GetSelectStmt()
	if len(from.GetTargetList()) != 1 {
		return u, unread
	}
	u.add(from.TargetList[0].GetResTarget().GetVal())
	switch {
	case u.moment:
		return u, "current_date, current_user or the like is not immutable"
	case u.unknown:
		return u, unread
	}
	from.TargetList = nil
	for _, operand := range u.operands {
		from.TargetList = append(from.TargetList, pg_query.MakeResTargetNodeWithVal(operand, 0))
	}
	u.statement = tree
	return u, ""
}

// add adds what a node of an expression does.
func (u *uses) add(n *pg_query.Node) {
	switch n := n.GetNode().(type) {
	case *pg_query.Node_ColumnRef, *pg_query.Node_AConst:
	case *pg_query.Node_FuncCall:
		name := lastName(n.FuncCall.Funcname)
		u.note(use{ask: askFunction, name: name, told: "the function " + name}, n.FuncCall.Args...)
	case *pg_query.Node_AExpr:
		name := lastName(n.AExpr.Name)
		u.unknown = u.unknown || n.AExpr.Kind != pg_query.A_Expr_Kind_AEXPR_OP
		operands := []*pg_query.Node{n.AExpr.Rexpr}
		if n.AExpr.Lexpr != nil {
			operands = []*pg_query.Node{n.AExpr.Lexpr, n.AExpr.Rexpr}
		}
		u.note(use{ask: askOperator, name: name, told: "the operator " + name}, operands...)
	case *pg_query.Node_TypeCast:
		u.cast(n.TypeCast)
	case *pg_query.Node_SqlvalueFunction: // current_date and the like: of the moment, or of who asks
		u.moment = true
	case *pg_query.Node_CoalesceExpr:
		u.addAll(n.CoalesceExpr.Args)
	case *pg_query.Node_CollateClause:
		u.add(n.CollateClause.Arg)
	default:
		u.unknown = true
	}
}

func (u *uses) addAll(list []*pg_query.Node) {
	for _, n := range list {
		u.add(n)
	}
}

// note adds a use, and what is in its operands.
func (u *uses) note(one use, operands ...*pg_query.Node) {
	one.from = len(u.operands)
	u.operands = append(u.operands, operands...)
	one.to = len(u.operands)
	u.list = append(u.list, one)
	u.addAll(operands)
}

// cast adds a cast. That of a literal is done when the index is made.
func (u *uses) cast(c *pg_query.TypeCast) {
	if c.Arg.GetAConst() != nil {
		return
	}
	one := use{ask: askCast, told: "the cast to " + lastName(c.TypeName.Names), from: len(u.operands), to: len(u.operands) + 2}
	u.operands = append(u.operands, c.Arg, &pg_query.Node{Node: &pg_query.Node_TypeCast{TypeCast: c}})
	u.list = append(u.list, one)
	u.add(c.Arg)
}

func lastName(names []*pg_query.Node) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1].GetString_().GetSval()
}
