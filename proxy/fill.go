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
	cost  int64 // ns that PostgreSQL took
}

// arm keeps the answer to what is forwarded next, if that may be done. Nothing is
// under way. It reports whether the statement must wait.
func (s *session) arm(key cache.Key, v *verdict, f *findings, text []byte) (wait bool) {
	if made := s.newFill(v, f, text); made != nil {
		made.key, made.verify, s.verify = key, s.verify, nil
		s.fill = made
		return s.join(made)
	}
	s.verify = nil
	s.quitJoin()
	return false
}

// newFill returns what keeps the answer; nil if it must not be kept.
func (s *session) newFill(v *verdict, f *findings, text []byte) *fill {
	switch {
	case f == nil:
		return nil
	case f.why != "" || sqlparse.NamesTime(text):
		v.shape.Refuse(cache.RefusedStatement)
		return nil
	}
	db := s.who.database
	stamp, ok := db.space.Stamp(f.relations)
	for _, tag := range f.rule.Tags {
		ok = ok && stamp.Add(tag)
	}
	if generation, _ := db.generation(); !ok || generation != f.generation {
		v.shape.Refuse(cache.RefusedInFlight)
		return nil
	}
	return &fill{stamp: stamp, verdict: v, rule: f.rule, limit: int(f.rule.MaxEntry) + 1024, frames: s.takeBuffer(0)}
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
	if s.fill != nil {
		s.fill.ended = true
		if s.sample.sent != 0 {
			s.fill.cost = max(s.loop.Now()-s.sample.sent, 0)
		}
	}
}

// keepAnswer puts the answer into the cache, if it is whole and nothing but one.
func (s *session) keepAnswer() {
	f := s.fill
	core, ok := coreOf(f.frames)
	switch {
	case !ok:
		f.verdict.shape.Refuse(cache.RefusedReply)
	default:
		s.compare(f, core)
		now := s.loop.Now()
		fresh := now + int64(f.rule.TTL)
		e := s.databases.cache.NewEntry(cache.Answer{
			Core: core, Stamp: f.stamp, Fresh: fresh, Stale: fresh + int64(f.rule.StaleWhileRevalidate),
			OnError: fresh + int64(f.rule.StaleIfError), Cost: f.cost, MaxEntry: f.rule.MaxEntry, Shape: f.verdict.shape,
		})
		s.databases.cache.Put(f.key, e, now)
		f.flight.Fill(e)
		f.flight = nil
	}
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

// missed has parts of the keys that a loop has not found: the answer to a statement
// that may never come again is not kept before it has come a second time.
type missed []uint32

const missedSlots = 1 << 14

// again reports whether a key has been missed not long ago.
func (m *missed) again(k cache.Key) bool {
	if *m == nil {
		*m = make(missed, missedSlots)
	}
	slot, part := &(*m)[k.Lo%missedSlots], uint32(k.Hi)|1
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
	text      []byte
	parsed    bool
	verdict   *verdict
}

// maxKnownVerdicts bounds the memory of a loop.
const maxKnownVerdicts = 8192

// normalText returns how a statement is listed: its text without comments, with
// parameters in the place of literals. text is a pattern, or what a Parse says.
func normalText(text []byte, parsed bool) string {
	if parsed {
		text, _, _ = wire.CString(text)
		if pattern, ok := sqlparse.AppendPattern(nil, text); ok {
			text = pattern
		}
	}
	return sqlparse.Normal(text)
}

// verdictOn returns the verdict on a pattern, or on what a Parse says.
func (s *session) verdictOn(text []byte, parsed bool) *verdict {
	sig := s.who.signature
	hash := maphash.Bytes(habitSeed, text) + sig.id
	known := s.verdicts[hash]
	if known == nil || known.signature != sig || known.parsed != parsed || !bytes.Equal(known.text, text) {
		own := string(text)
		v := s.who.database.verdictOf(verdictKey{sig, own, parsed}, normalText(text, parsed))
		known = &knownVerdict{signature: sig, text: []byte(own), parsed: parsed, verdict: v}
		if len(s.verdicts) >= maxKnownVerdicts {
			clear(s.verdicts)
		}
		s.verdicts[hash] = known
	}
	return known.verdict
}
