package pool

import "time"

// Mode says for how long a session keeps a backend.
type Mode string

// The pool modes. The names are PgBouncer's.
const (
	ModeSession     Mode = "session"     // from the first statement until the client disconnects
	ModeTransaction Mode = "transaction" // until the transaction status is I and nothing pins the session
	ModeStatement   Mode = "statement"   // like transaction, and a transaction of several statements is an error
)

// BackendConfig says where PostgreSQL is and how to log in there.
type BackendConfig struct {
	// URL is a libpq connection URI or keyword/value string without database
	// and user: those come from the client. Several hosts and
	// target_session_attrs work as in libpq.
	URL string `yaml:"url"`
	// Password is used for every login for which no user entry has one.
	// Under auth.method trust it is usually empty.
	Password string `yaml:"password"`
	// ConnectTimeout bounds one attempt to connect and log in, per host.
	// Choose it above the slowest login that is still healthy.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// KeepAlive is the TCP keep-alive interval of backend connections.
	KeepAlive time.Duration `yaml:"keepalive"`
}

// Config holds what every pool does unless a database or user entry says
// otherwise. All of it can change at run time.
type Config struct {
	// Mode: transaction fits nearly everything; session is for clients that
	// live on session state; statement forbids transactions.
	Mode Mode `yaml:"mode"`
	// Size is how many backends a pool (one database, one user) keeps. Two or
	// three for each core of the server is a good start.
	Size int `yaml:"size"`
	// Overflow is how many more a pool may open under load, for clients that have
	// waited for OverflowAfter. They are closed when idle for OverflowIdle.
	Overflow int `yaml:"overflow"`
	// OverflowAfter is how long a client waits before a backend beyond Size is
	// opened for it. Choose it above the time that most transactions take: where
	// the server is just busy, more backends make it slower.
	OverflowAfter time.Duration `yaml:"overflow_after"`
	// OverflowIdle is how long a backend beyond Size may be idle.
	OverflowIdle time.Duration `yaml:"overflow_idle"`
	// MinIdle is how many idle backends a pool that has been used keeps ready.
	MinIdle int `yaml:"min_idle"`
	// AcquireTimeout is how long a client waits for a backend before it gets
	// an error (53300), also while the server is away.
	AcquireTimeout time.Duration `yaml:"acquire_timeout"`
	// Recycle is the age at which a backend is replaced, with up to a tenth of
	// jitter so that a pool never reconnects all at once. 0 keeps them for ever.
	Recycle time.Duration `yaml:"recycle"`
	// PrePing checks a backend before it is leased when it was idle for longer
	// than PrePingAfter.
	PrePing      bool          `yaml:"pre_ping"`
	PrePingAfter time.Duration `yaml:"pre_ping_after"`
	// MaxPreparedStatements is how many prepared statements a backend keeps for
	// all sessions. With 0 a session that prepares a statement with a name keeps
	// its backend. Choose it above the number of texts that the application has.
	MaxPreparedStatements int `yaml:"max_prepared_statements"`
	// HarmlessFunctions leave nothing behind in their session: a statement that
	// calls no other unknown one neither pins nor is the backend asked what it has
	// left. StatefulFunctions may leave something each time: no text that calls one
	// is ever trusted, whatever it has left before. Both are name or schema.name.
	HarmlessFunctions []string `yaml:"harmless_functions"`
	StatefulFunctions []string `yaml:"stateful_functions"`
	// MaxConnecting bounds the logins under way at once in one pool.
	MaxConnecting int `yaml:"max_connecting"`
	// Homes gives each client a backend of its own to come back to, whose
	// process ID it is told, as long as Size allows: then pg_backend_pid,
	// pg_terminate_backend and pg_blocking_pids mean what clients think. Without
	// it backends are opened when statements need them, and clients share their
	// process IDs: for servers with too few connections for that.
	Homes bool `yaml:"homes"`
	// MaxDatabaseConnections bounds the backends of one database over all its
	// users; a user with waiting clients gets a fair share of it. 0 is no bound.
	MaxDatabaseConnections int `yaml:"max_database_connections"`
	// MaxNotificationBytes bounds the notifications that are kept for a session
	// whose client does not take them; beyond it the session ends. It holds for
	// sessions that begin to listen later.
	MaxNotificationBytes int `yaml:"max_notification_bytes"`
	// Spool keeps what slow clients have not taken of their results.
	Spool SpoolConfig `yaml:"spool"`
	// Databases and Users override the values above, the user entry last.
	Databases []Override `yaml:"databases"`
	Users     []Override `yaml:"users"`
}

// SpoolConfig says how much of their results is kept for clients that take them slowly,
// so that backends need not wait for them.
type SpoolConfig struct {
	// MemoryMB is for each client; beyond it a temporary file is used. 0: nothing is
	// kept. Choose it above most results.
	MemoryMB int `yaml:"memory_mb"`
	// SizeMB bounds all files together. 0: only memory is used.
	SizeMB int `yaml:"size_mb"`
	// Directory has the files; empty: the system's for temporary files.
	Directory string `yaml:"directory"`
}

// Override changes pool settings for one database or one user. A nil field
// keeps the general value.
type Override struct {
	Name string `yaml:"name"` // the database's or user's name as the client gives it
	// Backend, Database: another server, another name there. Only for databases.
	Backend  string `yaml:"backend"`
	Database string `yaml:"database"`

	Mode                   *Mode `yaml:"mode"`
	Size                   *int  `yaml:"size"`
	Overflow               *int  `yaml:"overflow"`
	MinIdle                *int  `yaml:"min_idle"`
	MaxDatabaseConnections *int  `yaml:"max_database_connections"`

	// In place of the general ones.
	HarmlessFunctions []string `yaml:"harmless_functions"`
	StatefulFunctions []string `yaml:"stateful_functions"`
}

// DefaultBackendConfig returns the built-in defaults.
func DefaultBackendConfig() BackendConfig {
	return BackendConfig{
		URL:            "postgres://127.0.0.1:5432",
		ConnectTimeout: 10 * time.Second,
		KeepAlive:      30 * time.Second,
	}
}

// DefaultConfig returns the built-in defaults.
func DefaultConfig() Config {
	return Config{
		Mode:           ModeTransaction,
		Size:           25,
		Overflow:       50,
		OverflowAfter:  100 * time.Millisecond,
		OverflowIdle:   time.Minute,
		MinIdle:        0,
		AcquireTimeout: 30 * time.Second,
		Recycle:        30 * time.Minute,
		PrePing:        true,
		PrePingAfter:   30 * time.Second,
		MaxConnecting:  4,
		Homes:          true,

		MaxPreparedStatements: 500,
		MaxNotificationBytes:  16 << 20,

		Spool: SpoolConfig{SizeMB: 1024},
	}
}
