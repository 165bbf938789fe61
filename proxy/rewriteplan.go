package proxy

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
	"unique"

	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// rewritten is what is remembered about the rewriting of statements with one pattern,
// or one text, of sessions with one signature. Any number of goroutines may use it.
type rewritten struct {
	shape   *rewrite.Shape // of those with the pattern
	finding atomic.Bool
	plan    atomic.Pointer[rewritePlan]
}

// rewritePlan is a plan that is good for one generation of the schema, one
// configuration and one time zone.
type rewritePlan struct {
	*rewrite.Plan
	generation uint64
	engine     *rewrite.Engine
	zone       string
	subject    *rewrite.Subject
}

type rewriteKey struct {
	signature *signature
	pattern   string // or a text, where exact is set
	parsed    string // what a Parse says; empty: it is a Query
	exact     bool
	audience  rewrite.Audience
}

// maxRewritten bounds the memory of a database.
const maxRewritten = 20000

// rewrittenOf returns what is remembered; shape is that of the pattern, nil if that is
// what is asked for.
func (db *database) rewrittenOf(k rewriteKey, shape *rewrite.Shape) *rewritten {
	db.mu.Lock()
	defer db.mu.Unlock()
	r := db.rewritten[k]
	if r == nil {
		if len(db.rewritten) >= maxRewritten {
			clear(db.rewritten)
		}
		if shape == nil {
			shape = rewrite.NewShape(sqlparse.Normal([]byte(k.pattern)), k.signature.user, db.name)
		}
		r = &rewritten{shape: shape}
		db.rewritten[k] = r
	}
	return r
}

// shapes returns what is known of all statements that were looked at.
func (db *database) shapes() (all []*rewrite.Shape) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for k, r := range db.rewritten {
		if !k.exact {
			all = append(all, r.shape)
		}
	}
	return all
}

// current returns the plan as of the schema, the configuration and the guards as they
// are now; nil if there is none. Then it is being made.
func (r *rewritten) current(s *session, text []byte, b *body) *rewritePlan {
	db, sig := s.who.database, s.who.signature
	engine := s.databases.engine.Load()
	generation, stable := db.generation()
	p := r.plan.Load()
	if p != nil && p.generation == generation && p.engine == engine && p.zone == s.who.zone && p.Current(r.shape) && stable {
		return p
	}
	snapshot, standing := db.snapshot(), sig.standing(db, s)
	if !stable || snapshot == nil || standing == nil || !r.finding.CompareAndSwap(false, true) {
		return nil
	}
	subject := s.rewriteSubject(text, b, snapshot, standing)
	tutor := db.tutor(s.who.pool.Key())
	zone := s.who.zone
	s.work(func() {
		defer r.finding.Store(false)
		made, err := engine.Plan(r.shape, subject, tutor.ask)
		if err != nil {
			db.log.Debug("a statement could not be looked at for rewriting", "database", db.name, "error", err)
			return
		}
		r.plan.Store(&rewritePlan{Plan: made, generation: generation, engine: engine, zone: zone, subject: subject})
	})
	return nil
}

// rewriteSubject is a statement as the rules see it. It may be used by other
// goroutines.
func (s *session) rewriteSubject(text []byte, b *body, snapshot *catalog.Snapshot, st *standing) *rewrite.Subject {
	key := s.who.pool.Key()
	subject := &rewrite.Subject{User: key.User, Database: key.Database, Types: b.types(), Settings: s.who.signature.asked(), Literals: b == nil, Audience: s.audience()}
	known := map[string]string{"TimeZone": s.who.zone, "client_encoding": "UTF8", "standard_conforming_strings": "on"}
	role := key.User
	for _, p := range subject.Settings {
		known[p.Name] = p.Value
		if p.Name == "role" && p.Value != "none" {
			role = p.Value
		}
	}
	subject.Text = string(text)
	subject.Scope = rewrite.Scope{Catalog: snapshot, Path: st.path, Role: role, Setting: func(name string) string { return known[name] }}
	return subject
}

// rewrites remembers a loop's. A look-up takes no lock and allocates nothing.
type rewrites map[uint64]*knownRewrite

type knownRewrite struct {
	signature *signature
	pattern   []byte // or the text
	parsed    string
	exact     bool
	audience  rewrite.Audience
	rewritten *rewritten
}

// maxKnownRewrites bounds the memory of a loop.
const maxKnownRewrites = 8192

// rewrittenOf returns what is remembered about a statement; nil if it has no pattern.
func (s *session) rewrittenOf(text []byte, b *body) *rewritten {
	if b != nil {
		return s.knownRewritten(b.sql, b.text, nil)
	}
	pattern, ok := sqlparse.AppendPattern(s.scratch[:0], text)
	if !ok {
		return nil
	}
	return s.knownRewritten(pattern, "", nil)
}

// knownRewritten looks a pattern up; or a text, with the shape of its pattern.
func (s *session) knownRewritten(pattern []byte, parsed string, shape *rewrite.Shape) *rewritten {
	sig := s.who.signature
	hash := maphash.Bytes(habitSeed, pattern) + sig.id
	if parsed != "" {
		hash += maphash.String(habitSeed, parsed)
	}
	if shape != nil {
		hash = ^hash
	}
	audience := s.audience()
	hash += uint64(audience)
	known := s.rewrites[hash]
	if known == nil || known.signature != sig || known.parsed != parsed || known.exact != (shape != nil) || known.audience != audience || !bytes.Equal(known.pattern, pattern) {
		r := s.who.database.rewrittenOf(rewriteKey{sig, string(pattern), parsed, shape != nil, audience}, shape)
		known = &knownRewrite{signature: sig, pattern: bytes.Clone(pattern), parsed: parsed, exact: shape != nil, audience: audience, rewritten: r}
		if len(s.rewrites) >= maxKnownRewrites {
			clear(s.rewrites)
		}
		s.rewrites[hash] = known
	}
	return known.rewritten
}

// audience says which of the rules that ask for them are for the session's application
// and address.
func (s *session) audience() rewrite.Audience {
	engine := s.databases.engine.Load()
	if !engine.AsksWho() {
		return 0
	}
	application, _ := s.who.params.Get("application_name")
	return engine.Audience(application, s.origin.client)
}

// asWritten is the text of a statement that is not rewritten, in the key of one that is
// prepared.
var asWritten unique.Handle[string]
