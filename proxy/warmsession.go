package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// warmClient is the client of a session in this process that asks for what is to be in
// the cache: all that holds for a client's statement holds for its. What it asks is not
// looked up but executed, and kept as far as it may be. Its session's loop owns it, but
// for kept and replies.
type warmClient struct {
	session *session
	// kept is the answer to the last statement; nil: it was not kept.
	kept atomic.Pointer[cache.Entry]
	// replies has what became of a request: nil for ReadyForQuery.
	replies chan error

	header []byte // of the frame that has begun
	rest   int    // bytes of it that are still to come
	failed error  // that PostgreSQL has answered the request with
}

// errWarmClosed says that the session has ended.
var errWarmClosed = errors.New("the session has ended")

// connectWarm logs a client in without proof: it is this process.
func (srv *Server) connectWarm(ctx context.Context, w *cache.Warm) (*warmClient, error) {
	c := &warmClient{replies: make(chan error, 1)}
	startup, err := warmStartup(w)
	if err != nil {
		return nil, err
	}
	st, opened := srv.stations[0], make(chan struct{})
	st.loop.Post(reactor.Func(func() {
		s := st.open("")
		c.session, s.client.conn, s.warming = s, c, c
		close(opened)
		s.Data(startup)
	}))
	<-opened
	if err := c.await(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// warmStartup is the StartupMessage.
func warmStartup(w *cache.Warm) ([]byte, error) {
	m := &pgproto3.StartupMessage{ProtocolVersion: wire.Version30, Parameters: map[string]string{"user": w.User, "database": w.Database}}
	for _, setting := range w.Settings {
		name, value, _ := strings.Cut(setting, "=")
		m.Parameters[name] = value
	}
	return m.Encode(nil)
}

// warmRequest is the statement as a client sends it: a Query, or with parameters what
// libpq's PQexecParams makes of it.
func warmRequest(w *cache.Warm) ([]byte, error) {
	if len(w.Params) == 0 {
		return (&pgproto3.Query{String: w.Text}).Encode(nil)
	}
	bind := &pgproto3.Bind{ResultFormatCodes: []int16{0}}
	for _, p := range w.Params {
		bind.Parameters = append(bind.Parameters, []byte(p))
	}
	var out []byte
	var err error
	for _, m := range []pgproto3.FrontendMessage{&pgproto3.Parse{Query: w.Text}, bind, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{}} {
		if out, err = m.Encode(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ask executes a statement and returns its answer, as far as it was kept.
func (c *warmClient) ask(ctx context.Context, request []byte) (*cache.Entry, error) {
	c.kept.Store(nil)
	c.session.post(func() { c.session.Data(request) })
	err := c.await(ctx)
	return c.kept.Load(), err
}

func (c *warmClient) await(ctx context.Context) error {
	select {
	case err := <-c.replies:
		return err
	case <-ctx.Done():
		c.close()
		return ctx.Err()
	}
}

// close ends the session.
func (c *warmClient) close() {
	s := c.session
	s.post(func() { s.leave(closedByClient) })
}

// Write looks for the end of the reply, and for errors.
func (c *warmClient) Write(p []byte) {
	for len(p) > 0 {
		if c.rest > 0 {
			n := min(c.rest, len(p))
			c.rest, p = c.rest-n, p[n:]
			continue
		}
		n := min(wire.HeaderLen-len(c.header), len(p))
		c.header, p = append(c.header, p[:n]...), p[n:]
		if len(c.header) == wire.HeaderLen {
			c.frame(c.header[0])
			c.rest = int(binary.BigEndian.Uint32(c.header[1:])) - 4
			c.header = c.header[:0]
		}
	}
}

func (c *warmClient) frame(typ byte) {
	switch typ {
	case wire.ErrorResponse:
		c.failed = errors.New("PostgreSQL refuses it: the log of its server says why")
	case wire.ReadyForQuery:
		c.reply(c.failed)
		c.failed = nil
	}
}

// reply says what became of a request, if anybody waits for it.
func (c *warmClient) reply(err error) {
	select {
	case c.replies <- err:
	default:
	}
}

// These have nothing to do: nothing is kept back here.
func (*warmClient) Buffered() int      { return 0 }
func (*warmClient) Pause()             {}
func (*warmClient) Resume()            {}
func (*warmClient) Move(*reactor.Loop) {}
func (*warmClient) Spool()             {}
func (*warmClient) Spooling() bool     { return false }

// CloseAfterFlush says that the session has ended.
func (c *warmClient) CloseAfterFlush() { c.reply(errWarmClosed) }

var _ clientConn = (*warmClient)(nil)
