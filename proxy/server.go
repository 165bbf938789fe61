package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/rewrite"
)

// Config is all that a Server needs to know.
type Config struct {
	Listen   ListenConfig
	Auth     AuthConfig
	TLS      TLSConfig
	Limits   LimitsConfig
	Timeouts TimeoutsConfig
	Backend  pool.BackendConfig
	Pool     pool.Config
	Cache    cache.Config
	Rewrite  rewrite.Config
}

// Server accepts clients and serves them.
type Server struct {
	shared
	listen    ListenConfig
	group     *reactor.Group
	listeners []net.Listener
	accepting atomic.Bool
	closing   sync.Once
}

// NewServer makes a server: it reads the TLS files and prepares the users, but
// does not listen yet.
func NewServer(cfg Config, log *slog.Logger, mon *monitor.Monitor) (*Server, error) {
	return newServer(cfg, log, mon, reactor.Config{Loops: cfg.Listen.Loops})
}

func newServer(cfg Config, log *slog.Logger, mon *monitor.Monitor, loops reactor.Config) (*Server, error) {
	live, err := newSettings(cfg)
	if err != nil {
		return nil, err
	}
	group, err := reactor.New(loops)
	if err != nil {
		return nil, err
	}
	srv := &Server{listen: cfg.Listen, group: group}
	srv.live.Store(live)
	srv.cancels.byKey = make(map[cancelKey]*session)
	srv.log, srv.monitor = log, mon
	group.Spool().Limit(spoolLimits(cfg.Pool.Spool, log))
	srv.work = func(f func()) { go f() }
	srv.upgrade = srv.shakeHands
	srv.pools = pool.NewSet(pool.Options{
		Loops:       group.Loops(),
		Backend:     cfg.Backend,
		Config:      cfg.Pool,
		Credentials: srv.backendLogin,
		Hooks:       srv.poolHooks(),
		Plans:       mon.Plans,
	})
	mon.SetConnect(srv.pools.Connect)
	if err := srv.databases.open(cfg.Cache, cfg.Rewrite); err != nil {
		group.Close()
		return nil, err
	}
	for _, loop := range group.Loops() {
		srv.stations = append(srv.stations, newStation(&srv.shared, loop))
	}
	return srv, nil
}

// newSettings builds the snapshot that sessions look at.
func newSettings(cfg Config) (*settings, error) {
	creds, err := newCredentials(cfg.Auth)
	if err != nil {
		return nil, err
	}
	files, err := loadTLS(cfg.TLS)
	if err != nil {
		return nil, err
	}
	return &settings{
		auth: cfg.Auth, credentials: creds, tls: files,
		limits: cfg.Limits, timeouts: cfg.Timeouts, local: cfg.Listen.local(), listen: cfg.Listen, rewrite: cfg.Rewrite,
	}, nil
}

// backendLogin tells the pool as whom to log in for a client's user.
func (srv *Server) backendLogin(k pool.Key) (user, password string) {
	return srv.settings().credentials.backendLogin(k.User)
}

