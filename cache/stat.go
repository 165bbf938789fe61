package cache

// Counts are counters since the start, of the cache or of one shape.
type Counts struct {
	Outcomes [outcomes]int64 // by Outcome
	Refused  [reasons]int64  // by Reason
	SavedNS  int64           // what PostgreSQL would have needed for what was served
	Entries  int64           // remembered now
	Bytes    int64           // that they take now
}

// Hits is how many statements were answered from the cache.
func (n Counts) Hits() int64 {
	return n.Outcomes[Hit] + n.Outcomes[Stale] + n.Outcomes[Refresh] + n.Outcomes[OnError]
}

// Misses is how many were looked up and not found, or not as they should be.
func (n Counts) Misses() int64 {
	return n.Outcomes[Absent] + n.Outcomes[Expired] + n.Outcomes[Moved] + n.Outcomes[Unserved]
}

// Stat is a snapshot of the cache.
type Stat struct {
	Counts
	Evicted    int64 // entries that had to make room, or were purged
	PackedIn   int64 // bytes that were compressed
	PackedOut  int64 // what became of them
	Verified   int64 // hits that were compared with PostgreSQL's answer
	Mismatches int64 // of them, those that were wrong
	Limit      Bytes // that entries may take
	Outdated   Outdated
	Warmed     [warmResults]int64 // by WarmResult
	Bypassed   [bypasses]int64    // by Bypass: statements that were not looked up, for what their sessions were
}

// Outdated counts what has outdated all answers of a database at once, whatever they
// were read from, by the word that says so: see Space.
type Outdated struct{ Global, Schema, ACL int64 }

// ShapeStat is a snapshot of one shape.
type ShapeStat struct {
	Name        string // its normalised text
	Fingerprint string // of the name, for rules
	Why         string // why it is never cached; empty if it may be
	Off         bool   // it is not cached now, as that costs more than it saves
	Counts

	// What a hit and an execution take, the latter mostly and at best, and a miss on
	// top of the execution; 0 while that is not known.
	HitNS, OriginNS, BestNS, ExtraNS int64
}

// Stat returns what the cache holds now and what has happened so far.
func (c *Cache) Stat() Stat {
	st := Stat{Evicted: c.evicted.Load(), PackedIn: c.packedIn.Load(), PackedOut: c.packedOut.Load()}
	st.Entries, st.Bytes = c.entries.Load(), c.bytes.Load()
	for r := range c.warmed {
		st.Warmed[r] = c.warmed[r].Load()
	}
	st.Limit, st.Outdated = c.cfg.Load().Size, c.outdated()
	for i := range c.stripes {
		s := &c.stripes[i]
		for o := range s.outcomes {
			st.Outcomes[o] += s.outcomes[o].Load()
		}
		for r := range s.refused {
			st.Refused[r] += s.refused[r].Load()
		}
		for b := range s.bypassed {
			st.Bypassed[b] += s.bypassed[b].Load()
		}
		st.SavedNS += s.saved.Load()
		st.Verified += s.verified.Load()
		st.Mismatches += s.mismatches.Load()
	}
	return st
}

func (c *Cache) outdated() (n Outdated) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spaces {
		n.Global += int64(s.Global.v.Load() / nextVersion)
		n.Schema += int64(s.Schema.v.Load() / nextVersion)
		n.ACL += int64(s.ACL.v.Load() / nextVersion)
	}
	return n
}

// Shapes returns a snapshot of each shape that somebody has or that has entries,
// in the order in which they were made.
func (c *Cache) Shapes() []ShapeStat {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropShapes()
	var stats []ShapeStat
	for _, w := range c.shapes {
		if s := w.Value(); s != nil {
			stats = append(stats, s.Stat())
		}
	}
	return stats
}

// Stat returns what has become of the statements of this shape.
func (s *Shape) Stat() ShapeStat {
	st := ShapeStat{Name: s.name, Fingerprint: Fingerprint(s.name)}
	if why := s.why.Load(); why != nil {
		st.Why = *why
	}
	for o := range s.outcomes {
		st.Outcomes[o] = s.outcomes[o].Load()
	}
	for r := range s.refused {
		st.Refused[r] = s.refused[r].Load()
	}
	st.Off, st.HitNS, st.OriginNS, st.BestNS, st.ExtraNS = s.economy.off.Load(), s.hitNS.load(), s.originNS.load(), s.bestNS.load(), s.extraNS.load()
	st.SavedNS, st.Entries, st.Bytes = s.saved.Load(), s.entries.Load(), s.bytes.Load()
	return st
}
