package proxy

import (
	"container/heap"
	"context"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/pgjay/pgjay/cache"
)

// Statements of the configuration are executed before anybody asks for their answers: at
// the start, and when what they read has changed or their time is nearly up. The most
// urgent goes first, a few at a time.

const (
	// warmLook is how often it is looked which answers are not there any more.
	warmLook = 250 * time.Millisecond
	// warmClients is how many statements are executed at the same time.
	warmClients = 2
	// warmTimeout bounds one.
	warmTimeout = time.Minute
	// A statement is not executed again before it has rested: for at least minRest, and
	// restShare times what it took. Where its answer is not kept it rests longer each
	// time, up to maxRest.
	minRest   = time.Second
	maxRest   = time.Minute
	firstRest = 100 * time.Millisecond
	restShare = 10
	// warmEarly is the part of the answer's life, at its end, in which it is replaced.
	warmEarly = 10
)

// warmed is a statement that is kept warm.
type warmed struct {
	cache.Warm
	request []byte

	// guarded by warmer.mu
	entry  *cache.Entry // the answer; nil: there is none
	after  time.Time    // it rests until then
	rest   time.Duration
	queued bool // or being executed
}

// warmer keeps the statements of the configuration warm.
type warmer struct {
	srv *Server

	mu     sync.Mutex
	given  []cache.Warm // guarded by mu; that all are of
	all    []*warmed    // guarded by mu
	queue  warmQueue    // guarded by mu
	filled sync.Cond    // the queue has more, or it is over
	over   bool         // guarded by mu
}

// warmQueue is a heap with the most urgent statement at the top.
type warmQueue []*warmed

func (q warmQueue) Len() int           { return len(q) }
func (q warmQueue) Less(i, j int) bool { return q[i].Priority > q[j].Priority }
func (q warmQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *warmQueue) Push(x any) { *q = append(*q, x.(*warmed)) }

// Pop is for container/heap.
func (q *warmQueue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	*q = (*q)[:last]
	return w
}

// warm runs until ctx ends.
func (srv *Server) warm(ctx context.Context) {
	w := &warmer{srv: srv}
	w.filled.L = &w.mu
	var working sync.WaitGroup
	for range warmClients {
		working.Go(func() { w.work(ctx) })
	}
	for ticker := time.NewTicker(warmLook); ; {
		w.look(time.Now())
		select {
		case <-ticker.C:
			continue
		case <-ctx.Done():
		}
		ticker.Stop()
		break
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.filled.Broadcast()
	working.Wait()
}

// look queues the statements whose answers are not there, or not for long.
func (w *warmer) look(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.configure()
	clock := w.srv.stations[0].loop.Clock()
	for _, st := range w.all {
		if st.queued || now.Before(st.after) || st.entry.FreshFor(clock, warmEarly) {
			continue
		}
		st.queued = true
		heap.Push(&w.queue, st)
		w.filled.Signal()
	}
}

// configure takes the configuration as it is now. The caller holds mu.
func (w *warmer) configure() {
	given := w.srv.databases.cache.Warm()
	if reflect.DeepEqual(given, w.given) {
		return
	}
	w.given, w.all, w.queue = given, nil, nil
	for _, one := range given {
		request, err := warmRequest(&one)
		if err != nil {
			w.srv.log.Error("cannot keep a statement warm", "statement", one.Text, "error", err)
			continue
		}
		w.all = append(w.all, &warmed{Warm: one, request: request})
	}
}

// next returns the most urgent statement, when there is one; nil when it is over.
func (w *warmer) next() *warmed {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.over {
		w.filled.Wait()
	}
	if w.over {
		return nil
	}
	return heap.Pop(&w.queue).(*warmed)
}

// work executes what is due. It has a session for each that clients would have.
func (w *warmer) work(ctx context.Context) {
	clients := make(map[string]*warmClient)
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	for st := w.next(); st != nil; st = w.next() {
		began := time.Now()
		entry, err := w.execute(ctx, clients, st)
		w.done(st, entry, err, time.Since(began))
	}
}

func (w *warmer) execute(ctx context.Context, clients map[string]*warmClient, st *warmed) (*cache.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, warmTimeout)
	defer cancel()
	as := strings.Join(append([]string{st.User, st.Database}, st.Settings...), "\x00")
	c := clients[as]
	if c == nil {
		var err error
		if c, err = w.srv.connectWarm(ctx, &st.Warm); err != nil {
			return nil, err
		}
		clients[as] = c
	}
	entry, err := c.ask(ctx, st.request)
	if err != nil { // perhaps the session's end, of which nobody hears otherwise
		c.close()
		delete(clients, as)
	}
	return entry, err
}

// done notes what became of a statement, and when it may be executed again.
func (w *warmer) done(st *warmed, entry *cache.Entry, err error, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	st.queued, st.entry = false, entry
	result := cache.WarmKept
	switch {
	case err != nil:
		result = cache.WarmFailed
		w.srv.log.Debug("a statement that is to be warm failed", "statement", st.Text, "user", st.User, "database", st.Database, "error", err)
	case entry == nil:
		result = cache.WarmRefused
	}
	w.srv.databases.cache.CountWarm(result)
	if result == cache.WarmKept {
		st.rest = 0
		st.after = time.Now().Add(max(minRest, restShare*took))
		return
	}
	st.rest = min(max(2*st.rest, firstRest), maxRest)
	st.after = time.Now().Add(max(st.rest, restShare*took))
}
