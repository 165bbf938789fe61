package catalog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is found to testdata")

// purities are all functions, operators and types of pg_catalog by their
// purity, as a text to compare.
func purities(s *Snapshot) string {
	lines := map[string][]string{}
	count := map[string]int{}
	add := func(kind, name string, p Purity) {
		count[fmt.Sprintf("%s %s", kind, p)]++
		key := fmt.Sprintf("%s, %s:", kind, p)
		if !slices.Contains(lines[key], name) {
			lines[key] = append(lines[key], name)
		}
	}
	for _, f := range s.functions {
		if f.builtin() {
			p, _ := s.purity(f)
			kind := map[byte]string{'i': "immutable", 's': "stable", 'v': "volatile"}[f.volatile]
			add(kind, f.name, p)
		}
	}
	for _, o := range s.operators {
		p, _ := s.operatorPurity(o)
		add("operator", o.name, p)
	}
	for _, t := range s.types {
		if t.schema.name == "pg_catalog" {
			add("type", t.name, t.purity)
		}
	}
	var text []string
	for key, n := range count {
		if key != "volatile refused" { // a minor version may have one more
			text = append(text, fmt.Sprintf("%s: %d", key, n))
		}
	}
	slices.Sort(text)
	var blocks []string
	for key, names := range lines {
		slices.Sort(names)
		// Of the others there are too many to read; those that are stable are in the lists.
		if key != "immutable, pure:" && key != "operator, pure:" && !strings.HasPrefix(key, "stable") && !strings.HasPrefix(key, "volatile") {
			blocks = append(blocks, key+"\n  "+strings.Join(names, "\n  "))
		}
	}
	slices.Sort(blocks)
	return strings.Join(text, "\n") + "\n\n" + strings.Join(blocks, "\n\n") + "\n"
}

// TestTrap43AllFunctions compares the class of each function of pg_catalog with
// those that were reviewed, for the versions that were.
func TestTrap43AllFunctions(t *testing.T) {
	s := load(t, "")
	path := filepath.Join("testdata", fmt.Sprintf("purity_%d.golden", s.Version/10000))
	got := purities(s)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	if got != string(want) {
		t.Errorf("functions are not what they were in %s: look at the difference after -update", path)
	}
}

// TestTrap43StableFunctions fails when a server has a stable function that
// nobody has looked at.
func TestTrap43StableFunctions(t *testing.T) {
	for _, f := range load(t, "").functions {
		if f.builtin() && f.volatile == 's' && refused.has(f.name) == settings.has(f.name) {
			t.Errorf("%s is stable: put it into one of the lists refused and settings", f)
		}
	}
}

func TestPurity(t *testing.T) {
	s := load(t, `
		CREATE SCHEMA app; CREATE SCHEMA empty;
		CREATE FUNCTION app.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''user''';
		CREATE FUNCTION app.mine(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
		CREATE OPERATOR app.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
		CREATE FUNCTION app.same(text, text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
		CREATE OPERATOR app.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = app.same);
		CREATE AGGREGATE app.last(int) (SFUNC = int4larger, STYPE = int);
		CREATE FUNCTION app.upper(regclass) RETURNS text LANGUAGE sql STABLE AS 'SELECT ''1''';
		CREATE TABLE t (x int); CREATE FUNCTION shown(t) RETURNS text LANGUAGE sql STABLE AS 'SELECT ''1''';
		CREATE FUNCTION plain(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT ''1'''`)
	kinds := map[string]func([]string, []string) (Purity, string){"function": s.Function, "operator": s.Operator, "type": s.Type}
	for _, test := range []struct {
		kind, path, names string
		want              Purity
	}{
		{"function", "public", "lower upper count sum pg_catalog.lower row_number jsonb_set", Pure},
		{"function", "app public", "app.lower lower mine app.mine last upper", Refused}, // trap 45
		{"function", "empty public", "lower pg_catalog.lower abs", Pure},
		{"function", "app public", "pg_catalog.lower abs", Pure},
		{"function", "public", "to_char json_agg to_jsonb concat format array_out date_trunc timezone date_part extract " +
			"float8out current_user date jsonb_build_array", DependsOnSettings},
		{"function", "public", "now random current_setting clock_timestamp statement_timestamp pg_backend_pid txid_current " +
			"has_table_privilege inet_client_addr nextval currval lastval query_to_xml set_config pg_sleep pg_advisory_lock " +
			"pg_advisory_xact_lock lo_get lo_put dblink age timetz regclass pg_typeof no_such gen_random_uuid setseed version " +
			"pg_relation_size pg_get_viewdef obj_description current_schema pg_notify pg_export_snapshot aclexplode other.public.lower", Refused},
		{"operator", "public", "@@ ||", DependsOnSettings},
		{"operator", "public", "-> ->> ~~ ~~* !~ && @> <@", Pure},
		{"operator", "app public", "<> ####", Refused},
		{"type", "public", "int4 bool uuid jsonb", Pure},
		{"type", "public", "text date timestamptz float8 _text", DependsOnSettings},
		{"type", "public", "regclass regtype timetz _regclass aclitem record nothing", Refused},
	} {
		for n := range strings.FieldsSeq(test.names) {
			got, why := kinds[test.kind](strings.Fields(test.path), name(n))
			if got != test.want || (why != "") != (got == Refused) {
				t.Errorf("%s %s with %q is %v, not %v; %s", test.kind, n, test.path, got, test.want, why)
			}
		}
	}
	for word, want := range map[string]Purity{"shown": Refused, "plain": Pure, "count": Pure, "age": Pure, "nothing": Pure, "pg_column_size": Refused} {
		if got, why := s.Attribute(public, word); got != want {
			t.Errorf("x.%s is %v; %s", word, got, why)
		}
	}
}

