package proxy

import (
	"bytes"
	"slices"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
)

// compare compares what the cache has with what PostgreSQL has just answered. They
// may differ only if something has changed meanwhile. The order of rows does not
// count: without ORDER BY there is none.
func (s *session) compare(f *fill, core []byte) {
	if f.verify == nil {
		return
	}
	same := sameRows(f.verify.AppendTo(nil), core)
	wrong := !same && f.verify.Current()
	f.verdict.shape.Verified(!wrong)
	if wrong {
		s.log.Error("the cache had another answer than PostgreSQL", "session", s.id, "statement", f.verdict.shape.Name())
	}
}

// sameRows compares the frames of two answers but for their order.
func sameRows(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return len(a) == len(b) && slices.EqualFunc(sortedFrames(a), sortedFrames(b), bytes.Equal)
}

func sortedFrames(p []byte) (frames [][]byte) {
	for len(p) > 0 {
		n, ok := wire.FrameLen(p)
		if !ok || n <= 0 || n > len(p) {
			break
		}
		frames, p = append(frames, p[:n]), p[n:]
	}
	slices.SortFunc(frames, bytes.Compare)
	return frames
}

// servesOnError reports whether there is an old answer for a statement that no
// backend is to be had for, and a rule that allows it. Then it is served next.
func (s *session) servesOnError() bool {
	if s.fill == nil {
		return false
	}
	e, ok := s.databases.cache.OnError(s.fill.key, s.fill.verdict.shape, s.loop.Now())
	if !ok {
		return false
	}
	key := s.fill.key
	s.dropFill()
	s.joined = joined{key: key, entry: e}
	return true
}

var _ cache.Waiter = (*session)(nil)
