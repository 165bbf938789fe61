package reactor

import (
	"sync"
	"sync/atomic"
)

// connTable finds a Conn by its descriptor, from any goroutine without a lock.
type connTable struct {
	mu         sync.Mutex
	generation uint32 // guarded by mu
	rows       [1 << 12]atomic.Pointer[[1 << 10]atomic.Pointer[tableEntry]]
}

type tableEntry struct {
	conn       *Conn
	generation uint32
}

func (t *connTable) get(fd int32, generation uint32) *Conn {
	row := t.rows[uint32(fd)>>10&0xfff].Load()
	if row == nil {
		return nil
	}
	if e := row[fd&0x3ff].Load(); e != nil && e.generation == generation {
		return e.conn
	}
	return nil
}

func (t *connTable) put(fd int32, c *Conn) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	row := &t.rows[uint32(fd)>>10&0xfff]
	if row.Load() == nil {
		row.Store(new([1 << 10]atomic.Pointer[tableEntry]))
	}
	row.Load()[fd&0x3ff].Store(&tableEntry{conn: c, generation: t.generation})
	return t.generation
}

func (t *connTable) remove(fd int32) {
	t.rows[uint32(fd)>>10&0xfff].Load()[fd&0x3ff].Store(nil)
}

// all returns the Conns that there are.
func (t *connTable) all() (conns []*Conn) {
	for i := range t.rows {
		row := t.rows[i].Load()
		if row == nil {
			continue
		}
		for j := range row {
			if e := row[j].Load(); e != nil {
				conns = append(conns, e.conn)
			}
		}
	}
	return conns
}
