package explain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// What a statement leads to is not told by its text nor by EXPLAIN: functions are called by
// operators, casts, aggregates, sorting, checks of domains, defaults of arguments, policies,
// views, and by each other. So all of it is followed through the catalogs, from the names in
// the text, by rules that find too much rather than too little:
//
//   - a name counts in any schema, as a function, a relation and a type, and with any arguments;
//   - an operator counts if its characters are anywhere in a text;
//   - of a function in SQL or PL/pgSQL each word counts as a name, whatever it is declared to
//     be; one in another language cannot be read, nor one that has EXECUTE or escapes in it;
//   - a cast between PostgreSQL's own types counts, unless it is one that must be written and none is;
//   - PostgreSQL's own functions, and those in C that an extension has brought, are what they
//     are declared to be.

// askBehind asks what stands behind functions, relations and types ($1), types alone ($2),
// operators ($4) and the types with these OIDs ($6). $3 and $7 are patterns of names that are not ASCII. $5:
// what need not be named, too. A row is what it is and a name or a text, see take.
const askBehind = `WITH
	f AS (SELECT p.*, l.lanname, l.lanname = 'c' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.oid >= 16384 AND (p.proname = ANY ($1::name[]) OR p.proname ~ '[^\x01-\x7f]' AND p.proname::text LIKE ANY ($3::text[]))),
	r AS (SELECT c.* FROM pg_class c
		WHERE (c.relname = ANY ($1::name[]) OR c.relname ~ '[^\x01-\x7f]' AND c.relname::text LIKE ANY ($3::text[]))),
	t AS (SELECT y.* FROM pg_type y
		WHERE y.oid >= 16384 AND (y.typname = ANY ($1::name[]) OR y.typname = ANY ($2::name[]) OR y.typname ~ '[^\x01-\x7f]' AND y.typname::text LIKE ANY ($3::text[] || $7::text[]))),
	o AS (SELECT p.* FROM pg_operator p WHERE p.oid >= 16384 AND p.oprname = ANY ($4::name[])),
	g AS (SELECT n.* FROM pg_range n JOIN t ON t.oid = n.rngtypid OR t.oid = (to_jsonb(n) ->> 'rngmultitypid')::oid),
	k AS (SELECT c.* FROM pg_constraint c WHERE c.oid >= 16384 AND c.contype = 'c'),
	families AS (SELECT a.amopfamily AS oid FROM pg_amop a JOIN pg_operator p ON p.oid = a.amopopr WHERE p.oprname = ANY ($4::name[])
		UNION SELECT c.opcfamily FROM pg_opclass c WHERE c.oid >= 16384 AND $5::bool AND (c.opcdefault
			OR EXISTS (SELECT FROM pg_index i WHERE c.oid = ANY (i.indclass)) OR EXISTS (SELECT FROM pg_partitioned_table p WHERE c.oid = ANY (p.partclass)))
		UNION SELECT c.opcfamily FROM pg_opclass c JOIN g ON g.rngsubopc = c.oid),
	made AS (SELECT a.amproc::oid AS code FROM pg_amproc a JOIN families m ON m.oid = a.amprocfamily WHERE a.oid >= 16384),
	called AS (
		SELECT unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[]) AS code
			FROM pg_aggregate a JOIN f ON f.oid = a.aggfnoid::oid
		UNION SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]::oid[]) FROM o
		UNION SELECT code FROM made
		UNION SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout]::oid[]) FROM t
		UNION SELECT unnest(ARRAY[rngcanonical, rngsubdiff]::oid[]) FROM g
		UNION SELECT c.castfunc FROM pg_cast c WHERE c.oid >= 16384 AND (c.castsource IN (SELECT oid FROM t) OR c.casttarget IN (SELECT oid FROM t)
			OR $5::bool AND c.castcontext <> 'e' AND c.castsource < 16384 AND c.casttarget < 16384)
		UNION SELECT b.oid FROM pg_proc b JOIN f ON f.lanname = 'internal' AND b.oid < 16384 AND b.prosrc = f.prosrc),
	typed AS (
		SELECT a.atttypid AS oid FROM pg_attribute a JOIN r ON r.oid = a.attrelid
		UNION SELECT a.atttypid FROM pg_attribute a JOIN t ON t.typrelid = a.attrelid
		UNION SELECT unnest(f.proargtypes::oid[] || coalesce(f.proallargtypes, '{}') || f.prorettype) FROM f
		UNION SELECT a.aggtranstype FROM pg_aggregate a JOIN f ON f.oid = a.aggfnoid::oid
		UNION SELECT unnest(ARRAY[oprleft, oprright, oprresult]) FROM o
		UNION SELECT unnest(ARRAY[t.typbasetype, t.typelem]) FROM t
		UNION SELECT unnest(ARRAY[g.rngtypid, g.rngsubtype]) FROM g
		UNION SELECT unnest(ARRAY[c.castsource, c.casttarget]) FROM pg_cast c WHERE c.castsource IN (SELECT oid FROM t) OR c.casttarget IN (SELECT oid FROM t)
		UNION SELECT unnest($6::oid[]))
	SELECT 'call', p.proname::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid IN (SELECT code FROM called)
		AND CASE WHEN p.oid < 16384 THEN p.provolatile <> 'i' WHEN l.lanname = 'c' AND p.provolatile <> 'v' AND p.probin !~* ` + executingFiles + ` THEN
			NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') ELSE true END
	UNION SELECT 'cast', p.proname::text FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc WHERE $5::bool AND c.oid >= 16384 AND c.castcontext = 'e'
		AND c.castsource < 16384 AND c.casttarget < 16384 AND (p.oid >= 16384 OR p.provolatile <> 'i')
	UNION SELECT 'converts', y.typname::text FROM pg_type y WHERE $5::bool AND (y.typtype = 'd' OR y.oid IN (SELECT c.casttarget FROM pg_cast c
		WHERE c.oid >= 16384 AND c.castcontext = 'e' AND c.castsource < 16384 AND c.casttarget < 16384))
	UNION SELECT 'type', y.typname::text FROM pg_type y WHERE y.oid >= 16384 AND y.oid IN (SELECT oid FROM typed)
	UNION SELECT 'call', c.relname::text FROM pg_inherits i JOIN r ON r.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
	UNION SELECT 'operator', p.oprname::text FROM pg_operator p WHERE p.oid IN (SELECT unnest(ARRAY[oprcom, oprnegate]) FROM o
		UNION SELECT a.amopopr FROM pg_amop a JOIN families m ON m.oid = a.amopfamily WHERE a.oid >= 16384
		UNION SELECT a.aggsortop FROM pg_aggregate a JOIN f ON f.oid = a.aggfnoid::oid)
	UNION SELECT 'executes', f.proname::text FROM f WHERE f.lanname = 'c' AND f.probin ~* ` + executingFiles + `
	UNION SELECT 'closed', f.proname::text FROM f WHERE f.lanname NOT IN ('sql', 'plpgsql', 'c', 'internal') OR f.lanname = 'c' AND NOT f.extension
		OR f.lanname = 'internal' AND f.prokind <> 'a' AND NOT EXISTS (SELECT FROM pg_proc b WHERE b.oid < 16384 AND b.prosrc = f.prosrc)
	UNION SELECT 'source', pg_get_functiondef(f.oid) FROM f WHERE f.lanname IN ('sql', 'plpgsql') AND f.prokind <> 'a'
	UNION SELECT 'folds', f.proname::text FROM f WHERE f.provolatile <> 'v' AND NOT f.extension AND f.lanname <> 'internal' AND f.prokind <> 'a'
	UNION SELECT 'text', pg_get_function_arguments(f.oid) FROM f WHERE f.lanname NOT IN ('sql', 'plpgsql') AND f.prokind <> 'a'
	UNION SELECT 'text', pg_get_viewdef(r.oid) FROM r WHERE r.relkind = 'v'
	UNION SELECT 'text', pg_get_expr(p.polqual, p.polrelid) FROM pg_policy p JOIN r ON r.oid = p.polrelid
	UNION SELECT 'text', pg_get_constraintdef(k.oid) FROM k WHERE k.conrelid IN (SELECT oid FROM r) OR k.contypid IN (SELECT oid FROM t)
	UNION SELECT 'text', pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN r ON r.oid = i.indrelid WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
	UNION SELECT 'text', pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN r ON r.oid = d.adrelid
		JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated <> ''
	UNION SELECT 'text', pg_get_partkeydef(r.oid) FROM r WHERE r.relkind = 'p'
	UNION SELECT 'text', pg_get_partition_constraintdef(r.oid) FROM r WHERE r.relispartition
	UNION SELECT 'text', pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s JOIN r ON r.oid = s.stxrelid
	UNION SELECT 'known', p.oprname::text FROM pg_operator p WHERE $5::bool AND (p.oid >= 16384
		OR EXISTS (SELECT FROM pg_amop a JOIN pg_amproc c ON c.amprocfamily = a.amopfamily WHERE a.amopopr = p.oid AND c.oid >= 16384))
	UNION SELECT 'outside', p.proname::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE $5::bool AND p.oid >= 16384
		AND (l.lanname NOT IN ('sql', 'plpgsql', 'c', 'internal') OR l.lanname = 'c' AND p.probin ~* ` + executingFiles + `)`

