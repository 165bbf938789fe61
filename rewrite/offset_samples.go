package rewrite

import (
	"slices"
	"sort"
)

// Samples are bookmarks of a whole list, in the order of their ranks. They are packed:
// of a long list there are tens of thousands. Once they are installed nobody changes
// them.
type Samples struct {
	ranks  []int64
	ends   []uint32 // where each value ends in values
	values []byte
	null   int // the one whose value is NULL; -1: there is none

	limit  int // in bytes; beyond it every other one goes
	stride int // of those that are offered, each how manyth is taken
	turn   int // how many are passed over until the next one is taken
}

const sampleOverhead = 8 + 4

// NewSamples returns none, which may become as many as fit into so many bytes.
func NewSamples(limit int) *Samples { return &Samples{null: -1, limit: limit, stride: 1} }

// Offer adds a bookmark, unless it is at the place of the one before or there are
// enough of them already. Values must be text, and come in the order of the list.
func (s *Samples) Offer(b Bookmark) {
	n := len(s.ranks)
	if n > 0 && s.ranks[n-1] >= b.Rank {
		return
	}
	if s.turn > 0 && !b.Value.Null {
		s.turn--
		return
	}
	s.turn = s.stride - 1
	s.add(b.Rank, b.Value.Null, b.Value.Bytes)
	if s.Bytes() > s.limit && len(s.ranks) > 2 {
		s.thin()
	}
}

func (s *Samples) add(rank int64, null bool, value string) {
	if null {
		s.null = len(s.ranks)
	}
	s.values = append(s.values, value...)
	s.ranks, s.ends = append(s.ranks, rank), append(s.ends, uint32(len(s.values)))
}

// thin keeps every other bookmark. The one whose value is NULL stays: those before it
// do not lead to the rows where the key is NULL.
func (s *Samples) thin() {
	kept := Samples{null: -1, limit: s.limit, stride: 2 * s.stride}
	for i := range s.ranks {
		if b := s.at(i); i%2 == 0 || b.Value.Null {
			kept.add(b.Rank, b.Value.Null, b.Value.Bytes)
		}
	}
	if len(s.ranks)%2 == 1 { // the last one was kept
		kept.turn = kept.stride - 1
	} else {
		kept.turn = s.stride - 1
	}
	*s = kept
}

// Pack gives back what is not needed when there are no more to come.
func (s *Samples) Pack() *Samples {
	s.ranks, s.ends, s.values = slices.Clone(s.ranks), slices.Clone(s.ends), slices.Clone(s.values)
	return s
}

func (s *Samples) at(i int) Bookmark {
	begin := uint32(0)
	if i > 0 {
		begin = s.ends[i-1]
	}
	return Bookmark{Rank: s.ranks[i], Value: Value{Bytes: string(s.values[begin:s.ends[i]]), Null: i == s.null}}
}

// floor returns the last bookmark whose rank is not above offset.
func (s *Samples) floor(offset int64) (b Bookmark, ok bool) {
	if s == nil {
		return Bookmark{}, false
	}
	n := sort.Search(len(s.ranks), func(i int) bool { return s.ranks[i] > offset })
	if n == 0 {
		return Bookmark{}, false
	}
	return s.at(n - 1), true
}

// Len is how many there are.
func (s *Samples) Len() int { return len(s.ranks) }

// Bytes is what they take.
func (s *Samples) Bytes() int {
	if s == nil {
		return 0
	}
	return sampleOverhead*len(s.ranks) + len(s.values)
}
