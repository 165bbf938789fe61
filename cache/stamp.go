package cache

// A Stamp is what some words said, none of them with a writer in flight. It is
// taken before a query is forwarded, and the answer is good for as long as the
// stamp is current. The zero Stamp never is.
type Stamp struct {
	n    int
	deps [stampDeps]dep
	more []dep // beyond stampDeps; not changed once the stamp has been copied
}

// stampDeps has room for the three words of every stamp and three tables.
const stampDeps = 6

type dep struct {
	word *Word
	v    uint64
}

// Stamp says what the words of these relations and Global, Schema and ACL say.
// Without ok a change to one of them is on its way, and an answer got now must
// not be remembered.
func (s *Space) Stamp(oids []uint32) (st Stamp, ok bool) {
	ok = st.Add(&s.Global) && st.Add(&s.Schema) && st.Add(&s.ACL)
	for i := 0; ok && i < len(oids); i++ {
		ok = st.Add(s.Table(oids[i]))
	}
	if !ok {
		return Stamp{}, false
	}
	return st, true
}

// Add lets the answer depend on one more word, such as a tag's, before the query
// is forwarded and before the stamp is copied. It reports whether the word is
// stable; if not, the answer must not be remembered, and the stamp is good for
// nothing.
func (st *Stamp) Add(w *Word) bool {
	d := dep{word: w, v: w.v.Load()}
	if d.v&inFlight != 0 {
		*st = Stamp{}
		return false
	}
	if st.n < stampDeps {
		st.deps[st.n] = d
	} else {
		st.more = append(st.more, d)
	}
	st.n++
	return true
}

// Current reports whether every word is bit for bit what it was.
func (st *Stamp) Current() bool { return st.n > 0 && st.moved() == nil }

// moved returns a word that is not what it was, or nil. That the words are read
// one after the other does no harm: when the first is read, those that are found
// unchanged later have not been changed yet either.
func (st *Stamp) moved() *Word {
	for i := range min(st.n, stampDeps) {
		if d := &st.deps[i]; d.word.v.Load() != d.v {
			return d.word
		}
	}
	for i := range st.more {
		if d := &st.more[i]; d.word.v.Load() != d.v {
			return d.word
		}
	}
	return nil
}

// Equal reports whether both say the same of the same words, in the same order.
func (st *Stamp) Equal(other *Stamp) bool {
	if st.n != other.n || st.deps != other.deps {
		return false
	}
	for i := range st.more {
		if st.more[i] != other.more[i] {
			return false
		}
	}
	return true
}
