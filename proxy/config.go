package proxy

import (
	"net"
	"path/filepath"
	"slices"
	"time"
)

// ListenConfig says where clients connect.
type ListenConfig struct {
	// Addresses are host:port pairs, or absolute directories in which a unix
	// socket .s.PGSQL.PORT is made (the port is UnixPort).
	Addresses []string `yaml:"addresses"`
	// UnixPort names the unix sockets; clients give it as their port.
	UnixPort int `yaml:"unix_port"`
	// Loops is the number of event loops; 0 is one for each core.
	Loops int `yaml:"loops"`
	// KeepAlive is how long a client's connection is silent before TCP asks whether
	// the client is there, again every KeepAliveInterval, and ends the connection when
	// KeepAliveCount questions have had no answer. 0: it does not ask.
	KeepAlive         time.Duration `yaml:"keepalive"`
	KeepAliveInterval time.Duration `yaml:"keepalive_interval"`
	KeepAliveCount    int           `yaml:"keepalive_count"`
	// UserTimeout ends a connection when what it was sent is not acknowledged for so
	// long; 0: the system's. Linux only.
	UserTimeout time.Duration `yaml:"user_timeout"`
}

// Loopback reports whether only this machine can reach a listen address.
func Loopback(address string) bool {
	if filepath.IsAbs(address) {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// local reports whether no other machine can connect.
func (c ListenConfig) local() bool {
	return !slices.ContainsFunc(c.Addresses, func(a string) bool { return !Loopback(a) })
}

// AuthMethod says how clients prove who they are.
type AuthMethod string

// The authentication methods. The names are pg_hba.conf's.
const (
	AuthTrust AuthMethod = "trust"
	AuthMD5   AuthMethod = "md5"
	AuthSCRAM AuthMethod = "scram-sha-256"
	AuthCert  AuthMethod = "cert"
)

// AuthConfig says who may connect and how.
type AuthConfig struct {
	// Method: scram-sha-256 is right nearly always. Under trust every user
	// name is accepted and the backend is logged in as that user.
	Method AuthMethod `yaml:"method"`
	// Users lists who may log in. Under trust it may be empty.
	Users []User `yaml:"users"`
	// Admins names the users who may use the console. Without any, everybody may
	// under trust if no other machine can connect, and else nobody.
	Admins []string `yaml:"admins"`
}

// User is one entry of auth.users.
type User struct {
	Name string `yaml:"name"`
	// Password is a plain password, an md5 hash ("md5..."), or a SCRAM
	// verifier as pg_authid has it ("SCRAM-SHA-256$...").
	Password string `yaml:"password"`
	// Method is instead of AuthConfig.Method for this user.
	Method AuthMethod `yaml:"method"`
	// BackendUser and BackendPassword log the backend in. By default they are
	// Name and, where it is plain, Password.
	BackendUser     string `yaml:"backend_user"`
	BackendPassword string `yaml:"backend_password"`
}

// TLSConfig is the TLS side towards clients.
type TLSConfig struct {
	// Mode is one of disable, allow, prefer, require, verify-ca, verify-full
	// (as PgBouncer's client_tls_sslmode: allow and prefer both offer TLS;
	// verify-ca and verify-full ask for a client certificate).
	Mode     string `yaml:"mode"`
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// CAFile has the certificates that sign client certificates.
	CAFile string `yaml:"ca_file"`
}

// LimitsConfig bounds what clients may take.
type LimitsConfig struct {
	MaxClients           int `yaml:"max_clients"`             // connections in all
	MaxClientsPerAddress int `yaml:"max_clients_per_address"` // connections from one address that have not logged in yet
	MaxStartupPacket     int `yaml:"max_startup_packet"`      // bytes, before authentication
	MaxPreparedMB        int `yaml:"max_prepared_mb"`         // memory of prepared statements with names
}

// TimeoutsConfig has the timeouts enforced on clients. 0 switches one off.
type TimeoutsConfig struct {
	Query             time.Duration `yaml:"query"`               // one exchange; 57014
	Transaction       time.Duration `yaml:"transaction"`         // from its first statement to its end; 25P04
	IdleInTransaction time.Duration `yaml:"idle_in_transaction"` // between statements of a transaction; 25P03
	ClientIdle        time.Duration `yaml:"client_idle"`         // between transactions; 57P05
	ClientLogin       time.Duration `yaml:"client_login"`        // from accept to ReadyForQuery; 08P01
	HalfClosed        time.Duration `yaml:"half_closed"`         // from its end of file to the next reply; it may have gone
	Shutdown          time.Duration `yaml:"shutdown"`            // how long SIGTERM waits for transactions to finish
}

// DefaultListenConfig returns the built-in defaults.
func DefaultListenConfig() ListenConfig {
	return ListenConfig{
		Addresses: []string{"127.0.0.1:6432"}, UnixPort: 6432,
		KeepAlive: time.Minute, KeepAliveInterval: 10 * time.Second, KeepAliveCount: 6,
	}
}

// DefaultAuthConfig returns the built-in defaults.
func DefaultAuthConfig() AuthConfig { return AuthConfig{Method: AuthSCRAM} }

// DefaultTLSConfig returns the built-in defaults.
func DefaultTLSConfig() TLSConfig { return TLSConfig{Mode: "disable"} }

// DefaultLimitsConfig returns the built-in defaults.
func DefaultLimitsConfig() LimitsConfig {
	return LimitsConfig{MaxClients: 10000, MaxClientsPerAddress: 1000, MaxStartupPacket: 10000, MaxPreparedMB: 256}
}

// DefaultTimeoutsConfig returns the built-in defaults.
func DefaultTimeoutsConfig() TimeoutsConfig {
	return TimeoutsConfig{ClientLogin: 60 * time.Second, HalfClosed: time.Second, Shutdown: 30 * time.Second}
}
