package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Mode is how a server stops. The names are pg_ctl's.
type Mode string

// The modes.
const (
	Smart     Mode = "smart"     // when all clients have left
	Fast      Mode = "fast"      // clients are cut off, data is written
	Immediate Mode = "immediate" // as in a crash: recovery at the next start
)

var signals = map[Mode]syscall.Signal{
	Smart:     syscall.SIGTERM,
	Fast:      syscall.SIGINT,
	Immediate: syscall.SIGQUIT,
}

// patience bounds what a healthy server does in a fraction of it.
const patience = time.Minute

// Server is a PostgreSQL server. Its methods may be called at any time from any
// goroutine; those that start or end it wait for each other.
type Server struct {
	options Options
	install *installation
	place   *place
	log     *serverLog
	port    int

	running atomic.Pointer[process] // nil when stopped

	life   sync.Mutex // held while it starts or ends
	closed bool       // guarded by life
}

// Start makes and starts a server, and returns when it accepts connections. ctx
// ends the start, not the server.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{options: o.withDefaults(), port: o.Port}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) (err error) {
	if s.install, err = newInstallation(ctx, s.options); err != nil {
		return err
	}
	if s.place, err = newPlace(s.options.Dir, s.install.account); err != nil {
		return err
	}
	if s.log, err = newLog(s.options.Log); err != nil {
		return err
	}
	if err := s.install.makeData(ctx, s.options.Superuser, s.DataDir()); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	if s.port != 0 {
		return s.begin(ctx)
	}
	return s.beginAnywhere(ctx)
}

// configure writes the server's files, over initdb's.
func (s *Server) configure() error {
	if err := s.install.write(filepath.Join(s.DataDir(), "pg_hba.conf"), []byte(s.options.HBA)); err != nil {
		return err
	}
	if s.options.SSL {
		if err := writeCertificate(s.DataDir(), s.install.account); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(filepath.Join(s.DataDir(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(s.options.conf())
	return errors.Join(err, f.Close())
}

// beginAnywhere begins on a free port. Another process may take it before the
// server does; then there are others.
func (s *Server) beginAnywhere(ctx context.Context) (err error) {
	const tries = 5
	for range tries {
		if s.port, err = freePort(); err != nil {
			return err
		}
		err = s.begin(ctx)
		if !errors.Is(err, errEnded) || portIsFree(s.port) == nil {
			return err
		}
	}
	return err
}

// begin starts the postmaster and waits until it accepts connections.
func (s *Server) begin(ctx context.Context) error {
	if s.options.Port != 0 {
		if err := portIsFree(s.port); err != nil {
			return fmt.Errorf("port %d is in use: choose another one (%w)", s.port, err)
		}
	}
	cmd := s.install.command("postgres", "-D", s.DataDir(), "-p", strconv.Itoa(s.port), "-k", s.place.socket)
	cmd.Dir = s.place.dir
	cmd.Stdout, cmd.Stderr = s.log.w, s.log.w
	cmd.SysProcAttr = attributes(s.install.credential(), signals[Immediate])
	p, err := launch(cmd)
	if err != nil {
		return s.install.startError(cmd, err)
	}
	s.running.Store(p)
	err = p.until(ctx, func() bool { return accepts(s.DataDir(), p.pid()) })
	if errors.Is(err, errEnded) {
		s.running.Store(nil)
		return fmt.Errorf("%w: %v; the end of its log:\n%s", err, cmd.ProcessState, s.log.last())
	}
	return err
}

// Stop ends the server and waits for that. The data stays: Restart starts it
// again. Stopping a stopped server is fine.
func (s *Server) Stop(mode Mode) error {
	s.life.Lock()
	defer s.life.Unlock()
	return s.stop(mode)
}

func (s *Server) stop(mode Mode) error {
	p := s.running.Load()
	if p == nil {
		return nil
	}
	signal, ok := signals[mode]
	if !ok {
		return fmt.Errorf("embedded PostgreSQL: there is no stop mode %q", mode)
	}
	if err := p.signal(signal); err != nil {
		return err
	}
	if !p.wait(patience) {
		return fmt.Errorf("embedded PostgreSQL: stop mode %s did not end it within %v", mode, patience)
	}
	s.running.Store(nil)
	return nil
}

// Restart stops the server, if it runs, and starts it again on the same port
// with the same data.
func (s *Server) Restart(mode Mode) error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return errors.New("embedded PostgreSQL: restarted after Close")
	}
	if err := s.stop(mode); err != nil {
		return err
	}
	if err := endChildren(s.DataDir()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	return nil
}

// Kill9 kills the postmaster. Its children notice soon. Restart starts the
// server again, with recovery.
func (s *Server) Kill9() error {
	s.life.Lock()
	defer s.life.Unlock()
	p := s.running.Load()
	if p == nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	s.running.Store(nil)
	return nil
}

// Close ends the server at once and removes all that it had. Closing it again
// does nothing.
func (s *Server) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	if p := s.running.Load(); p != nil {
		errs = append(errs, end(p))
		s.running.Store(nil)
	}
	if s.place != nil {
		errs = append(errs, s.clean())
	}
	if s.log != nil {
		s.log.close()
	}
	return errors.Join(errs...)
}

// end ends a postmaster. By itself it gives its children five seconds.
func end(p *process) error {
	const grace = 10 * time.Second
	if err := p.signal(signals[Immediate]); err != nil {
		return err
	}
	if p.wait(grace) {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// clean removes what a server that has ended has left.
func (s *Server) clean() error {
	errs := []error{endChildren(s.DataDir())}
	if id, ok := sharedMemory(s.DataDir()); ok {
		errs = append(errs, removeSharedMemory(id))
	}
	return errors.Join(append(errs, s.place.remove())...)
}

// Host is where the server listens: 127.0.0.1.
func (s *Server) Host() string { return loopback }

// Port is its port there, and the number in its unix socket's name.
func (s *Server) Port() int { return s.port }

// Address is host:port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host(), strconv.Itoa(s.port)) }

// SocketDir is the directory of its unix socket.
func (s *Server) SocketDir() string { return s.place.socket }

// DataDir is the data directory.
func (s *Server) DataDir() string { return s.place.data() }

// BinDir is the directory of PostgreSQL's programs.
func (s *Server) BinDir() string { return s.install.bin }

// Certificate is the file of the certificate that Options.SSL makes, which
// clients may take as root.
func (s *Server) Certificate() string { return filepath.Join(s.DataDir(), certificateName) }

// PID is the postmaster's process, or 0 when it is stopped.
func (s *Server) PID() int {
	if p := s.running.Load(); p != nil && !p.ended() {
		return p.pid()
	}
	return 0
}

// URL is a connection string for a database and user.
func (s *Server) URL(database, user string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Host: s.Address(), Path: "/" + database}
	if !s.options.SSL {
		u.RawQuery = "sslmode=disable"
	}
	return u.String()
}
