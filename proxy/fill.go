package proxy

import (
	"bytes"
	"hash/maphash"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// fill is an answer that is to be kept, on its way from the backend to the client.
type fill struct {
	key     cache.Key
	stamp   cache.Stamp
	verdict *verdict
	rule    cache.Decision
	flight  *cache.Flight // of those who wait for it; nil: nobody does
	verify  *cache.Entry  // to be compared with the answer; nil: none
	// frames is what has been passed on of the reply, and more behind it.
	frames []byte
	limit  int
	// ended is set when the ReadyForQuery has come.
	ended bool
	cost  int64 // ns from the client's message to the last reply
	extra int64 // ns that the cache took on top of it
}

// newFill returns what keeps the answer to a statement that is forwarded next; nil if
// it must not be kept, or that does not pay.
func (s *session) newFill(v *verdict, q *lookup, outcome cache.Outcome) *fill {
	f := v.current(s, q)
	if f == nil {
		return nil
	}
	rule := f.rule.With(q.hint)
	if why := f.refused(&rule, q); why != cache.NoReason {
		v.shape.Refuse(why)
		return nil
	}
	if rule.Cache != cache.Always {
		if !v.shape.Admit(s.loop.Now()) {
			v.cold.Store(true)
			s.cold, s.sample.shape = stayCold, v.shape
			return nil
		}
		useless := outcome == cache.Absent || outcome == cache.Unserved
		if useless && s.joined.key != q.key && !s.once.again(q.key, v.shape.Written()) {
			return nil
		}
	}
	stamp, ok := s.who.database.stamp(f)
	if !ok {
		v.shape.Refuse(cache.RefusedInFlight)
		return nil
	}
	if b := s.back.lease; b != nil && b.Outdated() { // when that is so the words say that something is new
		v.shape.Refuse(cache.RefusedInFlight)
		return nil
	}
	return &fill{key: q.key, stamp: stamp, verify: q.verify, verdict: v, rule: rule, limit: int(rule.MaxEntry) + 1024, frames: s.takeBuffer(0)}
}

// stayCold is for how many statements a loop asks first whether it pays to look them up,
// after one for which it did not.
const stayCold = 64

// isCold reports whether it does not pay at present to look a statement up. To ask takes
// about as long as the look-up, so where all are hits nobody does.
func (s *session) isCold(q *lookup) bool {
	s.cold--
	v := s.verdictOn(q)
	if v == nil || !v.cold.Load() {
		return false
	}
	if v.shape.Admit(s.loop.Now()) {
		v.cold.Store(false)
		return false
	}
	s.cold, s.sample.shape = stayCold, v.shape
	return true
}

// stamp says what the words say that answers depend on.
func (db *database) stamp(f *findings) (stamp cache.Stamp, ok bool) {
	stamp, ok = db.space.Stamp(f.relations)
	for _, tag := range f.rule.Tags {
		ok = ok && stamp.Add(tag)
	}
	generation, _ := db.generation()
	return stamp, ok && generation == f.generation
}

// tee keeps what is passed on to the client.
func (s *session) tee(p []byte) {
	f := s.fill
	if len(f.frames)+len(p) > f.limit {
		f.verdict.shape.Refuse(cache.DroppedLarge)
		s.dropFill()
		return
	}
	f.frames = append(f.frames, p...)
}

// dropFill gives the answer up.
func (s *session) dropFill() {
	if f := s.fill; f != nil {
		s.giveBuffer(f.frames)
		s.fill = nil
		f.flight.Abandon()
	}
}

// endFill notes that the reply has ended, before its last frames are passed on.
func (s *session) endFill() {
	if s.sample.shape != nil {
		s.sample.shape.Origin(s.loop.Now() - s.sample.start)
	}
	if s.fill != nil {
		s.fill.ended, s.fill.cost = true, s.loop.Now()-s.sample.start
	}
}

// keepAnswer puts the answer into the cache, if it is whole and nothing but one.
func (s *session) keepAnswer() {
	f, began := s.fill, s.loop.Clock()
	core, ok := coreOf(f.frames)
	if !ok {
		f.verdict.shape.Refuse(cache.RefusedReply)
		s.dropFill()
		return
	}
	s.compare(f, core)
	a := cache.Answer{Core: core, Stamp: f.stamp, Made: s.loop.Now(), Cost: f.cost, MaxEntry: f.rule.MaxEntry, Shape: f.verdict.shape}
	a.Fresh, a.Stale, a.OnError = f.rule.Times(s.loop.Now())
	e := s.databases.cache.NewEntry(a)
	s.databases.cache.Put(f.key, e, s.loop.Now())
	if s.warming != nil {
		s.warming.kept.Store(e)
	}
	f.flight.Fill(e)
	f.flight = nil
	f.verdict.shape.Miss(f.cost, f.extra+s.loop.Clock()-began)
	s.dropFill()
}

// coreOf returns the frames of a reply that are the answer: RowDescription if there
// is one, DataRows and CommandComplete. There must be nothing else but what stands
// around it for the kind of request.
func coreOf(frames []byte) (core []byte, ok bool) {
	from, to := -1, -1
	for i := 0; i < len(frames); {
		n, whole := wire.FrameLen(frames[i:])
		if !whole || n < 0 || i+n > len(frames) {
			return nil, false
		}
		switch frames[i] {
		case wire.ParseComplete, wire.BindComplete, wire.CloseComplete:
		case wire.RowDescription, wire.DataRow:
			if to >= 0 {
				return nil, false
			}
			if from < 0 {
				from = i
			}
		case wire.CommandComplete:
			if to >= 0 {
				return nil, false
			}
			if from < 0 {
				from = i
			}
			to = i + n
		case wire.ReadyForQuery:
			return frames[max(from, 0):max(to, 0)], to >= 0
		default:
			return nil, false
		}
		i += n
	}
	return nil, false
}

// once has parts of the keys that a loop has not found, with how often the tables had
// been written: the answer to a statement that may not come again before the next write
// is not kept until it has come a second time, unless the one before was served.
type once []uint32

const onceSlots = 1 << 14

// again reports whether a key was here not long ago, and nothing has been written since.
func (o *once) again(k cache.Key, written uint64) bool {
	if *o == nil {
		*o = make(once, onceSlots)
	}
	slot, part := &(*o)[k.Lo%onceSlots], uint32(k.Hi+2*written)|1
	if *slot == part {
		return true
	}
	*slot = part
	return false
}

// verdicts remembers a loop's verdicts.
type verdicts map[uint64]*knownVerdict

type knownVerdict struct {
	signature *signature
	pattern   []byte
	parsed    string // what a Parse says; empty: it is a Query
	verdict   *verdict
}

// maxKnownVerdicts bounds the memory of a loop.
const maxKnownVerdicts = 8192

// verdictOn returns the verdict on a statement; nil if there is none.
func (s *session) verdictOn(q *lookup) *verdict {
	text := q.text
	if q.body != nil {
		text = q.body.sql
	}
	pattern, ok := sqlparse.AppendPattern(s.scratch[:0], text)
	if !ok {
		return nil
	}
	sig, of := s.who.signature, ""
	if q.body != nil {
		of = q.body.text
	}
	hash := maphash.Bytes(habitSeed, pattern) + sig.id
	if of != "" {
		hash += maphash.String(habitSeed, of)
	}
	known := s.verdicts[hash]
	if known == nil || known.signature != sig || known.parsed != of || !bytes.Equal(known.pattern, pattern) {
		v := s.who.database.verdictOf(verdictKey{sig, string(pattern), of})
		known = &knownVerdict{signature: sig, pattern: bytes.Clone(pattern), parsed: of, verdict: v}
		if len(s.verdicts) >= maxKnownVerdicts {
			clear(s.verdicts)
		}
		s.verdicts[hash] = known
	}
	return known.verdict
}
