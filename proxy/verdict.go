package proxy

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A verdict says whether answers to statements with one text, or one pattern, may be
// remembered for sessions with one signature, and what they depend on. It is found
// out once: what calls and names mean is asked from the catalog, what is read, through
// views and functions, from PostgreSQL. Any number of goroutines may use it.
type verdict struct {
	shape    *cache.Shape
	finding  atomic.Bool
	cold     atomic.Bool // when its answers were last asked for that did not pay
	findings atomic.Pointer[findings]
}

// findings are good for one generation of the schema.
type findings struct {
	generation uint64
	relations  []uint32 // what answers depend on
	why        string   // not empty: nothing is remembered
	rule       cache.Decision
	rules      *cache.Rules
	deepFindings
}

type verdictKey struct {
	signature *signature
	pattern   string
	parsed    string // what a Parse says; empty: it is a Query
}

// maxVerdicts bounds the memory of a database.
const maxVerdicts = 20000

// verdictOf returns the verdict on a statement. It may be without findings yet.
func (db *database) verdictOf(k verdictKey) *verdict {
	db.mu.Lock()
	defer db.mu.Unlock()
	v := db.verdicts[k]
	if v == nil {
		if len(db.verdicts) >= maxVerdicts {
			clear(db.verdicts)
		}
		v = &verdict{shape: db.cache.NewShape(sqlparse.Normal([]byte(k.pattern)))}
		db.verdicts[k] = v
	}
	return v
}

// current returns the findings as of the schema and the rules as they are now; nil if
// there are none. Then they are being found.
func (v *verdict) current(s *session, q *lookup) *findings {
	db, sig := s.who.database, s.who.signature
	generation, stable := db.generation()
	rules := db.cache.Rules()
	known := v.findings.Load()
	if known != nil && known.generation == generation && known.rules == rules {
		return known
	}
	snapshot, standing := db.snapshot(), sig.standing(db, s)
	if !stable || snapshot == nil || standing == nil || !v.finding.CompareAndSwap(false, true) {
		return nil
	}
	i := &inquiry{signature: sig, path: standing.path, snapshot: snapshot, tutor: db.tutor(s.who.pool.Key()), normal: v.shape.Name(), rules: rules}
	i.pages = s.databases.bookmarks != nil && sqlparse.MayPage(q.text)
	if i.body = q.body; i.body != nil {
		i.statement = sqlparse.NewStatement(q.body.sql)
	} else {
		i.statement = sqlparse.NewStatement(q.text)
	}
	s.work(func() {
		defer v.finding.Store(false)
		f := i.find()
		if f == nil {
			return
		}
		f.generation, f.rules = generation, rules
		v.shape.SetWhy(f.why)
		v.shape.SetTables(db.words(f.relations))
		v.findings.Store(f)
	})
	return nil
}

// words are those of relations.
func (db *database) words(relations []uint32) (words []*cache.Word) {
	for _, oid := range relations {
		words = append(words, db.space.Table(oid))
	}
	return words
}

// refused says why a statement is not cached, as rule says with its hints.
func (f *findings) refused(rule *cache.Decision, q *lookup) cache.Reason {
	switch {
	case f.why != "":
		return cache.RefusedStatement
	case f.rule.Cache == cache.Never:
		return cache.RefusedRule
	case rule.Cache == cache.Never:
		return cache.RefusedHint
	case q.body == nil && sqlparse.NamesTime(q.text), q.body != nil && sqlparse.NamesTime(q.values):
		return cache.RefusedStatement
	}
	return cache.NoReason
}

// inquiry is what there is to find out about a statement.
type inquiry struct {
	statement *sqlparse.Statement
	body      *body // nil: it is a Query
	signature *signature
	path      []string
	snapshot  *catalog.Snapshot
	tutor     *tutor
	normal    string // its text as rules see it
	rules     *cache.Rules
	called    []calledFunction // that some rule declares
	pages     bool             // it may have a deep OFFSET
}

