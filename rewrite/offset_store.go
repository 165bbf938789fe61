package rewrite

import (
	"container/list"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// A Bookmark is a value of a list's leading key, and how many rows of the list come
// before the first one that has it.
type Bookmark struct {
	Rank  int64
	Value Value
}

const bookmarkOverhead = 48

func (b *Bookmark) size() int { return bookmarkOverhead + len(b.Value.Bytes) }

// A Version says whether what a list was made of is still what it was.
type Version interface{ Current() bool }

// ListKey stands for a list: a statement without its LIMIT and OFFSET, with all other
// values, and who asks for it with which settings.
type ListKey struct {
	Lo, Hi uint64
	// Stable is set for one whose pages follow one another, whatever is written: the last
	// bookmark that a page has left is good until another one takes its rank.
	Stable bool
}

// Bookmarks remembers bookmarks of many lists. Any number of goroutines may use it;
// no call takes longer than a microsecond or so.
type Bookmarks struct {
	bytes, lists, evicted atomic.Int64

	mu    sync.Mutex
	limit int64                     // guarded by mu
	known map[ListKey]*list.Element // guarded by mu; of *bookmarkList
	used  list.List                 // guarded by mu; the list used last is first
}

// bookmarkList are the bookmarks of one list. It is guarded by Bookmarks.mu.
type bookmarkList struct {
	key     ListKey
	version Version
	since   int64      // ns; when the first of them was made; of a stable list, the last
	sampled *Samples   // from counting through
	counted int64      // ns; when that was begun
	served  []Bookmark // those of pages, in the order of their ranks
	bytes   int64

	hits   int   // deep pages since window began
	window int64 // ns
	rests  int64 // ns; it is not to be sampled before
}

const (
	maxServed    = 512
	listOverhead = 300
	hotHits      = 3
	hotWindow    = 10 * 60 * 1e9 // ns
	// stableReach is how far in rows a page of a stable list may be from the bookmark of
	// one before it to follow that.
	stableReach = 1000
)

// NewBookmarks returns an empty store for so many bytes.
func NewBookmarks(limit int64) *Bookmarks {
	return &Bookmarks{limit: limit, known: make(map[ListKey]*list.Element)}
}

// Resize changes how many bytes there may be.
func (s *Bookmarks) Resize(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
	s.shrink()
}

// Find returns the last bookmark of a list that is not behind an offset, with the
// version that it belongs to. Bookmarks made before oldest are forgotten.
func (s *Bookmarks) Find(k ListKey, offset, oldest int64) (b Bookmark, v Version, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[k]
	if e == nil {
		return Bookmark{}, nil, false
	}
	s.used.MoveToFront(e)
	l := e.Value.(*bookmarkList)
	if l.version == nil || l.since < oldest || !l.version.Current() {
		s.empty(l)
		return Bookmark{}, nil, false
	}
	if l.sampled != nil && l.counted < oldest {
		s.grow(l, -l.sampled.Bytes())
		l.sampled = nil
	}
	b, ok = l.sampled.floor(offset)
	if served, found := floor(l.served, offset); found && (!ok || served.Rank > b.Rank || k.Stable && offset-served.Rank <= stableReach) {
		b, ok = served, true
	}
	return b, l.version, ok
}

// floor returns the last of the marks whose rank is not above offset.
func floor(marks []Bookmark, offset int64) (b Bookmark, ok bool) {
	n := sort.Search(len(marks), func(i int) bool { return marks[i].Rank > offset })
	if n == 0 {
		return Bookmark{}, false
	}
	return marks[n-1], true
}

// Add notes bookmarks of a page that was served as of version v, which has been
// current since; now is ns.
func (s *Bookmarks) Add(k ListKey, v Version, now int64, marks ...Bookmark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.at(k, v, now)
	if k.Stable {
		l.since = now
	}
	for _, b := range marks {
		n := sort.Search(len(l.served), func(i int) bool { return l.served[i].Rank >= b.Rank })
		if n < len(l.served) && l.served[n].Rank == b.Rank {
			if k.Stable {
				s.grow(l, b.size()-l.served[n].size())
				l.served[n] = b
			}
			continue
		}
		if len(l.served) >= maxServed {
			drop := (n + maxServed/2) % maxServed // far from where the reader is
			s.grow(l, -l.served[drop].size())
			l.served = slices.Delete(l.served, drop, drop+1)
			if drop < n {
				n--
			}
		}
		l.served = slices.Insert(l.served, n, b)
		s.grow(l, b.size())
	}
	s.shrink()
}

// Install puts bookmarks of the whole list in the place of those that are there from
// counting.
func (s *Bookmarks) Install(k ListKey, v Version, now int64, marks *Samples) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.at(k, v, now)
	s.grow(l, marks.Bytes()-l.sampled.Bytes())
	l.sampled, l.counted = marks, now
	s.shrink()
}

// at returns the list, with no bookmarks of another version. The caller holds mu.
func (s *Bookmarks) at(k ListKey, v Version, now int64) *bookmarkList {
	l := s.list(k)
	if l.version == nil || l.version != v && !l.version.Current() {
		s.empty(l)
		l.version, l.since = v, now
	}
	return l
}

// list returns the list with this key. The caller holds mu.
func (s *Bookmarks) list(k ListKey) *bookmarkList {
	if e := s.known[k]; e != nil {
		s.used.MoveToFront(e)
		return e.Value.(*bookmarkList)
	}
	l := &bookmarkList{key: k}
	s.known[k] = s.used.PushFront(l)
	s.lists.Add(1)
	s.grow(l, listOverhead)
	return l
}

// empty forgets the bookmarks of a list. The caller holds mu.
func (s *Bookmarks) empty(l *bookmarkList) {
	s.grow(l, listOverhead-int(l.bytes))
	l.sampled, l.served, l.version = nil, nil, nil
}

// grow counts bytes. The caller holds mu.
func (s *Bookmarks) grow(l *bookmarkList, n int) {
	l.bytes += int64(n)
	s.bytes.Add(int64(n))
}

// shrink forgets the lists that were not used for longest until the others have room.
// The caller holds mu.
func (s *Bookmarks) shrink() {
	for e := s.used.Back(); e != nil && s.bytes.Load() > s.limit; e = s.used.Back() {
		l := e.Value.(*bookmarkList)
		s.grow(l, -int(l.bytes))
		delete(s.known, l.key)
		s.used.Remove(e)
		s.lists.Add(-1)
		s.evicted.Add(1)
	}
}

// Hot notes a deep page without a bookmark near it, and reports whether the list is to
// be counted through now: it is asked for again and again. It says so once, until
// Rest.
func (s *Bookmarks) Hot(k ListKey, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.list(k)
	if now-l.window > hotWindow || l.window == 0 {
		l.window, l.hits = now, 0
	}
	l.hits++
	if l.hits < hotHits || now < l.rests || l.sampled != nil {
		return false
	}
	l.rests = 1<<63 - 1
	return true
}

// Rest says that a list that was counted through is not to be again before a time.
func (s *Bookmarks) Rest(k ListKey, until int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.known[k]; e != nil {
		e.Value.(*bookmarkList).rests = until
	}
}

// Clear forgets everything.
func (s *Bookmarks) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
	s.used.Init()
	s.bytes.Store(0)
	s.lists.Store(0)
}

// Size returns how many lists there are, how many bytes they take, and how many had
// to make room.
func (s *Bookmarks) Size() (lists, bytes, evicted int64) {
	return s.lists.Load(), s.bytes.Load(), s.evicted.Load()
}
