package proxy

import (
	"bytes"
	"io"
	"testing"

	"github.com/pgjay/pgjay/proxy/wire"
)

// FuzzSession lets a client and a backend say whatever they like, cut and
// interleaved anywhere. Each byte of order is one step: who speaks, and how
// much. Nothing panics, what is kept is bounded, and the client gets whole
// messages.
func FuzzSession(f *testing.F) {
	alternating := bytes.Repeat([]byte{0x7e, 0x7f}, 20)
	for _, x := range relayed(f) {
		f.Add(x[0], x[1], alternating)
		f.Add(append(x[0], x[0]...), append(x[1], x[1]...), []byte{6, 5, 40, 41, 7, 0x7e, 9, 0x7f, 0x7f, 3, 0x7f})
	}
	query := func(sql string) []byte { return wire.AppendQuery(nil, sql) }
	copyIn := append(query("COPY t FROM STDIN"), "d\x00\x00\x00\x06x\nc\x00\x00\x00\x04"...)
	f.Add(copyIn, []byte("G\x00\x00\x00\x07\x00\x00\x00C\x00\x00\x00\x0bCOPY 1\x00Z\x00\x00\x00\x05I"), alternating)
	f.Add(append(query("BEGIN"), "X\x00\x00\x00\x04"...), []byte("C\x00\x00\x00\x0aBEGIN\x00Z\x00\x00\x00\x05T"), alternating)
	f.Add(query("RESET application_name; SELECT 1"), []byte("C\x00\x00\x00\x0aRESET\x00Z\x00\x00\x00\x05I"), alternating)
	f.Add([]byte("F\x00\x00\x00\x0e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), []byte("V\x00\x00\x00\x08\xff\xff\xff\xffZ\x00\x00\x00\x05I"), alternating)
	f.Fuzz(func(t *testing.T, client, backend, order []byte) {
		r := newRelay(t)
		r.client.kept = []byte{}
		for _, b := range order {
			n := 1 + int(b>>1)
			if b&1 == 0 {
				client = r.fromClient(client, n)
			} else {
				backend = r.fromBackend(backend, n)
			}
			r.settle()
			r.check()
		}
		if !r.client.closed {
			r.session.Closed(io.EOF)
		}
		r.settle()
		r.fromBackend(backend, len(backend))
		r.settle()
	})
}

// fromClient delivers the first n bytes of p, if the client is read, and
// returns the rest.
func (r *relay) fromClient(p []byte, n int) []byte {
	if r.client.paused || r.client.closed {
		return p
	}
	n = min(n, len(p))
	r.session.Data(bytes.Clone(p[:n]))
	return p[n:]
}

// fromBackend does the same for the backend.
func (r *relay) fromBackend(p []byte, n int) []byte {
	b := r.backend
	if b.paused || b.closed || b.backend == nil || !b.backend.Enter(r.loop) {
		return p
	}
	n = min(n, len(p))
	b.backend.Data(bytes.Clone(p[:n]))
	return p[n:]
}

// check holds the session to its bounds, and what the client got to be a
// sequence of messages, the last perhaps incomplete.
func (r *relay) check() {
	s := r.session
	if n := cap(s.client.in) + cap(s.back.in) + cap(s.back.sent); n > 4*maxText {
		r.t.Fatalf("the session keeps %d bytes", n)
	}
	for {
		p := r.client.kept
		n, ok := wire.FrameLen(p)
		if !ok {
			return
		}
		if n < 0 {
			r.t.Fatalf("the client got a broken message: %q", p[:min(len(p), 20)])
		}
		if n > len(p) {
			return
		}
		r.client.kept = p[n:]
	}
}
