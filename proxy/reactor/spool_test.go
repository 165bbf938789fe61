package reactor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// source is a Handler that writes a stream of bytes which say where in it they are,
// until Blocked, and goes on after Drained.
type source struct {
	conn      *Conn
	piece     func() int
	left      int
	at        int
	stopped   bool
	finish    func() // when all is written
	most      atomic.Int64
	blocked   atomic.Int32
	ready     chan struct{} // closed when it has stopped for the first time, or ended
	readied   bool
	written   chan struct{} // gets one when it has written all
	unspooled chan struct{}
	ends      chan error
}

func newSource(n int, piece func() int) *source {
	return &source{left: n, piece: piece, finish: func() {}, ready: make(chan struct{}), written: make(chan struct{}, 1),
		unspooled: make(chan struct{}, 1), ends: make(chan error, 1)}
}

// nth is the byte at a place of the stream.
func nth(at int) byte { return byte(uint64(at) * 0x9e3779b97f4a7c15 >> 56) }

func fillStream(p []byte, at int) {
	for i := range p {
		p[i] = nth(at + i)
	}
}

func (s *source) isReady() {
	if !s.readied {
		s.readied = true
		close(s.ready)
	}
}

// Run writes the next piece.
func (s *source) Run() {
	if s.conn.is(stClosed | stClosing) {
		s.isReady()
		return
	}
	if s.stopped {
		return
	}
	p := make([]byte, min(s.left, s.piece()))
	fillStream(p, s.at)
	s.conn.Write(p)
	s.at, s.left = s.at+len(p), s.left-len(p)
	s.most.Store(max(s.most.Load(), int64(s.conn.Buffered())))
	if s.left == 0 {
		s.stopped = true
		s.finish()
		s.isReady()
		note(s.written, struct{}{})
		return
	}
	s.conn.Loop().Post(s)
}

func (s *source) Data([]byte) {}
func (s *source) Blocked() {
	s.blocked.Add(1)
	s.stopped = true
	s.isReady()
}
func (s *source) Drained() {
	if s.left > 0 {
		s.stopped = false
		s.conn.Loop().Post(s)
	}
}
func (s *source) Unspooled()       { note(s.unspooled, struct{}{}) }
func (s *source) Closed(err error) { s.isReady(); s.ends <- err }

// start attaches a source to the first loop, with small buffers in the kernel, and
// returns the peer.
func (s *source) start(t *testing.T, g *Group, encrypted bool) net.Conn {
	t.Helper()
	peer, nc := pair(t, "tcp")
	_ = peer.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = nc.(*net.TCPConn).SetWriteBuffer(64 << 10)
	if encrypted {
		peer, nc = encrypt(t, peer, nc, tls.VersionTLS13)
	}
	onLoop(g.Loops()[0], func() {
		var err error
		if s.conn, err = g.Loops()[0].Attach(nc, s); err != nil {
			t.Error(err)
			return
		}
		s.conn.Spool()
	})
	g.Loops()[0].Post(s)
	return peer
}

// expectStream reads the stream from a place on.
func expectStream(t *testing.T, r io.Reader, at, n int) {
	t.Helper()
	got := make([]byte, n)
	if m, err := io.ReadFull(r, got); err != nil {
		t.Fatalf("%v after %d of %d bytes", err, at+m, at+n)
	}
	for i := range got {
		if got[i] != nth(at+i) {
			t.Fatalf("byte %d is not the one that was written", at+i)
		}
	}
}

// forSpools is for what holds for all kinds of sockets.
func forSpools(t *testing.T, f func(t *testing.T, g *Group, encrypted bool)) {
	for _, encrypted := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[encrypted], func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) { f(t, g, encrypted) })
		})
	}
}

// isEmpty waits for all to be given back.
func (s *Spool) isEmpty(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		stat := s.Stat()
		if stat.Conns == 0 && stat.Memory == 0 && stat.Files == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v is kept", stat)
		}
	}
}

// TestSpool has a peer that takes nothing: what it is sent goes to a file, and nobody
// has to stop. Then it gets every byte, and all is given back.
func TestSpool(t *testing.T) {
	forSpools(t, func(t *testing.T, g *Group, encrypted bool) {
		const n = 20 << 20
		g.Spool().Limit(SpoolLimits{Memory: 1 << 20, Size: 2 * n, Directory: t.TempDir()})
		s := newSource(n, func() int { return 50000 })
		peer := s.start(t, g, encrypted)
		wait(t, s.written, "end of writing")
		stat := g.Spool().Stat()
		if stat.Conns != 1 || stat.Memory > 2<<20 || stat.Files < n/2 || stat.Total < n/2 {
			t.Errorf("%+v", stat)
		}
		expectStream(t, peer, 0, n)
		wait(t, s.unspooled, "Unspooled")
		g.Spool().isEmpty(t)
		onLoop(g.Loops()[0], func() {
			if n := s.conn.Buffered(); n != 0 || s.conn.Spooling() {
				t.Errorf("%d bytes buffered", n)
			}
			s.left, s.stopped = 1000, false
			s.Run()
		})
		expectStream(t, peer, n, 1000)
		peer.Close()
		wait(t, s.ends, "end")
	})
}

