package monitor

import (
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/cpu"
)

// Recorder has what one event loop has counted. Its methods and those of its
// Traffics are for the goroutine of that loop only.
type Recorder struct {
	pairs *boundedPairs // shared by all recorders; locks

	statements counter // bytes; a gauge
	named      counter // statements; a gauge
	spans      spans

	mu        sync.Mutex
	traffics  map[who]*Traffic      // guarded by mu; never shrinks
	databases map[string]*dbTraffic // guarded by mu; never shrinks
}

func newRecorder(pairs *boundedPairs, started time.Time) *Recorder {
	return &Recorder{
		pairs:     pairs,
		spans:     spans{started: started, pinned: make(map[string]span)},
		traffics:  make(map[who]*Traffic),
		databases: make(map[string]*dbTraffic),
	}
}

// Traffic returns the counters of a database and a user on this loop. It locks
// and may allocate: a session asks once, at login.
func (r *Recorder) Traffic(database, user string) *Traffic {
	w := r.pairs.admit(database, user)
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.traffics[w]; t != nil {
		return t
	}
	d := r.databases[w.database]
	if d == nil {
		d = &dbTraffic{name: w.database}
		r.databases[w.database] = d
	}
	t := &Traffic{who: w, database: d}
	r.traffics[w] = t
	return t
}

// HoldStatements notes that sessions have so many prepared statements more, or less, and
// that these take so many bytes.
func (r *Recorder) HoldStatements(n, bytes int64) {
	r.named.add(uint64(n))
	r.statements.add(uint64(bytes))
}

// contents returns what a scrape reads. Any goroutine may call it.
func (r *Recorder) contents() ([]*Traffic, []*dbTraffic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.traffics)), slices.Collect(maps.Values(r.databases))
}

// The places of a Traffic's counters.
const (
	cellQueries        = 0
	cellClients        = cellQueries + seriesCount
	cellTransactions   = cellClients + int(clientStateCount)
	cellWaitTimeouts   = cellTransactions + int(transactionResultCount)
	cellClientReceived = cellWaitTimeouts + 1
	cellClientSent     = cellClientReceived + 1
	cellServerReceived = cellClientSent + 1
	cellServerSent     = cellServerReceived + 1
	cellLogins         = cellServerSent + 1
	cellClientParses   = cellLogins + 1
	cellServerParses   = cellClientParses + 1
	cellBinds          = cellServerParses + 1
	cellPreparedHits   = cellBinds + 1
	cellPreparedMisses = cellPreparedHits + 1
	cellPreparedDrops  = cellPreparedMisses + 1
	cellBlocks         = cellPreparedDrops + 1
	cellBlockExchanges = cellBlocks + 1
	cellBlockNS        = cellBlockExchanges + 1
	cellBlockIdleNS    = cellBlockNS + 1
	cellLongLocks      = cellBlockIdleNS + 1
	cellLongLockNS     = cellLongLocks + 1
	trafficCells       = cellLongLockNS + 1
)

// Traffic is what the clients of one loop do as one user in one database.
type Traffic struct {
	who      who        // immutable
	database *dbTraffic // immutable

	_     cpu.CacheLinePad
	cells [trafficCells]counter
	wait  histogramSlot
	held  histogramSlot
	_     cpu.CacheLinePad
}

// The places of a dbTraffic's histograms.
const (
	slotDuration    = 0
	slotBackend     = slotDuration + seriesCount
	slotOverhead    = slotBackend + 1
	slotTransaction = slotOverhead + 1
	databaseSlots   = slotTransaction + 1
)

// dbTraffic is what the users of one database share on one loop.
type dbTraffic struct {
	name string // immutable

	_          cpu.CacheLinePad
	errors     [classCount]counter
	rows       [commandCount]counter
	histograms [databaseSlots]histogramSlot
	_          cpu.CacheLinePad
}

