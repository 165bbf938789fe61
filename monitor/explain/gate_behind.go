package explain

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// EXPLAIN does not show all that a statement calls: not what LIMIT, VALUES and the frames of
// windows of a view are computed by, nor what stands in functions. So the texts behind it are
// read, and what these name, and so on. Each word of theirs counts as a name, in any schema,
// of a relation and of a function.

// askBehind asks for the texts behind these names, with what they are: of views, of the
// policies of tables, and of functions that are not PostgreSQL's own nor an extension's, and
// not declared immutable; of these the source if it can be read. Domains' checks are asked
// for once, as a type need not be named.
const (
	askBehind = `SELECT 'text', pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
	WHERE c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]) AND c.relkind OPERATOR(pg_catalog.=) 'v'
	UNION ALL SELECT 'text', pg_catalog.pg_get_expr(p.polqual, p.polrelid) FROM pg_catalog.pg_policy p, pg_catalog.pg_class c
	WHERE c.oid OPERATOR(pg_catalog.=) p.polrelid AND c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
	UNION ALL SELECT CASE WHEN l.lanname OPERATOR(pg_catalog.=) ANY (ARRAY['sql', 'plpgsql']::pg_catalog.name[]) THEN 'source' ELSE 'closed' END,
	CASE WHEN l.lanname OPERATOR(pg_catalog.=) ANY (ARRAY['sql', 'plpgsql']::pg_catalog.name[]) THEN pg_catalog.pg_get_functiondef(p.oid) ELSE p.proname::pg_catalog.text END
	FROM pg_catalog.pg_proc p, pg_catalog.pg_language l WHERE l.oid OPERATOR(pg_catalog.=) p.prolang AND p.prokind OPERATOR(pg_catalog.=) 'f'
	AND p.proname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]) AND p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.provolatile OPERATOR(pg_catalog.=) 's'
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
	AND d.objid OPERATOR(pg_catalog.=) p.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')`

	askDomains = `SELECT 'text', pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
	WHERE c.contypid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid`
)

// maxBehind bounds the words that are looked up, and so the rounds.
const maxBehind = 20_000

// reach is what a statement leads to, as far as it has been followed.
type reach struct {
	names []string // those that may be called
	seen  map[string]bool
	why   string // what that does cannot be found out; empty: it can
}

// follow adds names, and those that stand behind them and so on.
func (r *reach) follow(ctx context.Context, conn *pgconn.PgConn, names []string) error {
	ask, first := askBehind, r.seen == nil
	if first {
		r.seen = make(map[string]bool)
		ask += " UNION ALL " + askDomains
	}
	for fresh := r.add(names); (first || len(fresh) > 0) && r.why == ""; ask, first = askBehind, false {
		answer := conn.ExecParams(ctx, ask, [][]byte{textArray(fresh)}, nil, nil, nil).Read()
		if answer.Err != nil {
			return answer.Err
		}
		fresh = nil
		for _, row := range answer.Rows {
			kind, text := string(row[0]), row[1]
			switch {
			case kind == "closed":
				r.why = fmt.Sprintf("what the function %s does cannot be read", text)
			case kind == "source" && executes.Match(text):
				r.why = "a function that it calls makes statements up"
			}
			fresh = append(fresh, r.add(words(text))...)
		}
		if len(r.names) > maxBehind {
			r.why = "there is too much behind it"
		}
	}
	return nil
}

// add adds names, and returns those that are new.
func (r *reach) add(names []string) (fresh []string) {
	for _, name := range names {
		if !r.seen[name] {
			r.seen[name] = true
			fresh = append(fresh, name)
		}
	}
	r.names = append(r.names, fresh...)
	return fresh
}

// executes finds in a function what runs a text that it makes up.
var executes = regexp.MustCompile(`(?i)\bexecute\b`)

// word is a name as PostgreSQL reads it, in quotes or not.
var word = regexp.MustCompile(`"((?:[^"]|"")+)"|[\pL_][\pL\pN_$]*`)

// words returns the names that a text may have, in lower case if they are not quoted.
func words(text []byte) (names []string) {
	for _, found := range word.FindAllSubmatch(text, -1) {
		name := strings.ToLower(string(found[0]))
		if found[1] != nil {
			name = strings.ReplaceAll(string(found[1]), `""`, `"`)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
