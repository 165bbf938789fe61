package rewrite

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// crm is the schema of the cases.
const crm = `
	CREATE EXTENSION IF NOT EXISTS pg_trgm;
	CREATE SCHEMA odd;
	CREATE TYPE odd.word AS (w text);
	CREATE FUNCTION odd.eq(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
	CREATE FUNCTION odd.more(int8, int4) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
	CREATE OPERATOR odd.> (LEFTARG = int8, RIGHTARG = int4, FUNCTION = odd.more);
	CREATE AGGREGATE odd.count(int) (SFUNC = int4pl, STYPE = int, INITCOND = 0);
	CREATE FUNCTION odd.strpos(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
	CREATE OPERATOR odd.= (LEFTARG = text, RIGHTARG = text, FUNCTION = odd.eq);
	CREATE COLLATION odd.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	CREATE TABLE companies (id int PRIMARY KEY, name text NOT NULL, city text, code varchar(8) UNIQUE, late int UNIQUE DEFERRABLE);
	CREATE TABLE contacts (id int PRIMARY KEY, company_id int NOT NULL REFERENCES companies, company_n int REFERENCES companies,
		company_late int NOT NULL REFERENCES companies DEFERRABLE, company_bad int NOT NULL,
		first_name text, last_name text NOT NULL, email varchar(40), email_u varchar(40) UNIQUE, status text NOT NULL, city text, score int, small int2, big int8, price numeric(8,2),
		flag bool, loose text COLLATE odd.loose, fixed char(6), born date, made timestamp NOT NULL, seen timestamp, at timestamptz, uid uuid NOT NULL UNIQUE,
		keywords text[], tags varchar(10)[], nums int4[], bigs int8[], prices numeric[], plain text[]);
	ALTER TABLE contacts ADD CONSTRAINT bad FOREIGN KEY (company_bad) REFERENCES companies NOT VALID;
	CREATE INDEX ON contacts USING gin (keywords); CREATE INDEX ON contacts USING gin (tags); CREATE INDEX ON contacts USING gin (nums);
	CREATE INDEX ON contacts USING gin (bigs); CREATE INDEX ON contacts USING gin (prices); CREATE INDEX ON contacts (score); CREATE INDEX ON contacts (seen, id);
	CREATE INDEX ON contacts (last_name); CREATE INDEX ON contacts (made, id); CREATE INDEX ON contacts (status); CREATE INDEX ON contacts USING gin (last_name gin_trgm_ops);
	CREATE INDEX ON contacts USING gin (loose gin_trgm_ops); CREATE INDEX ON contacts (city) WHERE score > 3; CREATE INDEX ON contacts (born); CREATE INDEX ON contacts (company_n);
	CREATE INDEX ON contacts USING gin (email gin_trgm_ops);
	CREATE INDEX ON contacts (loose); CREATE INDEX ON contacts (price);
	CREATE TABLE activities (id int PRIMARY KEY, contact_id int NOT NULL, company_n int, kind text, at timestamp NOT NULL, amount int);
	CREATE INDEX ON activities (contact_id);
	CREATE TABLE notes (id int, contact_id int NOT NULL, body text, json json);
	CREATE TABLE parts (id int NOT NULL, day date NOT NULL, company_id int NOT NULL REFERENCES companies, keywords text[], PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
	CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE parts_b PARTITION OF parts DEFAULT;
	CREATE INDEX ON parts USING gin (keywords);
	CREATE TABLE part_refs (id int PRIMARY KEY, part_id int, part_day date NOT NULL, FOREIGN KEY (part_id, part_day) REFERENCES parts);
	CREATE TABLE deals (id int PRIMARY KEY, company_id int NOT NULL REFERENCES companies ON DELETE CASCADE);
	CREATE TABLE copied (id int PRIMARY KEY, company_id int NOT NULL REFERENCES companies);
	SET allow_system_table_mods = on; INSERT INTO pg_subscription_rel VALUES (1, 'copied'::regclass, 'r', NULL); RESET allow_system_table_mods;
	CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER keep BEFORE DELETE ON deals FOR EACH ROW EXECUTE FUNCTION keep();
	CREATE TABLE words (word text COLLATE odd.loose NOT NULL, exactly text NOT NULL, amount numeric PRIMARY KEY);
	CREATE UNIQUE INDEX ON words (word COLLATE "C"); CREATE UNIQUE INDEX ON words (exactly text_pattern_ops);
	CREATE TABLE visits (id int PRIMARY KEY, kind text, grade int NOT NULL, code varchar(5), loose text COLLATE odd.loose, many int, bare text);
	CREATE INDEX ON visits (kind); CREATE INDEX ON visits (grade); CREATE INDEX ON visits (code); CREATE INDEX ON visits (loose); CREATE INDEX ON visits (many);
	INSERT INTO visits SELECT i, 'k' || i % 3, i % 3, 'c' || i % 2, 'x', i, 'b' FROM generate_series(1, 600) i;
	ANALYZE visits;`