// Exchange counts an exchange that has ended, well or not.
func (t *Traffic) Exchange(s *Sample) {
	kind, d := series(s.Command, s.Source), t.database
	t.cells[cellQueries+kind].add(1)
	d.histograms[slotDuration+kind].observe(s.Duration)
	if s.Backend > 0 {
		d.histograms[slotBackend].observe(s.Backend)
	}
	if s.Backend > 0 || s.Source != SourceBackend {
		d.histograms[slotOverhead].observe(s.overhead())
	}
	if s.Rows > 0 {
		d.rows[s.Command].add(s.Rows)
	}
	if s.Wait > 0 {
		t.wait.observe(s.Wait)
	}
	if s.Code != [2]byte{} {
		d.errors[classIndex(s.Code)].add(1)
	}
}

// Transfer counts bytes that have gone through.
func (t *Traffic) Transfer(b *Bytes) {
	t.count(cellClientReceived, b.ClientReceived)
	t.count(cellClientSent, b.ClientSent)
	t.count(cellServerReceived, b.ServerReceived)
	t.count(cellServerSent, b.ServerSent)
}

func (t *Traffic) count(cell int, n uint64) {
	if n > 0 {
		t.cells[cell].add(n)
	}
}

// Transaction counts a transaction that has ended after so many nanoseconds,
// also one that had no BEGIN and was one exchange.
func (t *Traffic) Transaction(result TransactionResult, duration int64) {
	t.cells[cellTransactions+int(result)].add(1)
	t.database.histograms[slotTransaction].observe(duration)
}

// Block counts a transaction of several exchanges: for how many nanoseconds it was open,
// and for how many of them an exchange was under way.
func (t *Traffic) Block(exchanges, duration, work int64) {
	t.cells[cellBlocks].add(1)
	t.cells[cellBlockExchanges].add(uint64(exchanges))
	t.cells[cellBlockNS].add(uint64(max(duration, 0)))
	t.cells[cellBlockIdleNS].add(uint64(max(duration-work, 0)))
}

// LockedLong notes that a session had advisory locks for many nanoseconds.
func (t *Traffic) LockedLong(ns int64) {
	t.cells[cellLongLocks].add(1)
	t.cells[cellLongLockNS].add(uint64(ns))
}

// LoggedIn counts a client that has logged in.
func (t *Traffic) LoggedIn() { t.cells[cellLogins].add(1) }

// Parsed counts a client's Parse message.
func (t *Traffic) Parsed() { t.cells[cellClientParses].add(1) }

// ParsedThere counts a Parse message that was sent to PostgreSQL for a client.
func (t *Traffic) ParsedThere() { t.cells[cellServerParses].add(1) }

// Bound counts a client's Bind message.
func (t *Traffic) Bound() { t.cells[cellBinds].add(1) }

// FoundPrepared notes that a statement which a client has prepared was on its backend
// already, or was not.
func (t *Traffic) FoundPrepared(there bool) {
	if there {
		t.cells[cellPreparedHits].add(1)
	} else {
		t.cells[cellPreparedMisses].add(1)
	}
}

// DroppedPrepared counts a prepared statement that had to make room on a backend.
func (t *Traffic) DroppedPrepared() { t.cells[cellPreparedDrops].add(1) }

// Held notes for how many nanoseconds a session has had a backend.
func (t *Traffic) Held(ns int64) { t.held.observe(ns) }

// Waited notes a wait for a backend that belongs to no exchange: for a login.
func (t *Traffic) Waited(ns int64) { t.wait.observe(ns) }

// WaitTimedOut counts a client that waited in vain for a backend.
func (t *Traffic) WaitTimedOut() { t.cells[cellWaitTimeouts].add(1) }

// Move notes that a client went from one state to another: from ClientGone
// when it has logged in, to ClientGone when it ends. The sum over all states
// is always 0, so the idle ones, which are the most, need not be counted: an
// exchange costs two stores instead of four.
func (t *Traffic) Move(from, to ClientState) {
	if from != ClientIdle {
		t.cells[cellClients+int(from)].sub(1)
	}
	if to != ClientIdle {
		t.cells[cellClients+int(to)].add(1)
	}
}
