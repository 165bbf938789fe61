package monitor

import "sync/atomic"

// counter has one writer, a loop, and any number of readers. Because nobody
// else writes, adding needs no read-modify-write instruction. A gauge is a
// counter that is read as an int64: what was taken away wraps around.
type counter struct{ value atomic.Uint64 }

// add is for the writer only.
func (c *counter) add(n uint64) { c.value.Store(c.value.Load() + n) }

// sub is for the writer only.
func (c *counter) sub(n uint64) { c.value.Store(c.value.Load() - n) }

func (c *counter) load() uint64 { return c.value.Load() }
