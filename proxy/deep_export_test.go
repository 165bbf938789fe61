package proxy

// DeepPages returns how many deep pages were got by the client's statement, from a
// bookmark, and by the keys of their rows.
func (srv *Server) DeepPages() (plain, marked, found uint64) {
	c := &srv.databases.deepCounts
	return c.pages[pagePlain].Load(), c.pages[pageMarked].Load(), c.pages[pageFound].Load()
}

// DeepDoubts returns how many were not let out, by the reason.
func (srv *Server) DeepDoubts() map[string]uint64 {
	counts := make(map[string]uint64)
	for why := range srv.databases.deepCounts.doubts {
		counts[doubtNames[why]] = srv.databases.deepCounts.doubts[why].Load()
	}
	return counts
}

// DeepSamples returns how often a list was counted through.
func (srv *Server) DeepSamples() uint64 { return srv.databases.deepCounts.samples[sampleDone].Load() }

// eachVerdict calls f with all verdicts, as long as it says so, and reports whether it always
// did.
func (all *databases) eachVerdict(f func(*verdict) bool) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, db := range all.known {
		db.mu.Lock()
		for _, v := range db.verdicts {
			if !f(v) {
				db.mu.Unlock()
				return false
			}
		}
		db.mu.Unlock()
	}
	return true
}

// DeepReason returns why a text is not one whose pages can be got from bookmarks.
func (srv *Server) DeepReason(normal string) (why string) {
	unknown := srv.databases.eachVerdict(func(v *verdict) bool {
		f := v.findings.Load()
		if f == nil || v.shape.Name() != normal {
			return true
		}
		why = f.why + f.shallow
		return false
	})
	if unknown {
		return "?"
	}
	return why
}

// DeepReasons returns why statements are none whose pages can be got from bookmarks.
func (srv *Server) DeepReasons() (all string) {
	srv.databases.eachVerdict(func(v *verdict) bool {
		if f := v.findings.Load(); f != nil {
			all += f.shallow + "\n"
		}
		return true
	})
	return all
}

// DeepSettled reports whether nothing is being found out, or counted through, or read of
// the schema.
func (srv *Server) DeepSettled() bool {
	if srv.databases.deepCounts.sampling.Load() > 0 || !srv.databases.schemasRead() {
		return false
	}
	return srv.databases.eachVerdict(func(v *verdict) bool { return !v.finding.Load() })
}

// schemasRead reports whether all schemas are known as they are now.
func (all *databases) schemasRead() bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, db := range all.known {
		if db.snapshot() == nil {
			return false
		}
	}
	return true
}
