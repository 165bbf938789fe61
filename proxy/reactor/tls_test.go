package reactor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// encrypt shakes hands on a pair of sockets. server is to be attached.
func encrypt(t *testing.T, a, b net.Conn, version uint16) (client, server *tls.Conn) {
	t.Helper()
	client = tls.Client(a, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	server = tls.Server(NewStream(b), &tls.Config{Certificates: []tls.Certificate{certificate()}, SessionTicketsDisabled: true})
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := errors.Join(client.Handshake(), wait(t, shaken, "handshake")); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestTLSEcho(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) {
				for _, size := range []int{1, 16 << 10, 3 << 20} {
					a, b := pair(t, "tcp")
					client, server := encrypt(t, a, b, version)
					w := echoing(t, g.Loops()[0], server)
					sent := randomBytes(size)
					go func() {
						_, _ = client.Write(sent)
						_ = client.CloseWrite()
					}()
					expect(t, client, sent)
					if err := wait(t, w.ends, "end"); err != io.EOF {
						t.Error(err)
					}
					client.Close()
				}
			})
		})
	}
}

// echoing attaches an echo with back-pressure.
func echoing(t *testing.T, l *Loop, nc net.Conn) *watcher {
	w := newWatcher()
	w.onData = func(p []byte) { w.conn.Write(p) }
	w.onBlocked = func() { w.conn.Pause() }
	w.onDrained = func() { w.conn.Resume() }
	w.join(t, l, nc)
	return w
}

// TestTLSLastWords has the request, the peer's close_notify and its end of file
// in one read; the reply goes out before Closed.
func TestTLSLastWords(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		a, b := pair(t, "tcp")
		client, server := encrypt(t, a, b, tls.VersionTLS13)
		w := newWatcher()
		reply := randomBytes(4 << 20)
		w.onData = func([]byte) { w.conn.Write(reply) }
		w.onBlocked = func() { w.conn.Pause() }
		w.onDrained = func() { w.conn.Resume() }
		_, _ = client.Write([]byte("request"))
		_ = client.CloseWrite()
		_ = a.(*net.TCPConn).CloseWrite()
		w.join(t, g.Loops()[0], server)
		expect(t, client, reply)
		if err := wait(t, w.ends, "end"); err != io.EOF || w.ended.Load() != 1 {
			t.Error(err, w.ended.Load())
		}
		client.Close()
	})
}

// TestTLSCloseNotify looks at what the peer gets at the end: io.EOF only if
// there was a close_notify.
func TestTLSCloseNotify(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		for name, end := range map[string]func(*Conn){"Close": (*Conn).Close, "CloseAfterFlush": (*Conn).CloseAfterFlush} {
			for _, size := range []int{1, 2 << 20} {
				a, b := pair(t, "tcp")
				client, server := encrypt(t, a, b, tls.VersionTLS13)
				w := newWatcher()
				w.join(t, g.Loops()[0], server)
				if name == "Close" && size > 1 {
					size = 1 << 10 // what the kernel takes at once
				}
				sent := randomBytes(size)
				onLoop(g.Loops()[0], func() { w.conn.Write(sent); end(w.conn) })
				expect(t, client, sent)
				if _, err := client.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("%s: %v", name, err)
				}
				client.Close()
				onLoop(g.Loops()[0], func() {
					if _, err := server.NetConn().Write([]byte("late")); err == nil && w.conn.is(stClosed) {
						t.Error("written after the end")
					}
				})
				if w.ended.Load() != 0 {
					t.Error("closed")
				}
			}
		}
	})
}

// TestTLSAlert breaks the encryption: the peer is told why before the socket is
// closed.
func TestTLSAlert(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		a, b := pair(t, "tcp")
		client, server := encrypt(t, a, b, tls.VersionTLS13)
		w := newWatcher()
		w.join(t, g.Loops()[0], server)
		_, _ = a.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
		if err := wait(t, w.ends, "end"); err == nil || errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if _, err := client.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Error(err)
		}
		client.Close()
		if w.ended.Load() != 1 {
			t.Error("closed twice")
		}
	})
}

// door is a Gate that a test opens for one loop. It passes on what comes.
type door struct {
	*watcher
	mu   sync.Mutex
	open *Loop
}

func (d *door) Enter(l *Loop) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open == l
}

func (d *door) openFor(l *Loop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = l
}

// joinWithInput attaches a socket while its input is inside crypto/tls: it will
// not be seen in the socket. The handler passes on what it gets.
func (d *door) joinWithInput(t *testing.T, l *Loop, input string) (client *tls.Conn, got chan string) {
	a, b := pair(t, "tcp")
	client, server := encrypt(t, a, b, tls.VersionTLS13)
	_, _ = client.Write([]byte("1" + input))
	_ = b.SetReadDeadline(time.Now().Add(patience))
	if n, err := server.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatal(err)
	}
	got = make(chan string, len(input)+1)
	d.watcher = newWatcher()
	d.onData = func(p []byte) { got <- string(p) }
	onLoop(l, func() {
		l.plain = make([]byte, 4) // so that much remains to be decrypted
		var err error
		if d.conn, err = l.Attach(server, d); err != nil {
			t.Error(err)
		}
	})
	return client, got
}

// TestTLSBuffered has input inside crypto/tls that the socket does not show any
// more: it is read when the Gate opens, when the Conn has moved, and on Resume.
func TestTLSBuffered(t *testing.T) {
	tests := map[string]func(g *Group, d *door, got chan string) string{
		"the Gate opens": func(g *Group, d *door, got chan string) string {
			d.openFor(g.Loops()[0])
			return ""
		},
		"Move": func(g *Group, d *door, got chan string) string {
			d.openFor(g.Loops()[1])
			onLoop(g.Loops()[1], func() { d.conn.Move(g.Loops()[1]) })
			return ""
		},
		"Move after the first bytes": func(g *Group, d *door, got chan string) string {
			pass := d.onData
			d.onData = func(p []byte) { d.openFor(nil); pass(p) }
			d.openFor(g.Loops()[0])
			first := <-got
			d.onData = pass
			d.openFor(g.Loops()[2])
			onLoop(g.Loops()[2], func() { d.conn.Move(g.Loops()[2]) })
			return first
		},
		"Resume": func(g *Group, d *door, got chan string) string {
			pass := d.onData
			d.onData = func(p []byte) { d.conn.Pause(); pass(p) }
			d.openFor(g.Loops()[0])
			first := <-got
			onLoop(g.Loops()[0], func() { d.onData = pass; d.conn.Resume() })
			return first
		},
	}
	for name, step := range tests {
		t.Run(name, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) {
				const input = "what was read with the handshake"
				d := new(door)
				client, got := d.joinWithInput(t, g.Loops()[0], input)
				all := step(g, d, got)
				for len(all) < len(input) {
					all += wait(t, got, "data")
				}
				_, _ = client.Write([]byte(" and more"))
				for len(all) < len(input+" and more") {
					all += wait(t, got, "more data")
				}
				if all != input+" and more" {
					t.Errorf("%q", all)
				}
				client.Close()
				wait(t, d.ends, "end")
			})
		})
	}
}
