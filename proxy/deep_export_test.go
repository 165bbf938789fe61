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

// DeepReason returns why a text is not one whose pages can be got from bookmarks.
func (srv *Server) DeepReason(normal string) string {
	for _, db := range srv.databases.known {
		db.mu.Lock()
		for _, v := range db.verdicts {
			if f := v.findings.Load(); f != nil && v.shape.Name() == normal {
				db.mu.Unlock()
				return f.why + f.shallow
			}
		}
		db.mu.Unlock()
	}
	return "?"
}

// DeepReasons returns why statements are none whose pages can be got from bookmarks.
func (srv *Server) DeepReasons() (all string) {
	for _, db := range srv.databases.known {
		db.mu.Lock()
		for _, v := range db.verdicts {
			if f := v.findings.Load(); f != nil {
				all += f.shallow + "\n"
			}
		}
		db.mu.Unlock()
	}
	return all
}
