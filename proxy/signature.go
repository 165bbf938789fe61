package proxy

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// A signature is what answers depend on besides the text and the contents: who asks,
// and with which settings. Sessions with equal ones share answers. Any number of
// goroutines may use it.
type signature struct {
	id       uint64
	user     string
	settings []pool.Setting // in the order in which they are set
	learning atomic.Bool
	learnt   atomic.Pointer[standing]
}

type signatureKey struct {
	user  string
	label pool.Label
}

// standing is what PostgreSQL has said of a signature.
type standing struct {
	generation uint64
	// path is the effective search path, without schemas for temporary objects.
	path []string
	// committed is set when transactions are READ COMMITTED unless they say otherwise.
	committed bool
}

// maxSignatures bounds the memory of a database.
const maxSignatures = 4096

// lastSignature is the id of the latest signature: those of all databases have
// different ones.
var lastSignature atomic.Uint64

// asked are the settings of its sessions, for a question to PostgreSQL.
func (sig *signature) asked() (all []catalog.Setting) {
	for _, p := range sig.settings {
		all = append(all, catalog.Setting{Name: p.Name, Value: p.Value})
	}
	return all
}

// leavesAlone reports whether its sessions want their statements executed as they are.
func (sig *signature) leavesAlone() bool {
	return slices.Contains(sig.settings, pool.Setting{Name: "pgjay.rewrite", Value: "off"})
}

// signatureOf returns the signature of a user's sessions with these settings.
func (db *database) signatureOf(user string, l pool.Label) *signature {
	var kept []pool.Setting
	for _, p := range l.Settings() {
		if p.Name != "application_name" && p.Name != "statement_timeout" { // which no answer depends on
			kept = append(kept, p)
		}
	}
	key := signatureKey{user, pool.NewLabel(kept)}
	db.mu.Lock()
	defer db.mu.Unlock()
	sig := db.signatures[key]
	if sig == nil {
		if len(db.signatures) >= maxSignatures {
			clear(db.signatures)
		}
		sig = &signature{id: lastSignature.Add(1), user: user, settings: pool.Diff(pool.Label{}, key.label)}
		db.signatures[key] = sig
	}
	return sig
}

// sign notes who the session is to the cache. It is called when its settings change.
func (s *session) sign() {
	if db := s.who.database; db != nil {
		s.who.signature = db.signatureOf(s.who.pool.Key().User, s.who.label)
	}
}

// standing returns what is known of the signature, nil if it is not known yet: then
// it is being found out.
func (sig *signature) standing(db *database, s *session) *standing {
	known := sig.learnt.Load()
	generation, stable := db.generation()
	if known != nil && known.generation == generation {
		return known
	}
	if stable && sig.learning.CompareAndSwap(false, true) {
		key := s.who.pool.Key()
		s.work(func() {
			defer sig.learning.Store(false)
			if found := db.tutor(key).standing(sig); found != nil {
				found.generation = generation
				sig.learnt.Store(found)
			}
		})
	}
	return nil
}

// withoutTemporary returns a path without the schemas for temporary objects.
func withoutTemporary(path []string) (kept []string) {
	for _, schema := range path {
		if !strings.HasPrefix(schema, "pg_temp") && !strings.HasPrefix(schema, "pg_toast_temp") {
			kept = append(kept, schema)
		}
	}
	return kept
}