// TestTrap44Operators has operators that compare a timestamptz with a date, and
// one of a user that calls a built-in function.
func TestTrap44Operators(t *testing.T) {
	s := load(t, "CREATE SCHEMA app; CREATE OPERATOR app.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)")
	for _, path := range []string{"public", "app"} {
		for op := range strings.FieldsSeq("= <> < <= > >= + -") {
			if got, why := s.Operator([]string{path}, []string{op}); got != DependsOnSettings {
				t.Errorf("operator %s is %v; %s", op, got, why)
			}
		}
	}
}

// TestTrap45Extensions wants C of extensions to be usable: citext has operators
// and functions with the names of built-in ones in the schema public.
func TestTrap45Extensions(t *testing.T) {
	s := load(t, `
		CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto;
		CREATE EXTENSION dblink; CREATE EXTENSION tablefunc;
		CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), name citext CHECK (name <> 'x'), h hstore, salt text DEFAULT gen_salt('md5'));
		CREATE INDEX ON t USING gin ((name::text) gin_trgm_ops); CREATE UNIQUE INDEX ON t (name);
		CREATE VIEW v AS SELECT name FROM t WHERE name = 'A' AND replace(name, 'a', 'b') = similarity('a', 'b')::text;
		CREATE TABLE sly (x int CHECK (x = (dblink_is_busy('c'))))`)
	for op := range strings.FieldsSeq("= <> < ~~ -> ||") {
		if p, why := s.Operator(public, []string{op}); p == Refused {
			t.Errorf("operator %s: %s", op, why)
		}
	}
	for f := range strings.FieldsSeq("replace strpos similarity digest hstore max min") {
		if p, why := s.Function(public, []string{f}); p == Refused {
			t.Errorf("function %s: %s", f, why)
		}
	}
	for f := range strings.FieldsSeq("uuid_generate_v4 dblink dblink_exec crosstab gen_salt") {
		if p, _ := s.Function(public, []string{f}); p != Refused {
			t.Errorf("function %s is %v", f, p)
		}
	}
	for f, want := range map[string]bool{"uuid_generate_v4": false, "dblink": true, "dblink_exec": true, "crosstab": true, "gen_salt": false,
		"replace": false, "digest": false} {
		if got := s.MayWrite(public, []string{f}); got != want {
			t.Errorf("%s may write: %v", f, got)
		}
	}
	for _, typ := range []string{"citext", "hstore", "_citext"} {
		if p, why := s.Type(public, []string{typ}); p == Refused {
			t.Errorf("type %s: %s", typ, why)
		}
	}
	writes(t, s, Merge|Truncate, "t", "t")
	reads(t, s, "v", "t")
	isOpaque(t, s, Insert, "sly", "dblink_is_busy()")
}

