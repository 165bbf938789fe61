package reactor

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// Spool keeps what the peers of a group's Conns do not take, for those that ask for it
// (Conn.Spool): some of it in memory, the rest in temporary files. It may be used on any
// goroutine. No loop waits for a disk: reads and writes are done by goroutines of the
// Spool, of which there are some only while there is something to do.
type Spool struct {
	limits atomic.Pointer[SpoolLimits]
	open   func(directory string) (spoolFile, error)
	chunk  int // bytes of one read or write

	conns, memory, files atomic.Int64 // what there is
	total, failures      atomic.Uint64
	failing              atomic.Bool // the last write has failed

	mu      sync.Mutex
	jobs    []spoolJob // guarded by mu
	workers int        // guarded by mu
	working sync.WaitGroup
}

// SpoolLimits says how much is kept, and where. New ones hold for Conns whose peer
// stops taking later.
type SpoolLimits struct {
	Memory    int64  // bytes for each Conn before a file is used; 0: nothing is kept
	Size      int64  // bytes of all files
	Directory string // of the files; empty: the system's for temporary files
	// Failed is told of a write that failed, unless the one before has failed too, and
	// of each read, which ends a connection. It is called on any goroutine.
	Failed func(directory string, err error)
}

// SpoolStat is what a Spool has, and what became of it so far.
type SpoolStat struct {
	Conns, Memory, Files int64
	Total                uint64 // bytes that were kept
	Failures             uint64 // of files
}

// spoolFile is a file without a name: it goes when it is closed.
type spoolFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

const (
	spoolChunk = 256 << 10
	// spoolWorkers bounds how many goroutines wait for disks.
	spoolWorkers = 8
)

func newSpool() *Spool {
	s := &Spool{open: openSpoolFile, chunk: spoolChunk}
	s.Limit(SpoolLimits{})
	return s
}

// openSpoolFile makes a file that nobody else can open, and that is gone after a crash.
func openSpoolFile(directory string) (spoolFile, error) {
	f, err := os.CreateTemp(directory, "pgjay-spool-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Limit sets the limits.
func (s *Spool) Limit(limits SpoolLimits) { s.limits.Store(&limits) }

// Stat returns what there is.
func (s *Spool) Stat() SpoolStat {
	return SpoolStat{
		Conns: s.conns.Load(), Memory: s.memory.Load(), Files: s.files.Load(),
		Total: s.total.Load(), Failures: s.failures.Load(),
	}
}

// reserve takes room for another chunk in a file.
func (s *Spool) reserve(size int64) bool {
	if s.files.Add(int64(s.chunk)) <= size {
		return true
	}
	s.files.Add(-int64(s.chunk))
	return false
}

// spoolJob is something that may block.
type spoolJob interface{ work() }

// submit has a job done soon.
func (s *Spool) submit(j spoolJob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, j)
	if s.workers < spoolWorkers {
		s.workers++
		s.working.Go(s.work)
	}
}

func (s *Spool) work() {
	for {
		j := s.next()
		if j == nil {
			return
		}
		j.work()
	}
}

// next takes a job from the queue; without one the worker ends.
func (s *Spool) next() spoolJob {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) == 0 {
		s.workers--
		return nil
	}
	j := s.jobs[0]
	s.jobs[0] = nil
	s.jobs = s.jobs[1:]
	return j
}

// slotFile is the file of one Conn, which is divided into slots of a chunk each.
type slotFile struct {
	spool  *Spool
	limits *SpoolLimits

	// owned by the loop of the Conn
	slots int
	free  []int

	file spoolFile // nil until the first write, which is alone

	mu   sync.Mutex
	busy int  // guarded by mu: reads and writes that are under way
	gone bool // guarded by mu: nobody needs it any more
}

// begin notes that a read or write is under way.
func (f *slotFile) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy++
}

// end notes that it is over.
func (f *slotFile) end() {
	f.mu.Lock()
	f.busy--
	last := f.gone && f.busy == 0
	f.mu.Unlock()
	if last {
		f.work()
	}
}

// drop has the file closed when nothing is under way.
func (f *slotFile) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone = true; f.busy == 0 {
		f.spool.submit(f)
	}
}

// work closes the file: that a large one goes may take time.
func (f *slotFile) work() {
	if f.file != nil {
		_ = f.file.Close()
	}
	f.spool.files.Add(-int64(f.slots * f.spool.chunk))
}

// slotJob reads or writes a slot, and comes back to the loop.
type slotJob struct {
	backlog *backlog
	conn    *Conn
	file    *slotFile
	slot    int
	p       []byte
	reads   bool
	err     error
}

func (j *slotJob) work() {
	f, s := j.file, j.file.spool
	at := int64(j.slot) * int64(s.chunk)
	switch {
	case j.reads:
		_, j.err = f.file.ReadAt(j.p, at)
	case f.file == nil:
		if f.file, j.err = s.open(f.limits.Directory); j.err != nil {
			f.file = nil
			break
		}
		_, j.err = f.file.WriteAt(j.p, at)
	default:
		_, j.err = f.file.WriteAt(j.p, at)
	}
	s.judge(j)
	f.end()
	j.conn.loop.Load().Post(j)
}

// judge counts and tells what has failed.
func (s *Spool) judge(j *slotJob) {
	if j.err == nil {
		if !j.reads {
			s.failing.Store(false)
		}
		return
	}
	s.failures.Add(1)
	again := !j.reads && s.failing.Swap(true)
	if tell := j.file.limits.Failed; tell != nil && !again {
		tell(j.file.directory(), j.err)
	}
}

func (f *slotFile) directory() string {
	if f.limits.Directory == "" {
		return os.TempDir()
	}
	return f.limits.Directory
}
