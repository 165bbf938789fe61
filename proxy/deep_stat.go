package proxy

import "github.com/pgjay/pgjay/monitor"

var pageFormNames = [...]string{pagePlain: "plain", pageMarked: "bookmark", pageFound: "index"}

// KeepsBookmarks reports whether deep pages are looked after.
func (srv *Server) KeepsBookmarks() bool { return srv.databases.bookmarks != nil }

// OffsetStat says what became of deep pages; there must be bookmarks.
func (srv *Server) OffsetStat() monitor.OffsetStat { return srv.databases.offsetStat() }

func (all *databases) offsetStat() monitor.OffsetStat {
	s := monitor.OffsetStat{Pages: make(map[string]uint64), Repeated: make(map[string]uint64), Samples: make(map[string]uint64)}
	for form, name := range pageFormNames {
		s.Pages[name] = all.deepCounts.pages[form].Load()
	}
	for why := doubtNone + 1; why < doubtCount; why++ {
		s.Repeated[doubtNames[why]] = all.deepCounts.doubts[why].Load()
	}
	for result, name := range sampleNames {
		s.Samples[name] = all.deepCounts.samples[result].Load()
	}
	s.Lists, s.Bytes, s.Evicted = all.bookmarks.Size()
	return s
}