func TestTrap20MayWrite(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION v() RETURNS int LANGUAGE sql AS 'SELECT 1';
		CREATE FUNCTION calls_v() RETURNS int LANGUAGE sql STABLE AS 'SELECT v()';
		CREATE FUNCTION st() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
		CREATE FUNCTION im() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
		CREATE FUNCTION abs(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
		CREATE AGGREGATE agg(int) (SFUNC = int4larger, STYPE = int);
		CREATE FUNCTION acc(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
		CREATE AGGREGATE writing(int) (SFUNC = acc, STYPE = int)`)
	for n := range strings.FieldsSeq("v calls_v abs writing nextval setval lo_create lo_put lowrite pg_logical_emit_message " +
		"query_to_xml ts_stat dblink no_such other.v") {
		if !s.MayWrite(public, name(n)) {
			t.Errorf("%s may not write", n)
		}
	}
	for n := range strings.FieldsSeq("st im agg pg_catalog.abs lower now random count set_config pg_sleep pg_advisory_lock text") {
		if s.MayWrite(public, name(n)) {
			t.Errorf("%s may write", n)
		}
	}
	if s.MayWrite([]string{"nowhere"}, name("abs")) {
		t.Error("what the path does not have is called")
	}
}

// TestTrap52Types has types whose input, casts and order are a user's.
func TestTrap52Types(t *testing.T) {
	s := load(t, `
		CREATE FUNCTION f(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
		CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE DOMAIN sly AS int CHECK (f(VALUE)); CREATE DOMAIN timed AS timestamptz CHECK (VALUE < now());
		CREATE DOMAIN named AS regclass;
		CREATE TYPE color AS ENUM ('red'); CREATE TYPE pair AS (a int, b sly); CREATE TYPE good AS (a int, b text);
		CREATE TYPE span AS RANGE (SUBTYPE = int); CREATE TYPE slyspan AS RANGE (SUBTYPE = sly);
		CREATE FUNCTION to_good(color) RETURNS good LANGUAGE sql AS 'SELECT (1, $1)::good';
		CREATE CAST (color AS good) WITH FUNCTION to_good(color) AS IMPLICIT;
		CREATE TYPE fine AS ENUM ('a'); CREATE TABLE uses (c color); CREATE TABLE spans (s span)`)
	for typ, refusal := range map[string]string{
		"posint": "", "span": "", "fine": "", "_posint": "",
		"sly": "function public.f() is not built in", "_sly": "public.f()", "pair": "public.f()", "slyspan": "public.f()",
		"timed": "now()", "named": "regclass", "color": "public.to_good()", "good": "public.to_good()",
	} {
		p, why := s.Type(public, []string{typ})
		if (p == Refused) != (refusal != "") || !strings.Contains(why, refusal) {
			t.Errorf("type %s is %v: %s", typ, p, why)
		}
	}
	isUnreadable(t, s, "uses", "to_good()")
	if p, _ := s.TypeOf(rel(t, s, "uses").Columns[0].Type); p != Refused {
		t.Errorf("type color is %v", p)
	}
	if p, _ := s.TypeOf(23); p != Pure {
		t.Errorf("type int4 is %v", p)
	}
	isOpaque(t, s, Insert, "uses", "to_good()")
	reads(t, s, "spans", "spans")
}

func TestTrap44CastsOfBuiltInTypes(t *testing.T) {
	s := load(t, `
		CREATE TABLE t (x int);
		CREATE FUNCTION f(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END'; CREATE CAST (text AS int) WITH FUNCTION f(text) AS IMPLICIT`)
	isUnreadable(t, s, "t", "a cast calls it")
	isOpaque(t, s, Insert, "t", "a cast calls it")
	if p, _ := s.Type(public, []string{"int4"}); p != Refused {
		t.Errorf("int4 is %v", p)
	}
	if p, _ := s.TypeOf(25); p != Refused {
		t.Errorf("text is %v", p)
	}
	if _, why := s.Readable(nil); why == "" {
		t.Error("a statement that reads nothing calls no cast")
	}
	harmless := load(t, "CREATE TABLE t (x int); CREATE CAST (text AS int) WITH INOUT AS IMPLICIT")
	reads(t, harmless, "t", "t")
}