// Listen binds all addresses. If one fails, none stays bound, and the server is
// closed.
func (srv *Server) Listen() error {
	for _, address := range srv.listen.Addresses {
		ln, err := srv.bind(address)
		if err != nil {
			srv.Close()
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		srv.listeners = append(srv.listeners, ln)
	}
	return nil
}

// bind listens on host:port, or in a directory for unix sockets.
func (srv *Server) bind(address string) (net.Listener, error) {
	if !strings.HasPrefix(address, "/") {
		return srv.listen.tcp(address)
	}
	path := filepath.Join(address, ".s.PGSQL."+strconv.Itoa(srv.listen.UnixPort))
	if err := removeStale(path); err != nil {
		return nil, err
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o777); err != nil { // as PostgreSQL's unix_socket_permissions
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// removeStale removes a unix socket that nobody listens on any more.
func removeStale(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return fmt.Errorf("%s is in use by another process", path)
	}
	return os.Remove(path)
}

func (srv *Server) closeListeners() {
	for _, ln := range srv.listeners {
		_ = ln.Close()
	}
}

// Addrs returns the addresses that are bound.
func (srv *Server) Addrs() (addrs []net.Addr) {
	for _, ln := range srv.listeners {
		addrs = append(addrs, ln.Addr())
	}
	return addrs
}

// Pools returns the server's pools.
func (srv *Server) Pools() *pool.Set { return srv.pools }

// Ready returns nil while new clients are accepted.
func (srv *Server) Ready() error {
	if srv.accepting.Load() {
		return nil
	}
	return errors.New("not accepting clients")
}

// Run serves until ctx ends. Then it accepts nobody any more, tells idle
// clients 57P01, lets transactions finish for timeouts.shutdown, tells the
// rest, and returns when everything is closed.
func (srv *Server) Run(ctx context.Context) error {
	var serving sync.WaitGroup
	for _, ln := range srv.listeners {
		serving.Go(func() { srv.group.Serve(ctx, ln, srv.accept) })
	}
	poolCtx, stopPools := context.WithCancel(context.Background())
	serving.Go(func() { srv.pools.Run(poolCtx) })
	serving.Go(func() { srv.monitor.Run(poolCtx) })
	if srv.databases.serving {
		serving.Go(func() { srv.warm(ctx) })
	}
	srv.accepting.Store(true)
	<-ctx.Done()
	srv.accepting.Store(false)
	srv.closeListeners()
	srv.drain()
	stopPools()
	srv.closePools()
	serving.Wait()
	srv.Close()
	return nil
}

// Close gives back what NewServer and Listen have opened. It is for a server
// that does not run; Run has done it when it returns.
func (srv *Server) Close() {
	srv.closing.Do(func() {
		srv.closeListeners()
		srv.closePools()
		srv.group.Close()
		srv.databases.close()
	})
}

func (srv *Server) closePools() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	srv.pools.Close(ctx)
}

// drain waits for the clients to go, for as long as it may.
func (srv *Server) drain() {
	limit := srv.settings().timeouts.Shutdown
	srv.log.Info("shutting down", "clients", srv.clients.Load(), "timeout", limit)
	srv.each((*station).drain)
	if srv.awaitNoClients(limit) {
		return
	}
	srv.log.Warn("closing clients in mid-transaction", "clients", srv.clients.Load())
	srv.each((*station).evict)
	srv.awaitNoClients(5 * time.Second)
}

func (srv *Server) awaitNoClients(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); srv.clients.Load() > 0; time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// each runs f for all stations, on their loops.
func (srv *Server) each(f func(*station)) {
	for _, st := range srv.stations {
		st.loop.Post(reactor.Func(func() { f(st) }))
	}
}

// accept takes a new client, on the loop that it stays on.
func (srv *Server) accept(loop *reactor.Loop, nc net.Conn) {
	st := srv.stations[loop.Index()]
	address := ""
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		address = tcp.IP.String()
	}
	s := st.open(address)
	s.origin = newOrigin(nc, srv.listen.UnixPort)
	defer s.endEvent()
	conn, err := loop.Attach(nc, s)
	if err != nil {
		srv.log.Error("cannot serve a client", "client", address, "error", err)
		s.leave(closedByError)
		return
	}
	s.client.conn = conn
	s.clock.set(s, timeoutLogin, srv.settings().timeouts.ClientLogin)
	switch {
	case st.draining:
		s.failAs(errShutdown, closedByShutdown)
	case st.logins.get(address) > srv.settings().limits.MaxClientsPerAddress:
		s.fail(errTooManyLogins)
	}
}

// shakeHands does a client's TLS handshake in a goroutine.
func (srv *Server) shakeHands(s *session, already []byte) {
	conn := s.client.conn.(*reactor.Conn)
	conn.Flush()
	s.client.conn = closedConn{}
	stream := conn.Detach(already)
	limit, config := srv.settings().timeouts.ClientLogin, s.login.offer.config
	if limit == 0 {
		limit = time.Minute // the goroutine has to end all the same
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), max(limit, time.Second))
		defer cancel()
		encrypted := tls.Server(stream, config)
		err := s.elsewhere(func() error { return encrypted.HandshakeContext(ctx) })
		s.post(func() { srv.shaken(s, encrypted, err) })
	}()
}

// shaken puts the client's socket back on its loop.
func (srv *Server) shaken(s *session, encrypted *tls.Conn, err error) {
	if s.gone || err != nil {
		_ = encrypted.Close()
		if !s.gone {
			s.handshakeFailed(err)
		}
		return
	}
	state := encrypted.ConnectionState()
	s.setState(stateStartup)
	s.login.tls, s.origin.tls = &state, encryptedBy(&state)
	conn, err := s.loop.Attach(encrypted, s)
	if err != nil {
		s.handshakeFailed(err)
		return
	}
	s.encrypted(conn)
}

// Reload puts a new configuration into force: users, TLS files, limits,
// timeouts, backend, pools and cache. On an error nothing changes. New rules hold
// for new logins and new leases, those of the cache at once. Whether there is a
// cache, or anything to be rewritten, was decided at the start.
func (srv *Server) Reload(cfg Config) error {
	live, err := newSettings(cfg)
	if err != nil {
		return err
	}
	engine, err := rewrite.New(cfg.Rewrite)
	if err != nil {
		return err
	}
	if c := srv.Cache(); c != nil {
		if err := c.Configure(cfg.Cache); err != nil {
			return err
		}
	}
	srv.databases.engine.Store(engine)
	srv.group.Spool().Limit(spoolLimits(cfg.Pool.Spool, srv.log))
	if b := srv.databases.bookmarks; b != nil {
		b.Resize(cfg.Rewrite.Offset.Memory())
	}
	srv.live.Store(live)
	srv.pools.Reconfigure(cfg.Backend, cfg.Pool)
	return nil
}

// Cache returns the cache; nil if there is none.
func (srv *Server) Cache() *cache.Cache {
	if !srv.databases.serving {
		return nil
	}
	return srv.databases.cache
}
