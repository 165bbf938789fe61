package proxy

import (
	"bytes"
	"encoding/binary"

	"github.com/pgjay/pgjay/proxy/wire"
)

// simWork is the time that messages take in a server process, and what a cancel
// request does to the one that is under way.
type simWork struct {
	slow     func() bool // whether a message takes time; nil: none does
	busy     bool        // with the first message of in
	awake    bool        // it has taken its time
	canceled bool        // it is canceled
	// shown reports whether the next that the client got says that it was
	// canceled: of a twin, which cannot know otherwise.
	shown func() bool
}

func cancelable(typ byte) bool {
	return typ == wire.Query || typ == wire.Parse || typ == wire.Bind || typ == wire.Execute
}

func (v *simServer) takesTime(typ byte) bool {
	if v.awake {
		v.awake = false
		return false
	}
	return v.slow != nil && !v.copying && !v.skipping && cancelable(typ) && v.slow()
}

// wake does what has taken its time.
func (v *simServer) wake() {
	v.busy, v.awake = false, true
	v.work()
}

// cancel ends what is under way. What a copy by the extended protocol has read
// then nobody can tell, so where clients send requests it is spared.
func (v *simServer) cancel() {
	switch {
	case v.busy:
		v.canceled = true
		v.wake()
	case v.copying && (v.simple || v.slow == nil):
		v.copyEnds(v.failCanceled())
	}
}

// told reports whether the client of a twin was told that the message was
// canceled.
func (v *simServer) told() bool { return v.shown != nil && v.shown() }

// cancels reports whether a message is canceled.
func (v *simServer) cancels(typ byte) bool {
	if v.shown != nil && typ != wire.Sync && typ != wire.Flush && typ != wire.Terminate {
		return v.shown()
	}
	is := v.canceled
	v.canceled = false
	return is
}

func (v *simServer) failMessage(typ byte, body []byte) {
	v.simple = typ == wire.Query
	if v.simple || typ == wire.Parse && body[0] == 0 {
		v.unnamed = nil
	}
	v.failCanceled()
	if v.simple {
		v.endImplicit()
		v.ready()
	}
}

func (v *simServer) failCanceled() bool {
	return v.fail("57014", "canceling statement due to user request")
}

// simCancel is a cancel request.
type simCancel struct {
	target *simClient
	got    int // what the client had got when it was sent
	sent   int // what the client had sent when the connection was closed
}

func (r *simCancel) delivered() { r.sent = r.target.sent }

// sendCancel has somebody send a request for one of the clients.
func (m *sim) sendCancel() bool {
	c := m.clients[m.rng.IntN(len(m.clients))]
	key := keyOf(c.got)
	if c.request != nil || key == nil {
		return false
	}
	m.cancels--
	packet := binary.BigEndian.AppendUint32(nil, uint32(8+len(key)))
	packet = append(binary.BigEndian.AppendUint32(packet, 80877102), key...)
	r := &simCancel{target: c, got: len(c.got), sent: len(c.script)}
	c.requests = append(c.requests, r)
	m.say("cancel request for client %d", c.id)
	m.connect(&simClient{sim: m, id: len(m.clients), script: packet, vanishes: -1, request: r})
	return true
}

// keyOf returns the cancel key that a client was told.
func keyOf(got []byte) []byte {
	for len(got) > 0 {
		n, ok := wire.FrameLen(got)
		if !ok || n < 0 || n > len(got) || got[0] == wire.ReadyForQuery {
			return nil
		}
		if got[0] == wire.BackendKeyData {
			return got[wire.HeaderLen:n]
		}
		got = got[n:]
	}
	return nil
}

// feedCanceled gives a client's messages to its twin, which cancels those that the
// proxy has canceled. Each must be one that a request can have been meant for: its
// exchange had begun before the request's connection was closed, and it was not
// answered before the request was sent. One request cancels one message.
func (m *sim) feedCanceled(v *simServer, c *simClient, from int) {
	got, _ := greeting(c.got)
	start := len(c.got) - len(got)
	got = replies(got)
	to, sent, hits, begins := from, from, 0, true
	v.shown = func() bool {
		at := len(replies(v.out))
		if at >= len(got) || !isCanceled(got[at:]) {
			return false
		}
		hits++
		for _, r := range c.requests {
			if sent <= r.sent && len(replies(c.got[min(start, r.got):r.got])) <= at {
				return true
			}
		}
		m.t.Errorf("client %d: what it began to send at %d is canceled without a request: %q", c.id, sent, c.script)
		return true
	}
	for to < len(c.script) {
		n, _ := wire.FrameLen(c.script[to:])
		if to += n; begins && c.script[to-n] != wire.Sync {
			sent, begins = to-n+1, false
		}
		v.feed(c.script[to-n : to])
		begins = begins || endsWithReady(v.out)
	}
	if hits > len(c.requests) {
		m.t.Errorf("client %d: %d requests cancel %d messages", c.id, len(c.requests), hits)
	}
}

func isCanceled(p []byte) bool {
	n, ok := wire.FrameLen(p)
	return ok && n > 0 && n <= len(p) && p[0] == wire.ErrorResponse && bytes.Contains(p[:n], []byte(" user request\x00"))
}

// endsWithReady reports whether the last message is ReadyForQuery.
func endsWithReady(p []byte) bool {
	const ready = "Z\x00\x00\x00\x05"
	return len(p) > len(ready) && string(p[len(p)-len(ready)-1:len(p)-1]) == ready
}

// replies leaves out what is sent at any time.
func replies(p []byte) (out []byte) {
	for len(p) > 0 {
		n, ok := wire.FrameLen(p)
		if !ok || n < 0 || n > len(p) {
			return append(out, p...)
		}
		if p[0] != wire.ParameterStatus {
			out = append(out, p[:n]...)
		}
		p = p[n:]
	}
	return out
}
