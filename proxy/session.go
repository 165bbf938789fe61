package proxy

import (
	"sync/atomic"
	"unique"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// clientConn is the client's socket: a *reactor.Conn, or the simulator's.
type clientConn interface {
	Write(p []byte)
	Buffered() int
	Pause()
	Resume()
	CloseAfterFlush()
	Move(to *reactor.Loop)
	Spool()
	Spooling() bool
}

// sessionState is where a client is between accept and close.
type sessionState uint8

const (
	stateStartup  sessionState = iota // waiting for a start-up packet
	stateTLS                          // a goroutine shakes hands
	stateAuth                         // the client proves who it is
	stateGreeting                     // waiting for a backend to know what to greet the client with
	stateReady                        // between start-up and Terminate
	stateTunnel                       // a replication connection: bytes go through untouched
	stateConsole                      // a client of the console, which needs no backend
	stateLeaving                      // the client is gone, its backend is being cleaned up
	stateClosed                       // terminal
)

// transitions lists where each state may go.
var transitions = [...][]sessionState{
	stateStartup:  {stateTLS, stateAuth, stateGreeting, stateClosed},
	stateTLS:      {stateStartup, stateClosed},
	stateAuth:     {stateGreeting, stateConsole, stateClosed},
	stateGreeting: {stateReady, stateTunnel, stateLeaving, stateClosed},
	stateReady:    {stateLeaving, stateClosed},
	stateTunnel:   {stateClosed},
	stateConsole:  {stateClosed},
	stateLeaving:  {stateClosed},
}

// session is one client from accept to close: a state machine without I/O.
// Everything in it but home is owned by its loop.
type session struct {
	*station                         // what the sessions of one loop share
	home     atomic.Pointer[station] // the same, for other goroutines
	moving   atomic.Bool             // it has not arrived there yet

	id     uint32 // in the log
	state  sessionState
	gone   bool // the client's socket is closed or about to be
	client clientSide
	back   backendSide
	queue  expectations
	tx     transaction
	clock  deadlines
	sample exchangeSample
	meter  meter

	login   *login // until stateReady
	origin  *origin
	who     identity
	waiter  pool.Waiter
	traffic *monitor.Traffic
	cancel  cancelState
	retries retries // of the exchange that is under way
	loss    *loss   // whose consequences are not known yet; nil: none
	yields  yielding
	begin   heldBegin
	listen  *listening // nil: it does not listen
	fill    *fill      // nil: no answer is to be kept
	page    *deepPage  // nil: no deep page is under way
	again   bool       // the next statement was a page that was not let out
	joined  joined
	rewriteSide
	streak  streak
	portals portals
	console *console    // nil: it has a pool
	warming *warmClient // nil: its client is elsewhere
	// own is set when no other session will ever have the backend: in session
	// mode, or with one outside the pool.
	own bool
}

// identity is who the client is to its backends.
type identity struct {
	pool *pool.Pool
	// database and signature are for the cache; nil: nothing is cached.
	database  *database
	signature *signature
	owner     *digest.Owner // nil: statements are not observed
	doors     *doors
	startup   pool.Label // the start-up parameters: what RESET goes back to
	label     pool.Label // the settings that a backend must have for it
	// scope is of the label what plans depend on.
	scope unique.Handle[string]
	understanding
	timed bool // it has a statement_timeout of its own
	// idles is set when it has an idle_in_transaction_session_timeout of its own.
	idles bool
	// standard is set when standard_conforming_strings is on.
	standard bool
	plainness
	// perishable is label.Perishable: nothing is sent to a backend before it
	// has got the label.
	perishable bool
	params     pool.Params // the parameter values the client was last told
	pid        uint32      // the process ID that the client is told
	secret     string      // of the client's cancel key
	residence  pool.Residence
	// always is a reason to pin that holds whatever a statement says.
	always sqlparse.Reason
	// temporary is set when new objects are temporary whatever a statement says.
	temporary bool
	// sticky is label.Sticks: its backend is its own.
	sticky bool
	// hadTemporary is set when the session was found to have temporary objects.
	hadTemporary bool
	// loads is set when the session may have loaded a library into some backend.
	loads bool
	// counted is set when PostgreSQL has counted a login of the session's own.
	counted bool
	token   uint64 // no other session has the same
}

// clientSide is the stream of frontend messages.
type clientSide struct {
	conn clientConn
	// in holds bytes that could not be used yet: an incomplete frame, or what
	// came while the session waited. It is nil for an idle client.
	in []byte
	// rest is how many bytes of the current frame are still to come; they
	// are forwarded, or dropped with restDropped.
	rest        int
	restDropped bool
	restCopy    bool // it is a CopyData
	paused      pauseReason
	consuming   bool // consume is at work: nobody else may use in
	// skipping is set after an error in the extended protocol until the
	// client's next Sync.
	skipping bool
	// polite is set by Terminate: what was sent before it is to be finished.
	polite bool
	// ended is set when the client has closed its half of the connection.
	ended bool
	// cut is set when that was in the midst of a copy, of which the backend was told;
	// lostSync when the client was told what came of it.
	cut, lostSync bool
	// nulls is set when it has prepared a statement with Class.Nulls.
	nulls      bool
	statements statements
	// resets has the portals that undo start-up settings; nil for nearly every
	// client.
	resets map[string][]pool.Setting
}

// backendSide is the lease and the stream of backend messages.
type backendSide struct {
	lease   *pool.Backend // nil: none
	since   int64         // when it came, in the loop's time
	waiting bool          // the pool has our waiter
	dialing bool          // a backend of the session's own is on its way
	// in holds an incomplete frame that must be understood.
	in []byte
	// rest is how many bytes of the current frame are still to come.
	rest       int
	restAction action
	paused     pauseReason
	status     byte // transaction status as last reported
	// fatal is the FATAL error that the backend said before it closes.
	fatal *wire.Error
	// broken is set when the backend cannot be used any more, by a violation
	// of the protocol or a change of label that failed.
	broken bool
	// sent has the client's messages of this lease as long as PostgreSQL has not
	// replied, for another try elsewhere. nil when that is not possible any more.
	sent   []byte
	told   int    // bytes of sent to which the client has a reply that was made here
	effect effect // of what sent has
	// labelling is set while the replies to a change of label are expected.
	labelling bool
	// cleaning is set while the replies to what cleans the backend up are
	// expected.
	cleaning  bool
	discarded bool // a DISCARD ALL was among it
	// tuned is set when the backend listens to the session's channels.
	tuned bool
	// loads are the shared statements that are being prepared.
	loads loads
	// describing are the statements that are being described for us, oldest first.
	describing []describing
	// meanings are those that are being asked for, oldest first.
	meanings []unique.Handle[string]
	// refusals are what the client is to get of what stands for its messages, oldest
	// first.
	refusals []refusal
	// strays are statements that nobody means any more: they are to be closed.
	strays []string
	spares []spare // that are being closed, oldest first
	// skipped are the spares of the exchange that has failed last.
	skipped []spare
	exposing
	// healing is set while the rest of an exchange comes that is to run again, on
	// a new backend if moving is set.
	healing bool
	moving  bool
	// past is set when an exchange has ended on this lease.
	past bool
	// question is what the backend was asked; nil: nothing.
	question *question
	// hurried is how often the last one was canceled, and denied is set when the client
	// had no right to it.
	hurried int
	denied  bool
	// fence is set when it is not known whether another ReadyForQuery will
	// come.
	fence bool
	used  bool // something of the client's was sent on this lease
	begun bool // some of the reply at the head of the queue has come
	// executed is set when a statement was, since the last ReadyForQuery.
	executed bool
	relabels bool           // it lacks some of the session's settings
	reapply  []pool.Setting // start-up settings that a RESET under way undoes
	deferred bool           // it waits for a cancel request that is on its way
	undone   bool           // a DISCARD ALL did it, which no error takes back
	torn     bool           // relay is at work and began in the middle of a frame
}

// transaction is what release depends on.
type transaction struct {
	pins     sqlparse.Reasons // none: not pinned
	left     leftover
	pin      sqlparse.Reason // the one of pins that is told
	pinText  string          // the beginning of the statement to blame
	pinnedAt int64
	unsynced bool // extended messages were sent since the last Sync
	bound    bool // a Bind or Execute was among them
	ends     bool // and one of what may end the transaction
	batch    uint64
	// tries is set while a SET is under way that is all there is of ReasonAnySetting:
	// if it fails nothing was set.
	tries bool
	// spared is set when a Parse of the exchange was not sent.
	spared bool
	// copies is set when something is under way that may read copy data: then
	// PostgreSQL must get every message, as each is an error.
	copies bool
	// drops is set when something is under way that may drop prepared statements.
	drops  bool
	spares []spare // since the last Sync
	began  int64
	// exchanges have ended in the transaction; work is their time in ns.
	exchanges, work int64
	// defined is set when a function may have been created or changed.
	defined bool
	// opened is set when code may be reached by new names, feared when a backend cannot
	// be asked for what that may leave: doors.go.
	opened, feared bool
	// discard is set by a DISCARD ALL that is under way: when it succeeds the
	// pin ends.
	discard bool
	// outlasts is set when something was left that DISCARD ALL leaves too.
	outlasts bool
	copyIn   copyState
	bracket  bracket
	// reads is set while the transaction is READ COMMITTED and has done nothing but
	// read.
	reads bool
	// tame is set while the transaction is READ COMMITTED and has changed nothing but
	// rows.
	tame bool
	// sets is set when the transaction has changed a setting, which may end with it.
	sets bool
}

// copyState is how far the backend is with reading copy data.
type copyState struct {
	active bool
	// ambiguous is set when a Sync was sent that the backend answers only if
	// the copy had failed before.
	ambiguous bool
}

// pauseReason is a set of reasons not to read a socket.
type pauseReason uint8

const (
	pausedWaiting pauseReason = 1 << iota // for a backend, or a goroutine
	pausedClient                          // the client does not take what is sent to it
	pausedBackend                         // the backend does not take what is sent to it
)

// setState is the one door between states.
func (s *session) setState(to sessionState) {
	for _, legal := range transitions[s.state] {
		if legal == to {
			s.state = to
			return
		}
	}
	panic("proxy: illegal session state transition")
}

// Data takes bytes from the client. p is valid until it returns.
func (s *session) Data(p []byte) {
	defer s.endEvent()
	if s.gone {
		return
	}
	s.meter.bytes.ClientReceived += uint64(len(p))
	if s.client.in != nil {
		s.client.in = append(s.client.in, p...)
		s.useInput()
		return
	}
	n := s.consume(p)
	if n < len(p) && !s.gone {
		s.client.in = append(s.takeBuffer(len(p)-n), p[n:]...)
	}
	s.endDrained()
}

// useInput consumes what was kept.
func (s *session) useInput() {
	in := s.client.in
	if in == nil || s.gone {
		return
	}
	n := s.consume(in)
	switch {
	case s.gone:
		s.giveBuffer(in)
		s.client.in = nil
	case n == len(in):
		s.giveBuffer(in)
		s.client.in = nil
	default:
		s.client.in = in[:copy(in, in[n:])]
	}
	s.endDrained()
}

// Blocked says that the client does not take what is sent to it, and that it cannot be
// kept: neither its messages nor the backend's are read until it does, as PostgreSQL does.
func (s *session) Blocked() {
	defer s.endEvent()
	s.pauseClient(pausedClient)
	s.pauseBackend(pausedClient)
	if s.sample.start != 0 {
		s.sample.observed.stalls(s.loop.Now())
	}
}

// Drained ends what Blocked began.
func (s *session) Drained() {
	defer s.endEvent()
	s.resumeBackend(pausedClient)
	s.resumeClient(pausedClient)
	s.sample.observed.goesOn(s.loop.Now())
	if s.state == stateConsole && !s.console.busy {
		s.useInput()
	}
}

// Closed says that the client's socket is gone.
func (s *session) Closed(error) {
	defer s.endEvent()
	s.leave(closedByClient)
}

func (s *session) pauseClient(why pauseReason) {
	if s.client.paused == 0 {
		s.client.conn.Pause()
	}
	s.client.paused |= why
}

func (s *session) resumeClient(why pauseReason) {
	if s.client.paused&why == 0 {
		return
	}
	if s.client.paused &^= why; s.client.paused == 0 && !s.gone {
		s.client.conn.Resume()
	}
}

func (s *session) pauseBackend(why pauseReason) {
	if s.back.lease == nil {
		return
	}
	if s.back.paused == 0 {
		s.back.lease.Conn().Pause()
	}
	s.back.paused |= why
}

func (s *session) resumeBackend(why pauseReason) {
	if s.back.paused&why == 0 {
		return
	}
	if s.back.paused &^= why; s.back.paused == 0 && s.back.lease != nil {
		s.back.lease.Conn().Resume()
	}
}

// takeBuffer returns an empty buffer for n bytes, the loop's if that is large
// enough.
func (s *session) takeBuffer(n int) []byte {
	if n > reactor.BufferSize {
		return make([]byte, 0, n)
	}
	return s.loop.Buffer()[:0]
}

// giveBuffer takes back what takeBuffer returned.
func (s *session) giveBuffer(b []byte) {
	if cap(b) == reactor.BufferSize {
		s.loop.Recycle(b)
	}
}

// toClient sends p to the client unless it is gone.
func (s *session) toClient(p []byte) {
	if !s.gone && len(p) > 0 {
		s.meter.bytes.ClientSent += uint64(len(p))
		s.client.conn.Write(p)
	}
}

// toBackend sends p to the backend.
func (s *session) toBackend(p []byte) {
	s.meter.bytes.ServerSent += uint64(len(p))
	s.back.lease.Conn().Write(p)
}