// executingFiles finds the libraries whose functions run SQL that they get as text, under
// whatever name they are in the database.
const executingFiles = `'(dblink|tablefunc|pgxml|pg_background|plproxy)'`

// implicit are operators that statements use without having them in their texts.
const implicit = "= <> < <= > >= ~~ !~~ ~~* !~~* ~ !~ ~* !~*"

// maxBehind bounds the names that are looked up, and so the rounds.
const maxBehind = 20_000

// reach is what a statement leads to, as far as it has been followed.
type reach struct {
	names     []string // those that may be called
	seen      map[string]bool
	operators []string // those of the database that have something of its own behind them
	foreign   []string // patterns of those that are not ASCII
	executing string   // a function that executes what it is given
	outside   string   // some function of the database that executes what it is given, or may
	volatile  string   // the first function that is
	folds     string   // a function of the database's own that PostgreSQL may call while it makes a plan, as it is not declared to be volatile
	closed    string   // why what it does cannot be found out; empty: it can
	conversions
}

// round is what is asked next.
type round struct {
	calls, loose, symbols []string
	foreign, looseForeign []string
	first                 bool
	oids                  []uint32
}

// follow adds what is mentioned, and what stands behind it and so on. The catalogs are read
// with names that the client's settings have no influence on.
func (r *reach) follow(ctx context.Context, conn *pgconn.PgConn, m mentions) error {
	const apart = `SAVEPOINT pgjay_gate; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL standard_conforming_strings = on;
		SET LOCAL client_encoding = 'SQL_ASCII'; SET LOCAL jit = off; SET LOCAL statement_timeout = '5s'`
	if _, err := conn.Exec(ctx, apart).ReadAll(); err != nil {
		return err
	}
	err := r.read(ctx, conn, m)
	_, back := conn.Exec(ctx, "ROLLBACK TO SAVEPOINT pgjay_gate; RELEASE SAVEPOINT pgjay_gate").ReadAll()
	return errors.Join(err, back)
}

