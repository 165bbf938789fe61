package proxy

import (
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
)

// An answer that was waited for is that of its own statement only, and only as long
// as nothing has changed.
func TestJoinedAnswerHasItsKey(t *testing.T) {
	cfg := cache.DefaultConfig()
	c, err := cache.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	space := c.Space("server")
	stamp, _ := space.Stamp(nil)
	later := int64(time.Hour)
	e := c.NewEntry(cache.Answer{Core: []byte("core"), Stamp: stamp, MaxEntry: cfg.MaxEntry, Shape: c.NewShape("select"), Fresh: later, Stale: later, OnError: later})
	mine, other := cache.Key{Lo: 1}, cache.Key{Lo: 2}
	s := &session{joined: joined{key: mine, entry: e}}
	if s.takeJoined(other) != nil {
		t.Error("another statement got the answer")
	}
	if s.takeJoined(mine) != e {
		t.Error("the statement did not get its answer")
	}
	s.joined = joined{key: mine, entry: e}
	space.Global.Bump()
	if s.takeJoined(mine) != nil {
		t.Error("an answer was given that is not good any more")
	}
}