// find finds out about a statement; nil if PostgreSQL does not answer.
func (q *inquiry) find() *findings {
	if why := q.refused(); why != "" {
		return &findings{why: why}
	}
	var reading *catalog.Reading
	err := q.tutor.ask(func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		reading, err = catalog.Learn(ctx, conn, catalog.Question{Text: q.statement.Text(), Types: q.body.types(), Settings: q.signature.asked()})
		return err
	})
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && !transient(refused.Code):
		return &findings{why: "PostgreSQL does not plan it (" + refused.Code + ")"}
	case err != nil:
		return nil
	}
	relations, why := q.snapshot.Readable(reading.Relations)
	if why == "" {
		why = q.unprintable(reading)
	}
	if why != "" {
		return &findings{why: why}
	}
	found := &findings{relations: relations, rule: q.rules.Match(q.question(relations))}
	if len(q.called) > 0 {
		q.addDeclared(found, reading.Relations)
	} else if q.pages {
		found.deepFindings = q.findDeep(reading)
	}
	return found
}

// transient reports whether what failed with a SQLSTATE may succeed the next time: it
// was cancelled, met a lock, or lacked something.
func transient(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "55", "57", "58":
		return true
	}
	return false
}

// unprintable says which type of a column or parameter stands against remembering.
func (q *inquiry) unprintable(reading *catalog.Reading) string {
	types := slices.Clone(reading.Params)
	for _, c := range reading.Columns {
		types = append(types, c.Type)
	}
	for _, oid := range types {
		if purity, why := q.snapshot.TypeOf(oid); purity == catalog.Refused {
			return why
		}
	}
	return ""
}

// refused says why a statement's answers must not be remembered, as far as its text
// and the catalog tell; empty: nothing speaks against it. The conditions, in order:
//
//  1. it is one statement that the parser understands, and that only reads;
//  2. it takes no locks;
//  3. nothing in it is another value each time;
//  4. each function, operator and type is known to depend on nothing but what it is
//     given and the session's settings, or a rule says so of the function.
func (q *inquiry) refused() string {
	facts := q.statement.Facts()
	switch {
	case facts.Opaque:
		return "the parser does not understand it"
	case len(facts.Parts) != 1:
		return "it is not one statement"
	}
	part := &facts.Parts[0]
	switch {
	case part.Command != sqlparse.CommandSelect && part.Command != sqlparse.CommandValues, len(part.Writes) > 0:
		return "it does not only read"
	case part.Locks:
		return "it locks rows"
	case part.Unstable != "":
		return part.Unstable
	case q.body != nil && sqlparse.NamesTime(q.body.sql):
		return "a string in it may name the time"
	}
	return q.impure(part)
}

// impure says which function, operator or type stands against remembering.
func (q *inquiry) impure(part *sqlparse.Part) string {
	for _, of := range []struct {
		names []sqlparse.Name
		ask   func(path, name []string) (catalog.Purity, string)
	}{
		{part.Functions, q.function}, {part.Operators, q.snapshot.Operator}, {part.Types, q.snapshot.Type},
	} {
		for _, name := range of.names {
			if purity, why := of.ask(q.path, name); purity == catalog.Refused {
				return why
			}
		}
	}
	for _, word := range part.Attributes { // of a column, or a function of the row
		if purity, why := q.snapshot.Attribute(q.path, word); purity == catalog.Refused {
			return why
		}
	}
	return ""
}

// question asks which rule holds.
func (q *inquiry) question(relations []uint32) cache.RuleQuery {
	ask := cache.RuleQuery{User: q.tutor.key.User, Database: q.tutor.key.Database, Text: q.normal, Fingerprint: cache.Fingerprint(q.normal)}
	for _, oid := range relations {
		if r := q.snapshot.Relation(oid); r != nil {
			ask.Tables = append(ask.Tables, r.Schema+"."+r.Name)
		}
	}
	return ask
}