func (r *reach) read(ctx context.Context, conn *pgconn.PgConn, m mentions) error {
	next := round{first: r.seen == nil, oids: m.oids}
	if next.first {
		r.seen = make(map[string]bool)
	}
	if err := m.resolve(ctx, conn); err != nil {
		return err
	}
	for r.add(&next, m); next.first || !next.empty(); {
		values := [][]byte{textArray(next.calls), textArray(next.loose), textArray(next.foreign), textArray(next.symbols), truth(next.first), oidArray(next.oids), textArray(next.looseForeign)}
		answer := conn.ExecParams(ctx, askBehind, values, nil, nil, nil).Read()
		if answer.Err != nil {
			return answer.Err
		}
		if next = r.take(answer.Rows, next.first, m.text); len(r.seen) > maxBehind {
			r.closed, r.executing = "there is too much behind it", "there is too much behind it: something in it may execute what it is given"
			break
		}
	}
	answer := conn.ExecParams(ctx, askVolatile, [][]byte{textArray(r.names), textArray(allowed), textArray(r.foreign)}, nil, nil, nil).Read()
	if len(answer.Rows) > 0 {
		r.volatile = strings.ToValidUTF8(string(answer.Rows[0][0]), "?")
	}
	return answer.Err
}

// take reads what has been answered, and returns what is to be asked next. text is the
// statement's own, whose operators are known from the first round on.
func (r *reach) take(rows [][][]byte, first bool, text []byte) (next round) {
	if first {
		for _, row := range rows {
			if string(row[0]) == "known" {
				r.operators = append(r.operators, string(row[1]))
			}
		}
		r.add(&next, mentions{text: append(slices.Clip(text), " "+implicit...)})
	}
	for _, row := range rows {
		name := string(row[1])
		switch string(row[0]) {
		case "call":
			var m mentions
			m.call(name)
			r.add(&next, m)
		case "type":
			m := mentions{loose: []string{name}}
			if !ascii(name) {
				m.call(name)
			}
			r.add(&next, m)
		case "operator":
			r.symbol(&next, name)
		case "cast":
			r.functions = append(r.functions, name)
		case "converts":
			r.types = append(r.types, name)
		case "executes":
			r.executing = "the function " + name + " executes what it is given"
		case "outside":
			r.outside = name
		case "closed":
			r.closed = fmt.Sprintf("what the function %s does cannot be read", name)
		case "folds":
			r.folds = strings.ToValidUTF8(name, "?")
		case "source":
			m := words(row[1])
			if slices.Contains(m.calls, "execute") {
				r.closed = "a function that it calls makes statements up"
			}
			r.add(&next, m)
		case "text":
			r.add(&next, words(row[1]))
		}
	}
	if r.converts() {
		var m mentions
		for _, name := range r.functions {
			m.call(name)
		}
		r.add(&next, m)
	}
	r.closed = strings.ToValidUTF8(r.closed, "?")
	return next
}