var allRules = sync.OnceValue(func() (rules []Rule) {
	on, shadow := Automatic()
	return slices.Concat(on, shadow)
})

// ruleCase is a text and what a rule makes of it; or, where out is empty, which of its
// preconditions does not hold, by the beginning of its sentence.
type ruleCase struct{ in, out, why string }

// odd is before a text that is in a session with another search_path.
const oddPath = "odd: "

func (w *world) scoped(text string) (*world, string) {
	if after, ok := strings.CutPrefix(text, oddPath); ok {
		other := *w
		other.scope.Path = []string{"pg_catalog", "odd", "public"}
		return &other, after
	}
	return w, text
}

// TestRules has the cases of each rule.
func TestRules(t *testing.T) {
	w := newWorld(t, crm)
	for _, r := range allRules() {
		t.Run(r.Name(), func(t *testing.T) {
			w := *w
			w.t = t
			if len(ruleCases[r.Name()]) == 0 {
				t.Fatal("it has no cases")
			}
			for _, c := range ruleCases[r.Name()] {
				if problem := c.check(&w, r); problem != "" {
					t.Error(problem)
				}
			}
		})
	}
}

// check returns what is wrong.
func (c ruleCase) check(w *world, r Rule) string {
	w, in := w.scoped(c.in)
	q, facts := w.query(in)
	if why := Gate(q, facts); why != "" {
		return fmt.Sprintf("%s\nthe gate: %s", in, why)
	}
	got, why := w.rewritten(r, in)
	switch {
	case c.out != "" && got != c.out:
		return fmt.Sprintf("%s\nbecomes    %s\nand not    %s\nbecause %s", in, got, c.out, why)
	case c.out == "" && got != in:
		return fmt.Sprintf("%s\nbecomes    %s", in, got)
	case c.out == "" && !strings.HasPrefix(why, c.why):
		return fmt.Sprintf("%s\nis not changed because %s", in, why)
	case c.out != "":
		return w.described(in, got)
	}
	return ""
}

// described compares what PostgreSQL says of two texts before it runs them.
func (w *world) described(before, after string) string {
	var said []string
	for _, text := range []string{before, after} {
		d, err := w.conn.Prepare(w.t.Context(), "", text, nil)
		if err != nil {
			return fmt.Sprintf("%s\n%v", text, err)
		}
		said = append(said, fmt.Sprint(d.ParamOIDs, shape(d.Fields)))
	}
	if said[0] != said[1] {
		return fmt.Sprintf("%s\n%s\n%s\n%s", before, said[0], after, said[1])
	}
	return ""
}

func shape(fields []pgconn.FieldDescription) (shape []string) {
	for _, f := range fields {
		shape = append(shape, fmt.Sprint(f.Name, " ", f.DataTypeOID, " ", f.TypeModifier))
	}
	return shape
}

// mutable is a rule of which preconditions can be dropped.
type mutable interface {
	Rule
	sentences() []string
	without(n int) Rule
}

func (r automatic[S]) sentences() (all []string) {
	for _, n := range r.needs {
		all = append(all, n.otherwise)
	}
	return all
}

func (r automatic[S]) without(n int) Rule {
	r.needs = slices.Delete(slices.Clone(r.needs), n, n+1)
	return r
}

// TestMutations drops each precondition of each rule: then a case must fail.
func TestMutations(t *testing.T) {
	w := newWorld(t, crm)
	for _, r := range allRules() {
		m, ok := r.(mutable)
		if !ok {
			continue // it has tests of its own
		}
		for n, sentence := range m.sentences() {
			if !caught(w, m.without(n), ruleCases[r.Name()]) {
				t.Errorf("%s: no case fails without %d: %s", r.Name(), n+1, sentence)
			}
		}
	}
}

// caught reports whether a case that is not to be rewritten is. To panic is to be caught:
// that is a place of which the precondition has made sure.
func caught(w *world, r Rule, cases []ruleCase) (yes bool) {
	for _, c := range cases {
		if c.out == "" && mutates(w, r, c) {
			return true
		}
	}
	return false
}

func mutates(w *world, r Rule, c ruleCase) (yes bool) {
	defer func() { yes = yes || recover() != nil }()
	w, in := w.scoped(c.in)
	q, _ := w.query(in)
	return len(r.Match(q).Edits) > 0
}
