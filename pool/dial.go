package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// Target says where to log in and as whom.
type Target struct {
	Key            Key
	URL            string // BackendConfig.URL, or the database's own
	Database       string // as the server names it
	User           string
	Password       string
	ConnectTimeout time.Duration
	KeepAlive      time.Duration
	// Params are the start-up parameters of a dedicated backend.
	Params map[string]string
	// LoggedIn is called with the connection when it has logged in. nil: nothing is.
	LoggedIn func(context.Context, *pgconn.PgConn)
	// Options are added to the start-up parameter options.
	Options string
}

// Login is a connection to PostgreSQL that has just logged in.
type Login struct {
	Socket Socket
	PID    uint32
	Secret []byte
	Params Params
	// Server is the address that the socket is connected to, Local its own.
	Server, Local string
	TLS           string // version and cipher; empty: none
	Plans         bool   // it tells the plans of slow statements
	// Cancel sends a CancelRequest for this connection and waits until the
	// server has acted on it. It may be called on any goroutine.
	Cancel func(context.Context) error
}

// Socket is a connection that no loop has yet: that of a real login, or the
// simulator's.
type Socket interface {
	// Attach gives the socket to a loop; b is its handler. It is called once,
	// on that loop. The socket is the loop's, also if it fails.
	Attach(l *reactor.Loop, b *Backend) (Conn, error)
	// Close is called instead when the connection is not wanted any more.
	Close() error
}

// DialFunc logs in. It may block.
type DialFunc func(ctx context.Context, t Target) (*Login, error)

// Dial logs in with pgconn: the DialFunc of production. Several hosts,
// target_session_attrs, sslmode and the rest of the URL mean what they mean to
// libpq.
func Dial(ctx context.Context, t Target) (*Login, error) {
	config, err := connConfig(t)
	if err != nil {
		return nil, err
	}
	route := &route{dialer: net.Dialer{KeepAlive: t.KeepAlive}}
	config.DialFunc = route.dial
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if t.LoggedIn != nil {
		t.LoggedIn(ctx, conn)
	}
	hijacked, err := hijack(ctx, conn)
	if err != nil {
		return nil, err
	}
	return &Login{
		Socket: netSocket{hijacked.Conn},
		PID:    hijacked.PID,
		Secret: hijacked.SecretKey,
		Params: NewParams(hijacked.ParameterStatuses),
		Server: route.address,
		Local:  hijacked.Conn.LocalAddr().String(),
		TLS:    encryption(hijacked.Conn),
		Cancel: route.canceller(hijacked),
	}, nil
}

// encryption names what a connection is encrypted with.
func encryption(nc net.Conn) string {
	encrypted, ok := nc.(*tls.Conn)
	if !ok {
		return ""
	}
	state := encrypted.ConnectionState()
	return tls.VersionName(state.Version) + "/" + tls.CipherSuiteName(state.CipherSuite)
}

// uptime asks a server for how many seconds it has been up.
const uptime = "SELECT extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.pg_postmaster_start_time())"

// Probe is the ProbeFunc of production.
func Probe(ctx context.Context, t Target) (server string, up time.Duration, err error) {
	config, err := connConfig(t)
	if err != nil {
		return "", 0, err
	}
	route := &route{dialer: net.Dialer{KeepAlive: t.KeepAlive}}
	config.DialFunc = route.dial
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.Exec(ctx, uptime).ReadAll()
	if err != nil {
		return "", 0, err
	}
	seconds, err := strconv.ParseFloat(string(results[0].Rows[0][0]), 64)
	return route.address, time.Duration(seconds * float64(time.Second)), err
}

// hijack takes the socket from pgconn, which must not have read ahead.
func hijack(ctx context.Context, conn *pgconn.PgConn) (*pgconn.HijackedConn, error) {
	err := conn.SyncConn(ctx)
	if err == nil {
		var hijacked *pgconn.HijackedConn
		if hijacked, err = conn.Hijack(); err == nil {
			return hijacked, nil
		}
	}
	return nil, errors.Join(err, conn.Close(ctx))
}

// route is the way to the server that was chosen.
type route struct {
	dialer           net.Dialer
	network, address string // of the last dial; pgconn tries one after the other
}

// dial is called by pgconn for each address that it tries.
func (r *route) dial(ctx context.Context, network, address string) (net.Conn, error) {
	r.network, r.address = network, address
	nc, err := r.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return reactor.NewStream(nc), nil
}

// again dials the same server.
func (r *route) again(ctx context.Context, _, _ string) (net.Conn, error) {
	return r.dialer.DialContext(ctx, r.network, r.address)
}

// canceller returns a Login.Cancel. It keeps no more of the login than it needs.
func (r *route) canceller(h *pgconn.HijackedConn) func(context.Context) error {
	config := &pgconn.Config{
		DialFunc:                   r.again,
		SSLNegotiation:             h.Config.SSLNegotiation,
		SSLCertMode:                h.Config.SSLCertMode,
		BuildFrontend:              h.Config.BuildFrontend,
		BuildContextWatcherHandler: h.Config.BuildContextWatcherHandler,
	}
	pid, secret, encryption := h.PID, h.SecretKey, h.TLSConfig
	return func(ctx context.Context) error {
		return cancelRequest(ctx, config, encryption, pid, secret)
	}
}

// cancelRequest has pgconn send a CancelRequest, encrypted if the connection
// was, and wait until the server closes: then the signal has been sent.
func cancelRequest(ctx context.Context, config *pgconn.Config, encryption *tls.Config, pid uint32, secret []byte) error {
	conn, err := pgconn.Construct(&pgconn.HijackedConn{
		Conn: nowhere{}, TLSConfig: encryption, PID: pid, SecretKey: secret, Config: config,
	})
	if err != nil {
		return err
	}
	return conn.CancelRequest(ctx)
}

// nowhere is the connection that a CancelRequest is about, as far as pgconn
// looks at it. Where to dial is the route's business.
type nowhere struct{ net.Conn }

// RemoteAddr returns an address that is not used.
func (nowhere) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// netSocket is a connection to a real server.
type netSocket struct{ nc net.Conn }

// Attach gives the connection to a loop.
func (s netSocket) Attach(l *reactor.Loop, b *Backend) (Conn, error) {
	c, err := l.Attach(s.nc, b)
	if err != nil {
		return nil, err // not c: it would be a Conn that is not nil
	}
	return c, nil
}

// Close closes the connection.
func (s netSocket) Close() error { return s.nc.Close() }
