package pool

import "github.com/pgjay/pgjay/proxy/wire"

// maxPartial bounds what is kept of an incomplete message from a backend that
// nobody has leased.
const maxPartial = 1 << 20

// pingMessage is a Sync: the server answers ReadyForQuery and does nothing. An
// empty Query would drop the unnamed prepared statement.
var pingMessage = wire.AppendEmpty(nil, wire.Sync)

// pingLocked checks an idle backend for whoever waits. If it does not answer
// within the connect timeout the janitor closes it.
func (p *Pool) pingLocked(b *Backend) {
	p.checkLocked(b)
	b.pinging, b.counted = true, true
	p.dialing.pings++
	p.later.pings = append(p.later.pings, b)
}

// ping is a backend as the task that sends it a ping.
type ping Backend

// Run sends the ping, unless the backend has closed meanwhile.
func (g *ping) Run() {
	b := (*Backend)(g)
	if b.state() == stateChecking {
		b.pinged = true
		b.conn.Write(pingMessage)
		b.conn.Flush()
	}
}

// ponged ends a ping that was answered.
func (b *Backend) ponged() {
	p := b.Pool
	p.mu.Lock()
	if b.pinging {
		b.endPingLocked()
		b.endEventLocked()
	}
	p.mu.Unlock()
}

// endPingLocked notes that no reply to a ping is expected any more.
func (b *Backend) endPingLocked() {
	if b.counted {
		b.Pool.dialing.pings--
	}
	b.pinging, b.counted = false, false
}

// unleasedData handles what a backend says while nobody has leased it.
func (b *Backend) unleasedData(p []byte) {
	continued := b.partial != nil
	if continued {
		p = append(b.partial, p...)
		b.partial = nil
	}
	for len(p) > 0 {
		n, ok := wire.FrameLen(p)
		if !ok || n > len(p) && n <= maxPartial {
			b.partial = append([]byte(nil), p...)
			return
		}
		if n < 0 || n > len(p) {
			b.refuse(reasonProtocol)
			return
		}
		if reason := b.unleasedMessage(p[0], p[wire.HeaderLen:n]); reason != "" {
			b.refuse(reason)
			return
		}
		p = p[n:]
	}
	if continued {
		b.Pool.mu.Lock()
		b.endEventLocked()
		b.Pool.mu.Unlock()
	}
}

// unleasedMessage handles one message. It returns why the backend cannot be
// kept, if so.
func (b *Backend) unleasedMessage(typ byte, body []byte) (reason string) {
	switch typ {
	case wire.ParameterStatus:
		name, rest, _ := wire.CString(body)
		value, _, _ := wire.CString(rest)
		b.Params = b.Params.With(string(name), string(value))
	case wire.NoticeResponse, wire.NotificationResponse:
	case wire.ErrorResponse:
		farewell := wire.ParseError(body)
		b.Ends(farewell)
		return ServerClosed(farewell.Code)
	case wire.ReadyForQuery:
		if !b.pinged || len(body) != 1 || body[0] != wire.StatusIdle {
			return reasonProtocol
		}
		b.pinged = false
		b.ponged()
	default:
		return reasonProtocol
	}
	return ""
}

// refuse closes a backend that nobody has leased.
func (b *Backend) refuse(reason string) {
	if b.drop(reason) {
		b.conn.Close()
		b.gone(reason)
	}
}
