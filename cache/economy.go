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
	if !s.economy.admit(now, s.limit()) {
		s.Refuse(RefusedCost)
		return false
	}
	for _, w := range s.reads() {
		if !w.economy.admit(now, s.limit()*tableLimit) {
			s.Refuse(RefusedWrites)
			return false
		}
	}
	return true
}

func (s *Shape) limit() int64 { return max(minLimit, s.extraNS.load()*limitMisses) }

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
	s.originNS.add(origin)
	s.extraNS.add(extra)
	s.economy.lose(extra, s.limit())
}

// Origin says what an execution took for which the cache was not asked.
func (s *Shape) Origin(ns int64) {
	s.originNS.add(ns)
	s.economy.executed(ns, s.limit())
	for _, w := range s.reads() {
		w.economy.executed(ns, s.limit()*tableLimit)
	}
}

// bookEvery is for how many hits the tables are told of one. A shape of its own
// for each text may have few, so those of its stripe are counted.
const bookEvery = 16

// served books a hit, the nth of its stripe, by an answer that PostgreSQL took
// cost for.
func (s *Shape) served(cost, n int64) {
	s.saved.Add(cost)
	s.total.saved.Add(cost)
	won := cost - s.hitNS.load()
	s.economy.book(won, s.limit())
	if n%bookEvery != 0 {
		return
	}
	for _, w := range s.reads() {
		w.economy.book(won*bookEvery, s.limit()*tableLimit)
	}
}

// usualExtra stands for what a miss of a shape takes of which none has been
// measured: where texts have literals in them, most shapes are new.
const usualExtra = 3000

// wasted books an answer that a change of the word has made useless.
func (s *Shape) wasted(w *Word) {
	extra := s.extraNS.load()
	if extra == 0 {
		extra = usualExtra
	}
	w.economy.lose(extra, s.limit()*tableLimit)
}

// BreakEven is the part of hits from which on caching the shape pays; 1 or more
// if it cannot, 0 while that is not known.
func (st *ShapeStat) BreakEven() float64 {
	switch {
	case st.OriginNS == 0:
		return 0
	case st.HitNS >= st.OriginNS:
		return 1
	}
	return float64(st.ExtraNS) / float64(st.OriginNS+st.ExtraNS-st.HitNS)
}