// TestSpoolIsBounded has less room than there is to be sent: the source is stopped, and
// goes on when the peer takes some.
func TestSpoolIsBounded(t *testing.T) {
	forSpools(t, func(t *testing.T, g *Group, encrypted bool) {
		for _, size := range []int64{0, 3 << 20} {
			const n = 20 << 20
			g.Spool().Limit(SpoolLimits{Memory: 1 << 20, Size: size, Directory: t.TempDir()})
			s := newSource(n, func() int { return 50000 })
			peer := s.start(t, g, encrypted)
			for at := 0; at < n; at += n / 10 {
				if at == 0 {
					wait(t, s.ready, "Blocked")
				}
				expectStream(t, peer, at, n/10)
				if stat := g.Spool().Stat(); stat.Files > size || stat.Memory > 2<<20 {
					t.Errorf("%+v with room for %d", stat, size)
				}
			}
			wait(t, s.unspooled, "Unspooled")
			if s.blocked.Load() == 0 || s.most.Load() > size+2<<20 {
				t.Errorf("%d times blocked, %d bytes kept", s.blocked.Load(), s.most.Load())
			}
			g.Spool().isEmpty(t)
			peer.Close()
			wait(t, s.ends, "end")
		}
	})
}

// TestSpoolOff keeps nothing: what is blocked is blocked.
func TestSpoolOff(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		s := newSource(8<<20, func() int { return 50000 })
		peer := s.start(t, g, false)
		wait(t, s.ready, "Blocked")
		if stat := g.Spool().Stat(); stat != (SpoolStat{}) {
			t.Errorf("%+v", stat)
		}
		expectStream(t, peer, 0, 8<<20)
		if s.blocked.Load() == 0 || s.most.Load() > 1<<20 {
			t.Errorf("%d times blocked, %d bytes kept", s.blocked.Load(), s.most.Load())
		}
		peer.Close()
		wait(t, s.ends, "end")
	})
}

// TestSpoolWithoutDirectory cannot make a file: all goes on with memory, and it is told
// once.
func TestSpoolWithoutDirectory(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		const n = 20 << 20
		var told atomic.Int32
		directory := t.TempDir() + "/none"
		g.Spool().Limit(SpoolLimits{Memory: 1 << 20, Size: n, Directory: directory, Failed: func(where string, err error) {
			if told.Add(1); where != directory || err == nil {
				t.Errorf("%s: %v", where, err)
			}
		}})
		for range 2 {
			s := newSource(n, func() int { return 50000 })
			peer := s.start(t, g, false)
			wait(t, s.ready, "Blocked")
			expectStream(t, peer, 0, n)
			wait(t, s.unspooled, "Unspooled")
			peer.Close()
			wait(t, s.ends, "end")
		}
		g.Spool().isEmpty(t)
		if told.Load() != 1 || g.Spool().Stat().Failures < 2 {
			t.Errorf("told %d times of %d failures", told.Load(), g.Spool().Stat().Failures)
		}
	})
}

// lingeringFile takes its time to close.
type lingeringFile struct {
	spoolFile
	closed *atomic.Bool
}

func (f lingeringFile) Close() error {
	for range 10000 {
		runtime.Gosched()
	}
	f.closed.Store(true)
	return f.spoolFile.Close()
}

