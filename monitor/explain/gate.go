package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// EXPLAIN ANALYZE executes. A read-only transaction alone does not make that harmless:
// CREATE TABLE AS under EXPLAIN is let through by it, and so are functions that take
// locks, send notifications or end other sessions, and changes of temporary tables. So
// a statement is executed only if it passes all these gates, in this order:
//
//  1. by its text it is one SELECT or VALUES, which creates, changes and locks nothing;
//  2. nothing that it may lead to is a function that is volatile, except for a few, or that
//     executes SQL that it gets as text or reads tables that it is told of, or that is not
//     PostgreSQL's nor an extension's and cannot be read to the end (see gate_behind.go).
//     What may lead to one that executes text is not even planned, as PostgreSQL calls
//     functions at that time: those that are given constants, and those behind operators;
//  3. it has not taken too long, and the planner does not think that it will;
//  4. the plan has no step that changes, locks, or leaves it to others what to do;
//  5. the server is not busy, and the user is not a superuser.
//
// Each gate returns a sentence: why not, or nothing.

// gateText is gate 1. explainable tells whether a plain EXPLAIN is possible.
func gateText(text []byte) (facts *sqlparse.Part, explainable bool, why string) {
	f := sqlparse.NewStatement(text).Facts()
	switch {
	case f.Opaque:
		return nil, true, "its text cannot be read for sure"
	case len(f.Parts) != 1:
		return nil, false, "there is not exactly one statement in its text"
	}
	part := &f.Parts[0]
	switch part.Command {
	case sqlparse.CommandSelect, sqlparse.CommandValues:
	case sqlparse.CommandInsert, sqlparse.CommandUpdate, sqlparse.CommandDelete, sqlparse.CommandMerge:
		return part, true, "it is no SELECT"
	default:
		return part, false, "it is no SELECT"
	}
	switch {
	case len(part.Writes) > 0:
		return part, true, "it creates or changes " + part.Writes[0].String()
	case part.Locks:
		return part, true, "it locks rows"
	}
	return part, true, ""
}

// gateTime is gate 3, as far as the plan is not needed.
func gateTime(observed time.Duration, cfg *Config) string {
	if observed > cfg.MaxDuration {
		return fmt.Sprintf("it took %v, more than monitor.explain_max_duration", observed.Round(time.Millisecond))
	}
	return ""
}

// gatePlan is gates 3 and 4.
func gatePlan(p *plan.Plan, cfg *Config) string {
	if p.Root.TotalCost > cfg.MaxCost {
		return fmt.Sprintf("the planner expects a cost of %.0f, more than monitor.explain_max_cost", p.Root.TotalCost)
	}
	for n := range p.Nodes() {
		switch n.Type {
		case "ModifyTable", "LockRows", "Foreign Scan", "Custom Scan":
			return "its plan has a step that may do more than read: " + n.Label()
		}
	}
	return ""
}

// allowed are volatile functions that leave nothing behind and wait for nothing.
var allowed = []string{
	"random", "clock_timestamp", "timeofday", "gen_random_uuid", "gen_random_bytes",
	"statement_timestamp", "pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size",
}

// executing are functions that run SQL which they get as text, though they are not
// volatile.
var executing = []string{
	"crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby", "xpath_table", "query_to_xml", "query_to_xmlschema",
	"query_to_xml_and_xmlschema", "cursor_to_xml", "cursor_to_xmlschema", "table_to_xml", "table_to_xml_and_xmlschema",
	"schema_to_xml", "schema_to_xml_and_xmlschema", "database_to_xml", "database_to_xml_and_xmlschema", "ts_stat", "ts_rewrite", "normal_rand",
}

// askVolatile asks which of these functions, in any schema, are volatile, in the order of
// the names, or make a transaction one that writes. Names in any schema: to find out which one is
// meant is the server's business. 13 is the language C.
const askVolatile = `SELECT p.proname FROM pg_proc p
	WHERE (p.proname = ANY ($1::name[]) OR p.proname ~ '[^\x01-\x7f]' AND p.proname::text LIKE ANY ($3::text[]))
	AND (p.provolatile = 'v' OR p.oid < 16384 AND p.proname IN ('txid_current', 'pg_current_xact_id'))
	AND NOT (p.proname = ANY ($2::name[]) AND (p.pronamespace = 'pg_catalog'::regnamespace
		OR p.prolang = 13 AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')))
	ORDER BY array_position($1::name[], p.proname) LIMIT 1`

// gateExecuting is the part of gate 2 that needs no server.
func gateExecuting(names []string) string {
	for _, name := range names {
		switch {
		case slices.Contains(executing, name):
			return "the function " + name + " executes what it is given"
		case strings.HasPrefix(name, "dblink"):
			return "functions of dblink execute what they are given"
		}
	}
	return ""
}

// textArray writes an array as PostgreSQL reads it.
func textArray(names []string) []byte {
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)...)
		out = append(out, '"')
	}
	return append(out, '}')
}
