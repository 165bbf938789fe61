package cache

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
)

// The model of contract C1: clients read and write registers, the rows of a few
// tables, through the cache. In the database a write is visible at one time and
// acknowledged at another, later one. The histories have to be linearizable.

const (
	modelClients = 8
	modelOps     = 40 // of each client
	modelRows    = 3
	modelTables  = 2 // of which the rows are
)

// scheme is what readers and writers do with the words. The one that the package
// is for is in exact; the others leave something out.
type scheme struct {
	begin, end func(s *Space, w *Word)
	// stamp is called before the query is forwarded or, with late, when the answer
	// is there.
	stamp func(s *Space, oid uint32) (Stamp, bool)
	late  bool
	// join lets a reader wait for an equal one.
	join bool
	// joinAny lets it wait for one that was forwarded before a write.
	joinAny bool
}

var exact = scheme{
	begin: func(_ *Space, w *Word) { w.Begin() },
	end:   func(_ *Space, w *Word) { w.End() },
	stamp: func(s *Space, oid uint32) (Stamp, bool) { return s.Stamp([]uint32{oid}) },
}

// opaque is what writers do of whom it is known only afterwards what they wrote.
var opaque = scheme{
	begin: func(s *Space, _ *Word) { s.Global.Begin() },
	end:   func(s *Space, w *Word) { w.Bump(); s.Global.Release() },
	stamp: exact.stamp,
}

// stampInFlight is Stamp without the check for writers in flight.
func stampInFlight(s *Space, oid uint32) (Stamp, bool) {
	var st Stamp
	for i, w := range []*Word{&s.Global, &s.Schema, &s.ACL, s.Table(oid)} {
		st.deps[i] = dep{w, w.v.Load()}
		st.n++
	}
	return st, true
}

// world is one run of the model.
type world struct {
	scheme
	cache *Cache
	space *Space
	shape *Shape

	rows  [modelRows]atomic.Int64 // what is visible
	locks [modelRows]chan bool    // PostgreSQL lets one writer of a row in at a time
	last  atomic.Int64            // value that was written
	clock atomic.Int64            // orders calls and returns

	mu      sync.Mutex
	history []porcupine.Operation
}

type modelInput struct {
	row   int
	write bool
	value int64
}

// run plays one history and reports whether it is linearizable, and whether the
// cache gives what is in the database once all is quiet.
func (s scheme) run(t *testing.T, seed uint64) (linearizable, fresh bool) {
	w := &world{scheme: s}
	synctest.Test(t, func(t *testing.T) {
		w.cache = newCache(t, func(cfg *Config) { cfg.Size = MB })
		w.space, w.shape = w.cache.Space("db"), w.cache.NewShape("read")
		for row := range w.locks {
			w.locks[row] = make(chan bool, 1)
		}
		var clients sync.WaitGroup
		for id := range modelClients {
			clients.Go(func() { w.client(id, rand.New(rand.NewPCG(seed, uint64(id)))) })
		}
		clients.Wait()
		synctest.Wait() // the Puts are done
		fresh = w.quiet()
		w.cache.Close()
	})
	result := porcupine.CheckOperationsTimeout(registers, w.history, 10*time.Second)
	if result == porcupine.Unknown {
		t.Errorf("seed %d: not decided", seed)
	}
	return result != porcupine.Illegal, fresh
}

func (w *world) client(id int, rng *rand.Rand) {
	for range modelOps {
		in := modelInput{row: rng.IntN(modelRows), write: rng.IntN(100) < 12}
		travel(rng)
		if in.write {
			in.value = w.last.Add(1)
		}
		op := porcupine.Operation{ClientId: id, Input: in, Call: w.clock.Add(1)}
		if in.write {
			w.write(in.row, in.value, rng)
		} else {
			op.Output = w.read(in.row, rng)
		}
		op.Return = w.clock.Add(1)
		w.mu.Lock()
		w.history = append(w.history, op)
		w.mu.Unlock()
	}
}

// travel is how long a message or a step of the database takes.
func travel(rng *rand.Rand) { time.Sleep(time.Duration(1 + rng.IntN(1000))) }

func (w *world) word(row int) *Word { return w.space.Table(uint32(row % modelTables)) }

func (w *world) write(row int, value int64, rng *rand.Rand) {
	w.locks[row] <- true
	travel(rng)
	w.begin(w.space, w.word(row))
	travel(rng) // COMMIT goes to the backend
	w.rows[row].Store(value)
	<-w.locks[row]
	for range 1 + rng.IntN(4) {
		travel(rng) // its answer comes back, after a wait for replicas
	}
	w.end(w.space, w.word(row))
}

