package pgtest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Patience is how long a test waits for one message before it gives up. It is
// long because the machine may be busy; a test that passes never waits for it.
const Patience = 20 * time.Second

// Conn is a client that speaks the protocol one message at a time, right or
// wrong as the test wants it. It is owned by one goroutine, except that one
// other may write while the owner receives.
type Conn struct {
	Net net.Conn
	// Cut says how the bytes of a send are cut into writes; nil is one write.
	Cut Cutter
	// PID, Secret and Params are what the server said at start-up, and
	// ParameterStatus since.
	PID    uint32
	Secret []byte
	Params map[string]string

	name  string
	log   *Transcript
	in    *bufio.Reader
	ended bool // the server has closed
}

// Dial opens a connection and sends nothing. An address that begins with a
// slash is a unix socket. log may be nil.
func Dial(address, name string, log *Transcript) (*Conn, error) {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	nc, err := net.DialTimeout(network, address, Patience)
	if err != nil {
		return nil, err
	}
	return NewConn(nc, name, log), nil
}

// NewConn makes a Conn of a connection that is open, one inside TLS for
// instance. log may be nil.
func NewConn(nc net.Conn, name string, log *Transcript) *Conn {
	if log == nil {
		log = &Transcript{}
	}
	return &Conn{
		Net: nc, Params: map[string]string{},
		name: name, log: log, in: bufio.NewReaderSize(nc, 32<<10),
	}
}

// Send encodes messages and writes them as one run of bytes, cut by c.Cut.
func (c *Conn) Send(messages ...pgproto3.FrontendMessage) error {
	p, err := c.encode(messages)
	if err != nil {
		return err
	}
	return c.write(p)
}

func (c *Conn) encode(messages []pgproto3.FrontendMessage) (p []byte, err error) {
	for _, m := range messages {
		if p, err = m.Encode(p); err != nil {
			return nil, err
		}
		c.log.add(Entry{Conn: c.name, Sent: renderSent(m)})
	}
	return p, nil
}

func (c *Conn) write(p []byte) error {
	cut := c.Cut
	if cut == nil {
		cut = Whole
	}
	if err := c.Net.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	for done := 0; done < len(p); {
		n := min(cut(done), len(p)-done)
		if _, err := c.Net.Write(p[done : done+n]); err != nil {
			return fmt.Errorf("%s: write: %w", c.name, err)
		}
		done += n
	}
	return nil
}

// Receive returns the next message. At the end of the stream it returns a
// Frame with type EOF and no error: that the server closed is an answer too.
func (c *Conn) Receive() (Frame, error) { return c.ReceiveWithin(Patience) }

// ReceiveWithin is Receive with a deadline of the caller's choice.
func (c *Conn) ReceiveWithin(d time.Duration) (Frame, error) {
	if err := c.Net.SetReadDeadline(time.Now().Add(d)); err != nil {
		return Frame{}, err
	}
	f, err := c.readFrame()
	if err != nil {
		return f, fmt.Errorf("%s: receive: %w", c.name, err)
	}
	c.log.add(Entry{Conn: c.name, Frame: f})
	c.note(f)
	return f, nil
}

func (c *Conn) readFrame() (Frame, error) {
	var header [5]byte
	n, err := io.ReadFull(c.in, header[:])
	if n == 0 && closed(err) {
		return Frame{Type: EOF}, nil
	}
	if err != nil {
		return Frame{}, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if size < 4 || size > 1<<30 {
		return Frame{}, fmt.Errorf("message %q has length %d", header[0], size)
	}
	f := Frame{Type: header[0], Body: make([]byte, size-4)}
	_, err = io.ReadFull(c.in, f.Body)
	return f, err
}

// closed tells the ends of a stream from failures to read it. A reset is an
// end: the server closed while bytes of ours were on their way.
func closed(err error) bool {
	if err == nil {
		return false
	}
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

// note keeps what a client remembers of its server.
func (c *Conn) note(f Frame) {
	switch f.Type {
	case EOF:
		c.ended = true
	case 'K':
		c.PID, c.Secret = binary.BigEndian.Uint32(f.Body), f.Body[4:]
	case 'S':
		if name, value, ok := cstringPair(f.Body); ok {
			c.Params[name] = value
		}
	}
}

// ReceiveByte returns one byte outside any message: the answer to SSLRequest
// and GSSENCRequest.
func (c *Conn) ReceiveByte() (byte, error) {
	if err := c.Net.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return 0, err
	}
	b, err := c.in.ReadByte()
	if err != nil {
		return 0, fmt.Errorf("%s: receive a byte: %w", c.name, err)
	}
	c.log.add(Entry{Conn: c.name, Frame: Frame{Type: LoneByte, Body: []byte{b}}})
	return b, nil
}

// ReceiveUntil returns the messages up to and with the first of type typ, or
// with the end of the stream.
func (c *Conn) ReceiveUntil(typ byte) ([]Frame, error) {
	var all []Frame
	for {
		f, err := c.Receive()
		if err != nil {
			return all, err
		}
		all = append(all, f)
		if f.Type == typ {
			return all, nil
		}
		if f.Type == EOF {
			return all, io.ErrUnexpectedEOF
		}
	}
}

// Start sends a StartupMessage and follows a login without a password up to
// ReadyForQuery. An ErrorResponse is returned as the error.
func (c *Conn) Start(version uint32, params ...string) error {
	if err := c.Send(Startup(version, params...)); err != nil {
		return err
	}
	for {
		f, err := c.Receive()
		switch {
		case err != nil:
			return err
		case f.Type == 'Z':
			return nil
		case f.Type == 'E' || f.Type == EOF:
			return fmt.Errorf("%s: start-up: %s", c.name, f)
		}
	}
}

// Discard reads n bytes and forgets them: for results too large to keep.
func (c *Conn) Discard(n int64) error {
	if err := c.Net.SetReadDeadline(time.Now().Add(10 * Patience)); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, c.in, n)
	return err
}

// Query runs a simple query and returns its messages, ReadyForQuery with them.
func (c *Conn) Query(sql string) ([]Frame, error) {
	if err := c.Send(Query(sql)); err != nil {
		return nil, err
	}
	return c.ReceiveUntil('Z')
}

// Cancel sends a CancelRequest for c over a connection of its own and waits
// until the server has closed that.
func (c *Conn) Cancel(address string) error {
	k, err := Dial(address, c.name+".cancel", c.log)
	if err != nil {
		return err
	}
	defer k.Close()
	if err := k.Send(&pgproto3.CancelRequest{ProcessID: c.PID, SecretKey: c.Secret}); err != nil {
		return err
	}
	f, err := k.Receive()
	if err == nil && f.Type != EOF {
		err = fmt.Errorf("cancel request answered by %s", f)
	}
	return err
}

// Close closes the socket without a Terminate, as a client that died.
func (c *Conn) Close() { _ = c.Net.Close() }