// TestSpoolEndsWithGroup closes a group while something is kept in a file: it is closed
// then.
func TestSpoolEndsWithGroup(t *testing.T) {
	g, err := New(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	var closed atomic.Bool
	g.spool.open = func(directory string) (spoolFile, error) {
		f, err := openSpoolFile(directory)
		return lingeringFile{f, &closed}, err
	}
	g.Spool().Limit(SpoolLimits{Memory: 1 << 20, Size: 40 << 20, Directory: t.TempDir()})
	s := newSource(20<<20, func() int { return 50000 })
	defer s.start(t, g, false).Close()
	wait(t, s.written, "end of writing")
	g.Close()
	if stat := g.Spool().Stat(); stat.Conns != 0 || stat.Files != 0 || !closed.Load() {
		t.Errorf("%+v is kept; closed: %t", stat, closed.Load())
	}
}

// spoolWorld makes files that are slow and fail, as its seed says.
type spoolWorld struct {
	seed           uint64
	n              atomic.Uint64
	writes, reads  int // of 100 fail
	opened, closed atomic.Int32
}

var errBadFile = errors.New("bad file")

// chance returns a number below n. It takes its time.
func (w *spoolWorld) chance(n int) int {
	rng := rand.New(rand.NewPCG(w.seed, w.n.Add(1)))
	for range rng.IntN(30) {
		runtime.Gosched()
	}
	return rng.IntN(n)
}

func (w *spoolWorld) open(directory string) (spoolFile, error) {
	if w.chance(100) < w.writes {
		return nil, errBadFile
	}
	f, err := openSpoolFile(directory)
	w.opened.Add(1)
	return &worldFile{f, w}, err
}

type worldFile struct {
	spoolFile
	world *spoolWorld
}

func (f *worldFile) WriteAt(p []byte, at int64) (int, error) {
	if f.world.chance(100) < f.world.writes {
		n, _ := f.spoolFile.WriteAt(p[:len(p)/2], at)
		return n, errBadFile
	}
	return f.spoolFile.WriteAt(p, at)
}

func (f *worldFile) ReadAt(p []byte, at int64) (int, error) {
	if f.world.chance(100) < f.world.reads {
		return 0, errBadFile
	}
	return f.spoolFile.ReadAt(p, at)
}

func (f *worldFile) Close() error {
	f.world.closed.Add(1)
	return f.spoolFile.Close()
}

// TestSpoolRandom lets chance choose limits, pieces, how peers read, what files do, and
// how it ends. What a peer reads is what was written; all of it, unless something was
// closed or a file could not be read; nothing is left.
func TestSpoolRandom(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 15
	}
	for seed := range uint64(seeds) {
		for _, portable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%t", seed, portable), func(t *testing.T) { runSpoolWorld(t, seed, portable) })
		}
	}
}

func runSpoolWorld(t *testing.T, seed uint64, portable bool) {
	before := takeStock(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &spoolWorld{seed: seed, writes: rng.IntN(3) * 4, reads: rng.IntN(3) / 2}
	g, err := New(Config{Loops: 2, Portable: portable})
	if err != nil {
		t.Fatal(err)
	}
	g.spool.open, g.spool.chunk = w.open, 1+rng.IntN(64<<10)
	g.spool.Limit(SpoolLimits{Memory: int64(1 + rng.IntN(200<<10)), Size: int64(rng.IntN(2 << 20)), Directory: t.TempDir()})
	var peers []func()
	for range 1 + rng.IntN(4) {
		peers = append(peers, w.client(t, g, rand.New(rand.NewPCG(seed, rng.Uint64()))))
	}
	done := make(chan struct{}, len(peers))
	for _, p := range peers {
		go func() { p(); done <- struct{}{} }()
	}
	closes := rng.IntN(6) == 0
	if closes {
		w.close(t, g)
	}
	for range peers {
		wait(t, done, "end of a client")
	}
	if !closes {
		g.spool.isEmpty(t)
		w.close(t, g)
	}
	before.compare(t)
}

// close ends the group, which leaves nothing.
func (w *spoolWorld) close(t *testing.T, g *Group) {
	t.Helper()
	g.Close()
	if s := g.spool.Stat(); s.Conns != 0 || s.Memory != 0 || s.Files != 0 || w.opened.Load() != w.closed.Load() {
		t.Errorf("%+v is kept; %d files opened, %d closed", s, w.opened.Load(), w.closed.Load())
	}
}

// client makes a source and returns what its peer does.
func (w *spoolWorld) client(t *testing.T, g *Group, rng *rand.Rand) func() {
	n, most := rng.IntN(3<<20), 1+rng.IntN(100<<10)
	pieces := rand.New(rand.NewPCG(rng.Uint64(), 2))
	s := newSource(n, func() int { return 1 + pieces.IntN(most) })
	whole := true
	switch rng.IntN(5) {
	case 0: // the source closes, at once
		whole = false
		at := rng.IntN(n + 1)
		s.piece = func() int {
			if s.at >= at {
				s.conn.Close()
			}
			return 1 + pieces.IntN(most)
		}
	default:
		s.finish = func() { s.conn.CloseAfterFlush() }
	}
	leaves := -1
	if rng.IntN(4) == 0 {
		leaves = rng.IntN(n + 1)
	}
	peer := s.start(t, g, rng.IntN(3) == 0)
	late, bite := rng.IntN(3) > 0, 1+rng.IntN(300<<10)
	return func() {
		defer peer.Close()
		if late {
			select {
			case <-s.ready:
			case <-g.closing:
			}
		}
		at, p := 0, make([]byte, bite)
		for {
			if leaves >= 0 && at >= leaves {
				return
			}
			m, err := peer.Read(p[:1+rng.IntN(bite)])
			for i := range m {
				if p[i] != nth(at+i) {
					t.Errorf("byte %d of %d is not the one that was written", at+i, n)
					return
				}
			}
			if at += m; err == nil {
				continue
			}
			select {
			case <-g.closing:
				return
			case err := <-s.ends:
				if w.reads == 0 || !errors.Is(err, errBadFile) {
					t.Errorf("closed with %v", err)
				}
				return
			default:
			}
			if whole && at < n && w.reads == 0 {
				t.Errorf("%v after %d of %d bytes", err, at, n)
			}
			return
		}
	}
}
