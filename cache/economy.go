package cache

// What the cache wins and loses by a shape. The three costs are of the same span,
// from a client's message to the last byte of the reply, in nanoseconds.

// SetTables says which tables' words, of Space.Table, answers of this shape depend
// on, so that Admit can tell when these are written too often. The slice is kept.
func (s *Shape) SetTables(words []*Word) { s.tables.Store(&words) }

// Admit reports whether to use the cache for a statement of this shape now: not
// while this costs more than it saves, or while a table it reads is written too
// often. That is counted as refused. After Admit has said no, Origin is called
// with what the execution took.
func (s *Shape) Admit(now int64) bool {
	if s.economy.off.Load() && !s.economy.admit(now, s.limit(), s.Written()) {
		s.Refuse(RefusedCost)
		return false
	}
	for _, w := range s.reads() {
		if w.economy.off.Load() && !w.economy.admit(now, s.limit()*tableLimit, w.written()) {
			s.Refuse(RefusedWrites)
			return false
		}
	}
	return true
}

// Written is how often the tables that the shape reads were written.
func (s *Shape) Written() (n uint64) {
	for _, w := range s.reads() {
		n += w.written()
	}
	return n
}

func (w *Word) written() uint64 { return w.v.Load() / nextVersion }

func (s *Shape) limit() int64 { return max(minLimit, s.loss()*limitMisses) }

// unseen is what a miss costs the machine, in terms of what it takes on its loop: new
// memory, and what is freed later; ristretto's goroutine, which is woken up for it.
const unseen = 3

// loss is what a miss costs.
func (s *Shape) loss() int64 {
	if extra := s.extraNS.load(); extra > 0 {
		return extra * unseen
	}
	return usualLoss
}

// usualLoss stands for what a miss of a shape takes of which none has been
// measured: where texts have literals in them, most shapes are new.
const usualLoss = 3000 * unseen

// worth is what an execution that took cost would have cost the machine. A statement
// that waits for others, as all processors are busy, takes longer and costs no more: so
// it is worth what one takes at the best of times.
func (s *Shape) worth(cost int64) int64 {
	usual, best := s.originNS.load(), s.bestNS.load()
	if usual <= 0 || best <= 0 || best >= usual {
		return cost
	}
	return int64(float64(cost) * float64(best) / float64(usual))
}

func (s *Shape) executed(ns int64) {
	s.originNS.add(ns)
	s.bestNS.add(ns)
}

func (s *Shape) reads() []*Word {
	if p := s.tables.Load(); p != nil {
		return *p
	}
	return nil
}

// Hit says what serving from the cache took. It need not be told each time.
func (s *Shape) Hit(ns int64) { s.hitNS.add(ns) }

// Miss says what the execution took after the cache had not helped, and what the
// cache took on top of it: stamp, flight, copy, Put.
func (s *Shape) Miss(origin, extra int64) {
	s.executed(origin)
	s.extraNS.add(extra)
	s.economy.lose(s.loss(), s.limit())
}

// Origin says what an execution took for which the cache was not asked.
func (s *Shape) Origin(ns int64) { s.executed(ns) }

// bookEvery is for how many hits the tables are told of one. A shape of its own
// for each text may have few, so those of its stripe are counted.
const bookEvery = 16

// served books a hit, the nth of its stripe, by an answer that PostgreSQL took
// cost for.
func (s *Shape) served(cost, n int64) {
	s.saved.Add(cost)
	s.total.saved.Add(cost)
	won := s.worth(cost) - s.hitNS.load()
	s.economy.book(won, s.limit())
	if n%bookEvery != 0 {
		return
	}
	for _, w := range s.reads() {
		w.economy.book(won*bookEvery, s.limit()*tableLimit)
	}
}

// wasted books an answer that a change of the word has made useless.
func (s *Shape) wasted(w *Word) {
	w.economy.lose(s.loss(), s.limit()*tableLimit)
}

// BreakEven is the part of hits from which on caching the shape pays; 1 or more
// if it cannot, 0 while that is not known.
func (st *ShapeStat) BreakEven() float64 {
	switch loss := st.ExtraNS * unseen; {
	case st.BestNS == 0:
		return 0
	case st.HitNS >= st.BestNS:
		return 1
	default:
		return float64(loss) / float64(st.BestNS+loss-st.HitNS)
	}
}
