package reactor

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"
	"time"
)

// behindDoor attaches a plain socket to the first loop, which may enter.
func behindDoor(t *testing.T, g *Group) (d *door, peer io.ReadWriteCloser) {
	t.Helper()
	d = &door{watcher: newWatcher()}
	a, b := pair(t, "tcp")
	l := g.Loops()[0]
	d.openFor(l)
	onLoop(l, func() {
		var err error
		if d.conn, err = l.Attach(b, d); err != nil {
			t.Error(err)
		}
	})
	return d, a
}

// TestGateKeepsBytes closes the Gate in the event that has written: nobody
// touches the Conn until it opens.
func TestGateKeepsBytes(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		d, peer := behindDoor(t, g)
		l := g.Loops()[0]
		onLoop(l, func() {
			d.conn.Write([]byte("written"))
			d.openFor(nil)
		})
		onLoop(l, func() {
			if d.conn.Buffered() != len("written") {
				t.Error("flushed without the Gate")
			}
		})
		d.openFor(l)
		expect(t, peer, []byte("written"))
		peer.Close()
		wait(t, d.ends, "end")
	})
}

// TestGateClosesOnDrained gives the Conn up in Drained while there is something
// to read as well: that waits until the Gate opens.
func TestGateClosesOnDrained(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		d, peer := behindDoor(t, g)
		l := g.Loops()[0]
		got := make(chan string, 1)
		written, taken := 0, 0
		onLoop(l, func() {
			d.onDrained = func() { d.openFor(nil) }
			d.onData = func(p []byte) {
				if !d.Enter(l) {
					t.Error("read without the Gate")
				}
				note(got, string(p))
			}
		})
		for d.blocked.Load() == 0 {
			onLoop(l, func() { d.conn.Write(make([]byte, BufferSize)) })
			written += BufferSize
		}
		still, done := make(chan struct{}), make(chan struct{})
		l.Post(Func(func() {
			taken = written - d.conn.Buffered()
			close(still)
			<-done // so that the socket becomes readable and writable in one event
		}))
		<-still
		expect(t, peer, make([]byte, taken))
		_, _ = peer.Write([]byte("word"))
		close(done)
		expect(t, peer, make([]byte, written-taken))
		wait(t, d.drains, "Drained")
		d.openFor(l)
		if p := wait(t, got, "data"); p != "word" {
			t.Errorf("%q", p)
		}
		peer.Close()
		wait(t, d.ends, "end")
	})
}

// TestMoveUnsent moves a Conn in the event that has written.
func TestMoveUnsent(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		to := g.Loops()[1]
		moved := make(chan struct{})
		onLoop(g.Loops()[0], func() {
			w.conn.Write([]byte("written"))
			to.Post(Func(func() { w.conn.Move(to); close(moved) }))
			<-moved
		})
		expect(t, peer, []byte("written"))
		onLoop(to, func() { w.conn.Write([]byte(" again")) })
		expect(t, peer, []byte(" again"))
		peer.Close()
		wait(t, w.ends, "end")
	})
}

// TestTLSLeftOver reads more while there is ciphertext that was read before.
func TestTLSLeftOver(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		a, b := pair(t, "tcp")
		client, server := encrypt(t, a, b, tls.VersionTLS13)
		w, l := newWatcher(), g.Loops()[0]
		var got []byte
		done := make(chan struct{}, 1)
		w.join(t, l, server)
		sent := randomBytes(100)
		onLoop(l, func() {
			w.conn.Pause()
			w.onData = func(p []byte) {
				if got = append(got, p...); len(got) == len(sent) {
					note(done, struct{}{})
				}
			}
		})
		_, _ = client.Write(sent)
		scratch, n := make([]byte, scratchSize), 0
		for n == 0 {
			onLoop(l, func() { n, _, _ = w.conn.sock.read(scratch) })
		}
		ciphertext := scratch[:n]
		onLoop(l, func() {
			w.conn.state &^= stPaused
			w.conn.tls.stream.in, w.conn.tls.owned = bytes.Clone(ciphertext[:50]), true
			w.conn.tls.feed(w.conn, l, ciphertext[50:])
		})
		wait(t, done, "data")
		onLoop(l, func() {
			if !bytes.Equal(got, sent) {
				t.Error("not what was sent")
			}
			w.conn.Close()
		})
		client.Close()
	})
}

// lingering waits until nothing is attached to l, less long than a Conn lingers
// without its peer.
func lingering(t *testing.T, l *Loop) {
	t.Helper()
	for deadline := time.Now().Add(lingerTime / 2); l.Load() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the end of the peer was not noticed")
		}
		onLoop(l, func() {})
	}
}