// add adds to the next round what is new.
func (r *reach) add(next *round, m mentions) {
	r.conversions.read(m)
	for _, name := range m.calls {
		if key := "f " + name; !r.seen[key] {
			r.seen[key] = true
			r.names, next.calls = append(r.names, name), append(next.calls, name)
		}
	}
	for _, name := range m.loose {
		if key := "t " + name; ascii(name) && !r.seen[key] && !r.seen["f "+name] {
			r.seen[key] = true
			next.loose = append(next.loose, name)
		}
	}
	for _, like := range m.looseForeign {
		if key := "t " + like; !r.seen[key] {
			r.seen[key] = true
			next.looseForeign = append(next.looseForeign, like)
		}
	}
	for _, name := range r.operators {
		if bytes.Contains(m.text, []byte(name)) {
			r.symbol(next, name)
		}
	}
	for _, like := range m.foreign {
		if key := "n " + like; !r.seen[key] {
			r.seen[key] = true
			r.foreign, next.foreign = append(r.foreign, like), append(next.foreign, like)
		}
	}
	switch {
	case m.hidden:
		r.closed = "names in it are written with escapes"
	case m.any != "":
		r.closed = "the function " + m.any + " makes a value of whatever type it is told"
	}
}

// symbol adds an operator.
func (r *reach) symbol(next *round, name string) {
	if key := "o " + name; !r.seen[key] {
		r.seen[key] = true
		next.symbols = append(next.symbols, name)
	}
}

func (n *round) empty() bool {
	return len(n.calls)+len(n.loose)+len(n.symbols)+len(n.foreign)+len(n.looseForeign) == 0
}

// mayExecute says why the statement is not even to be planned; empty: it may be.
func (r *reach) mayExecute() string {
	switch why := gateExecuting(r.names); {
	case why != "":
		return why
	case r.executing != "":
		return strings.ToValidUTF8(r.executing, "?")
	case r.folds != "" && r.volatile != "":
		return "the function " + r.volatile + " is volatile, and " + r.folds + " may call it while a plan is made"
	case r.folds != "" && r.closed != "":
		return r.closed + ", and " + r.folds + " may do it while a plan is made"
	case r.closed != "" && r.outside != "":
		return r.closed + ", and the database has functions that execute what they are given"
	}
	return ""
}

// why says why the statement is not to be executed; empty: it may be.
func (r *reach) why() string {
	switch why := r.mayExecute(); {
	case why != "":
		return why
	case r.volatile != "":
		return "the function " + r.volatile + " is volatile: it may do more than read"
	}
	return r.closed
}

func truth(b bool) []byte { return strconv.AppendBool(nil, b) }

func oidArray(oids []uint32) []byte {
	var list []string
	for _, oid := range oids {
		list = append(list, strconv.FormatUint(uint64(oid), 10))
	}
	return textArray(list)
}
