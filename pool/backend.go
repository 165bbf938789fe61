package pool

import (
	"sync/atomic"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// Conn is a backend's socket: a *reactor.Conn, or the simulator's.
type Conn interface {
	Write(p []byte)
	Flush()
	Pause()
	Resume()
	Close()
	Buffered() int
	Move(to *reactor.Loop)
}

// Lessee is the session that holds or waits for a backend. All calls come on
// its loop.
type Lessee interface {
	// Leased hands over the backend that was waited for.
	Leased(b *Backend)
	// LeaseFailed ends the wait without a backend.
	LeaseFailed(err error)
	// BackendData has bytes from the leased backend, valid until it returns.
	BackendData(p []byte)
	// BackendBlocked says that the backend does not take what is sent to it.
	BackendBlocked()
	// BackendDrained says that it has taken all of it since.
	BackendDrained()
	// BackendClosed says that the backend is gone, and with it the lease.
	BackendClosed(err error)
}

// Backend is one connection to PostgreSQL. It is owned by its lessee while
// leased and by the pool otherwise. It is the handler of its socket.
type Backend struct {
	// Set at login, not changed afterwards.

	PID       uint32
	Secret    []byte // the cancel key
	Pool      *Pool
	CreatedAt int64 // in the time of Options.Now
	conn      Conn
	login     *Login
	dedicated bool   // outside the pool: Release closes it
	listening bool   // a Listener's
	renewal   uint32 // the pool's renewals when the login began

	// Owned by the lessee while leased, otherwise by the pool.

	Label  Label
	Params Params
	// UnnamedOwner says whose unnamed prepared statement the backend has. It
	// is the sessions' affair.
	UnnamedOwner uint64
	// Statements are the named prepared statements.
	Statements Statements
	// Exposed says whose prepared statements the backend has under a client's
	// names. It is the sessions' affair.
	Exposed Exposure
	// LastSession is the last session that may have called nextval or setval here;
	// 0: none has, since these were forgotten. It is the sessions' affair.
	LastSession uint64

	// Owned by the loop of the socket.

	lessee  Lessee // nil while not leased
	partial []byte // of a message that came while not leased
	pinged  bool   // a ReadyForQuery is expected

	place atomic.Uint32 // state and loop; written under Pool.mu
	guarded
}

// guarded is what Pool.mu guards of a backend.
type guarded struct {
	loop       *reactor.Loop
	index      int         // in Pool.all
	since      int64       // idle or being checked, as of Set.clock
	expires    int64       // when it is to be replaced; 0: never
	retired    bool        // to be closed when it comes free
	pinging    bool        // the reply to a ping is expected
	counted    bool        // that is one of dialing.pings
	farewell   *wire.Error // what it has said before it ends; nil: nothing
	ending     bool        // endEvent is posted
	reason     string
	next, prev *Backend // in its idle stack
	residents  []*Residence
	reserved   *Waiter // that it is checked for
}

// Exposure says whose prepared statements a backend has beside its Statements.
// The zero value: nobody's.
type Exposure struct {
	Owner   uint64
	Version uint64 // how often the owner's statements had changed
}

// Conn returns the socket. Only the owner of the backend may use it.
func (b *Backend) Conn() Conn { return b.conn }

// Dedicated reports whether the backend was made by DialDedicated: it belongs
// to one session, and Release closes it.
func (b *Backend) Dedicated() bool { return b.dedicated }

// Server returns the address of the server that the backend is connected to.
func (b *Backend) Server() string { return b.login.Server }

// Data passes bytes on to the lessee, or handles them itself.
func (b *Backend) Data(p []byte) {
	if b.lessee != nil {
		b.lessee.BackendData(p)
		return
	}
	b.unleasedData(p)
}

// Blocked passes the event on.
func (b *Backend) Blocked() {
	if b.lessee != nil {
		b.lessee.BackendBlocked()
	}
}

// Drained passes the event on.
func (b *Backend) Drained() {
	if b.lessee != nil {
		b.lessee.BackendDrained()
	}
}

// Closed notes that the socket is gone and tells the lessee.
func (b *Backend) Closed(err error) {
	lessee := b.lessee
	b.lessee = nil
	if b.drop(reasonServer) {
		b.gone(reasonServer)
	}
	if lessee != nil {
		lessee.BackendClosed(err)
	}
}
