package pool

import (
	"io"
	"testing"

	"github.com/pgjay/pgjay/proxy/wire"
)

func TestIdleBackendReports(t *testing.T) {
	fatal := (&wire.Error{Severity: "FATAL", Code: "57P01", Message: "bye"}).Append(nil)
	for _, test := range []struct {
		name   string
		data   []byte
		reason string // of being closed; empty: stays
	}{
		{"parameter", wire.AppendParameterStatus(nil, "TimeZone", "Asia/Tokyo"), ""},
		{"notice", []byte{'N', 0, 0, 0, 5, 0}, ""},
		{"notification", []byte{'A', 0, 0, 0, 10, 0, 0, 0, 1, 0, 0}, ""},
		{"error", fatal, reasonServer + "_57p01"},
		{"unasked ready", wire.AppendReadyForQuery(nil, 'I'), reasonProtocol},
		{"row", []byte{'D', 0, 0, 0, 4}, reasonProtocol},
		{"garbage", []byte("HTTP/1.1 400 Bad Request"), reasonProtocol},
	} {
		t.Run(test.name, func(t *testing.T) {
			for cut := range len(test.data) {
				w := newWorld(t, 1, nil)
				p := w.set.Pool(key)
				w.fill(p, 0, 1)[0].release()
				c := w.conns[0]
				if cut > 0 {
					c.data(test.data[:cut])
					w.run()
					if st := w.stat(p); st.Idle != 0 {
						t.Fatal("leasable in the middle of a message")
					}
				}
				c.data(test.data[cut:])
				w.run()
				p.check(t)
				st := w.stat(p)
				if test.reason == "" && st.Idle != 1 || test.reason != "" && (st.Closed[test.reason] != 1 || !c.closed) {
					t.Fatalf("cut at %d: %+v", cut, st)
				}
			}
		})
	}
}

func TestIdleParameterStatusIsRemembered(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	w.fill(p, 0, 1)[0].release()
	w.conns[0].data(wire.AppendParameterStatus(nil, "TimeZone", "Asia/Tokyo"))
	s := w.session(p, 0)
	if s.lease() != nil {
		t.Error("leased in the middle of an event")
	}
	w.run()
	if s.b == nil {
		t.Fatal("the backend did not come back")
	}
	if tz, _ := s.b.Params.Get("TimeZone"); tz != "Asia/Tokyo" {
		t.Errorf("TimeZone %q", tz)
	}
	if w.dials != 2 { // one was begun for the waiter meanwhile
		t.Errorf("%d logins", w.dials)
	}
}

func TestIdleBackendDies(t *testing.T) {
	w := newWorld(t, 2, nil)
	p := w.set.Pool(key)
	w.fill(p, 1, 1)[0].release()
	c := w.conns[0]
	if c.backend.Enter(w.loops[0]) {
		t.Error("another loop was let in")
	}
	c.fail(io.EOF)
	w.run()
	if st := w.stat(p); st.Idle+st.Testing != 0 || st.Closed[reasonServer] != 1 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

func TestSpuriousEvent(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	w.fill(p, 0, 1)[0].release()
	w.conns[0].event(func() {})
	if st := w.stat(p); st.Testing != 1 {
		t.Errorf("%+v", st)
	}
	w.run()
	if st := w.stat(p); st.Idle != 1 {
		t.Errorf("the backend is lost: %+v", st)
	}
	p.check(t)
}
