package cache

import "sync/atomic"

// A Space has the words of one database of one cluster: see Cache.Space. Any
// number of goroutines may use it; looking up a word takes no lock.
type Space struct {
	// Global is for statements of which nobody knows what they write, and for
	// doubt. Schema is for DDL: what a name means, what a function does. ACL is
	// for who may see what: GRANT, REVOKE, roles and their memberships.
	// Everything remembered depends on all three.
	Global, Schema, ACL Word

	tables [spaceBuckets]atomic.Pointer[tableWord]
}

// spaceBuckets suits databases with some ten thousand tables, at 32 KB.
const spaceBuckets = 1 << 12

// tableWord is immutable, apart from its word.
type tableWord struct {
	oid  uint32
	word *Word
	next *tableWord // in the same bucket
}

// Table returns the word of a relation. It is made when it is first asked for
// and stays for as long as the Space: what was remembered of a relation that has
// been dropped still has its word, and an OID that comes again has the same one.
func (s *Space) Table(oid uint32) *Word {
	bucket := &s.tables[oid%spaceBuckets]
	for {
		head := bucket.Load()
		for t := head; t != nil; t = t.next {
			if t.oid == oid {
				return t.word
			}
		}
		made := &tableWord{oid: oid, word: new(Word), next: head}
		if bucket.CompareAndSwap(head, made) {
			return made.word
		}
	}
}