func (w *world) read(row int, rng *rand.Rand) int64 {
	k := rowKey(row)
	if e, o := w.cache.Get(k, 0); o.Served() {
		return value(e)
	}
	st, ok := w.stamp(w.space, uint32(row%modelTables))
	if w.join && (ok || w.joinAny) {
		return w.fly(k, row, st, rng)
	}
	e := w.query(row, st, rng)
	if w.late {
		st, ok = w.stamp(w.space, uint32(row%modelTables))
		e.stamp = st
	}
	if ok {
		w.cache.Put(k, e, 0)
	}
	return value(e)
}

// query is the way to the database and back.
func (w *world) query(row int, st Stamp, rng *rand.Rand) *Entry {
	travel(rng)
	v := w.rows[row].Load()
	travel(rng)
	core := binary.LittleEndian.AppendUint64(nil, uint64(v))
	return w.cache.NewEntry(Answer{Core: core, Stamp: st, Fresh: int64(time.Hour), Shape: w.shape})
}

// fly is a read that waits for an equal one, with leaders that give up.
func (w *world) fly(k Key, row int, st Stamp, rng *rand.Rand) int64 {
	wait := make(chan *Entry, 1)
	f, leader := w.joinFlight(k, st, modelWaiter(wait))
	if !leader {
		if e := <-wait; e != nil {
			return value(e)
		}
	}
	e := w.query(row, st, rng)
	if rng.IntN(3) == 0 {
		f.Abandon()
		return value(e)
	}
	w.cache.Put(k, e, 0)
	f.Fill(e)
	return value(e)
}

// joinFlight joins, with joinAny whatever flight there is.
func (w *world) joinFlight(k Key, st Stamp, waiter Waiter) (*Flight, bool) {
	if w.joinAny {
		shard := &w.cache.flights[k.Lo%flightShards]
		shard.mu.Lock()
		f := shard.flights[k]
		if f != nil {
			f.waiters = append(f.waiters, waiter)
		}
		shard.mu.Unlock()
		if f != nil {
			return f, false
		}
	}
	return w.cache.Join(k, st, waiter)
}

// modelWaiter gets the entry, or nil if it has to lead.
type modelWaiter chan *Entry

func (w modelWaiter) Filled(e *Entry) { w <- e }
func (w modelWaiter) Lead()           { w <- nil }

func rowKey(row int) Key { return key("row", fmt.Sprint(row)) }

func value(e *Entry) int64 { return int64(binary.LittleEndian.Uint64(e.AppendTo(nil))) }

// quiet reports whether the cache has only what is in the database.
func (w *world) quiet() bool {
	for row := range w.rows {
		if e, o := w.cache.Get(rowKey(row), 0); o.Served() && value(e) != w.rows[row].Load() {
			return false
		}
	}
	return true
}

var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, modelRows)
		for _, op := range history {
			row := op.Input.(modelInput).row
			parts[row] = append(parts[row], op)
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		if in := input.(modelInput); in.write {
			return true, in.value
		}
		return output.(int64) == state.(int64), state
	},
}

// TestLinearizable: contract C1, traps 1 to 5.
func TestLinearizable(t *testing.T) {
	joining := exact
	joining.join = true
	for name, s := range map[string]scheme{"alone": exact, "with flights": joining, "opaque writes": opaque} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(200) {
				if linearizable, fresh := s.run(t, seed); !linearizable || !fresh {
					t.Errorf("seed %d: linearizable %v, and what is left in the cache is right %v", seed, linearizable, fresh)
				}
			}
		})
	}
}

// TestModelFindsWhatIsMissing: a scheme with a part left out must be found out, or
// the model proves nothing.
func TestModelFindsWhatIsMissing(t *testing.T) {
	mutants := map[string]func(s *scheme){
		"begin": func(s *scheme) {
			s.begin, s.end = func(*Space, *Word) {}, func(_ *Space, w *Word) { w.Bump() }
		},
		"end": func(s *scheme) { // invalidate before the write
			s.begin, s.end = func(_ *Space, w *Word) { w.Bump() }, func(*Space, *Word) {}
		},
		"the stamp before the query":      func(s *scheme) { s.late = true },
		"the check for what is in flight": func(s *scheme) { s.stamp = stampInFlight },
		"the bump after an opaque write": func(s *scheme) {
			*s = opaque
			s.end = func(s *Space, _ *Word) { s.Global.Release() }
		},
		"the comparison of flights": func(s *scheme) { s.join, s.joinAny = true, true },
	}
	for name, leaveOut := range mutants {
		t.Run(name, func(t *testing.T) {
			s := exact
			leaveOut(&s)
			const enough, most = 3, 600
			wrong, histories := 0, uint64(0)
			for ; wrong < enough && histories < most; histories++ {
				if linearizable, _ := s.run(t, histories); !linearizable {
					wrong++
				}
			}
			t.Logf("of %d histories %d are not linearizable", histories, wrong)
			if wrong < enough {
				t.Error("that is too few: the model does not see that it is missing")
			}
		})
	}
}
