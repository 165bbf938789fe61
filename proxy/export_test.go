package proxy

import (
	"log/slog"
	"maps"

	"github.com/xdg-go/scram"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy/reactor"
)

// NewPortableServer is NewServer with the loops that need no epoll.
func NewPortableServer(cfg Config, log *slog.Logger, mon *monitor.Monitor) (*Server, error) {
	return newServer(cfg, log, mon, reactor.Config{Loops: cfg.Listen.Loops, Portable: true})
}

// Sabotage breaks the session that has this cancel key, so that the next thing
// of that kind that it does panics. It returns when that is done.
func (srv *Server) Sabotage(pid uint32, secret []byte, what string) {
	s := srv.cancels.find(pid, secret)
	done := make(chan struct{})
	s.post(func() {
		defer close(done)
		switch what {
		case "exchange":
			s.traffic = nil
		case "post":
			s.post(func() { panic("secret") })
		default:
			s.client.conn = &brittleConn{s.client.conn, what, 1}
		}
	})
	<-done
}

// SabotageLogins makes the proof of identity of a user panic.
func (srv *Server) SabotageLogins(user string) {
	live := *srv.settings()
	broken := *live.credentials.users[user]
	broken.keys = func() (scram.StoredCredentials, error) { panic("secret") }
	users := maps.Clone(live.credentials.users)
	users[user] = &broken
	live.credentials = &credentials{users: users, typical: live.credentials.typical}
	srv.live.Store(&live)
}

// brittleConn panics the first few times that a method is called.
type brittleConn struct {
	clientConn
	method string
	times  int
}

func (c *brittleConn) called(method string) {
	if method == c.method && c.times > 0 {
		c.times--
		panic("secret")
	}
}

func (c *brittleConn) Write(p []byte) {
	c.called("Write")
	c.clientConn.Write(p)
}

func (c *brittleConn) Resume() {
	c.called("Resume")
	c.clientConn.Resume()
}

func (c *brittleConn) CloseAfterFlush() {
	c.called("CloseAfterFlush")
	c.clientConn.CloseAfterFlush()
}

// MoveSessions has every session that may move go to the next loop.
func (srv *Server) MoveSessions() {
	srv.each(func(st *station) {
		to := srv.stations[(st.loop.Index()+1)%len(srv.stations)]
		for s := range st.sessions {
			if s.movable() {
				s.move(to)
			}
		}
	})
}

// Looking reports whether some statement is being looked at, for rules of rewriting.
func (srv *Server) Looking() bool {
	srv.databases.mu.Lock()
	defer srv.databases.mu.Unlock()
	for _, db := range srv.databases.known {
		db.mu.Lock()
		for _, r := range db.rewritten {
			if r.finding.Load() {
				db.mu.Unlock()
				return true
			}
		}
		db.mu.Unlock()
	}
	return false
}

// LoopOf returns the number of the loop that has the session with this cancel key.
func (srv *Server) LoopOf(pid uint32, secret []byte) int {
	return srv.cancels.find(pid, secret).home.Load().loop.Index()
}

// Joining returns how many sessions wait for another's answer.
func (srv *Server) Joining() (n int) {
	done := make(chan int)
	srv.each(func(st *station) {
		waiting := 0
		for s := range st.sessions {
			if s.joined.waiting {
				waiting++
			}
		}
		done <- waiting
	})
	for range srv.stations {
		n += <-done
	}
	return n
}
