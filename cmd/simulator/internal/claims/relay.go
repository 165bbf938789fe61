package claims

import (
	"errors"
	"net"
	"sync"
)

// relay carries bytes between PgJay and PostgreSQL. It can fall silent: the connections
// that there are then stay open and carry nothing any more, as if the other machine had
// lost its power. Those that come later are carried.
type relay struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	lines []*line // guarded by mu
}

// line is a connection and the one that it goes on as.
type line struct {
	ends [2]net.Conn

	mu     sync.Mutex
	silent bool // guarded by mu
}

// newRelay returns a way to a server (host:port). Close ends it.
func newRelay(server string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, server: server}
	go r.serve()
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		backend, err := net.Dial("tcp", r.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &line{ends: [2]net.Conn{client, backend}}
		r.mu.Lock()
		r.lines = append(r.lines, l)
		r.mu.Unlock()
		go l.carry(backend, client)
		go l.carry(client, backend)
	}
}

// carry copies until one side has closed. What comes over a silent line is swallowed.
func (l *line) carry(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		silent := l.silent
		if !silent && err == nil {
			_, err = to.Write(buffer[:n])
		}
		l.mu.Unlock()
		if err != nil {
			if !silent {
				_ = to.Close()
			}
			return
		}
	}
}

// silence has the connections that there are fall silent, and says how many they are.
func (r *relay) silence() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		l.mu.Lock()
		l.silent = true
		l.mu.Unlock()
	}
	return len(r.lines)
}

func (r *relay) close() error {
	err := r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		for _, end := range l.ends {
			if closed := end.Close(); !errors.Is(closed, net.ErrClosed) {
				err = errors.Join(err, closed)
			}
		}
	}
	return err
}
