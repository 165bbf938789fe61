package pool

import (
	"github.com/pgjay/pgjay/proxy/wire"
)

// listenParams are the start-up parameters of listening backends. What they
// notify is in UTF-8, whatever the database or a session speaks.
var listenParams = map[string]string{"client_encoding": "UTF8", "application_name": "pgjay listener"}

// link is a listening backend, from its login on, as its lessee. It is owned by
// the listener's loop.
type link struct {
	listener *Listener
	target   Target   // where it logs in
	pool     *Pool    // of whoever asked for it
	backend  *Backend // nil: not logged in yet, or gone
	prepared bool     // prepareListening was sent
	partial  []byte   // of a message
}

// Leased and LeaseFailed are not called: the backend is dedicated.
func (*link) Leased(*Backend)   {}
func (*link) LeaseFailed(error) {}

// BackendBlocked and BackendDrained say nothing of interest: a batch is small
// and there is one at a time.
func (*link) BackendBlocked() {}
func (*link) BackendDrained() {}

// BackendClosed tells the listener that it has lost its backend.
func (k *link) BackendClosed(err error) {
	k.backend = nil
	k.listener.lose(k, err)
}

// BackendData handles what the backend says.
func (k *link) BackendData(p []byte) {
	if k.partial != nil {
		p = append(k.partial, p...)
		k.partial = nil
	}
	for len(p) > 0 && k.backend != nil {
		n, ok := wire.FrameLen(p)
		if !ok || n > len(p) && n <= maxPartial {
			k.partial = append([]byte(nil), p...)
			return
		}
		if n < 0 || n > len(p) || !k.message(p[:n]) {
			k.destroy(reasonListen, errListenProtocol)
			return
		}
		p = p[n:]
	}
}

// destroy closes a backend whose state is not known.
func (k *link) destroy(reason string, err error) {
	if b := k.backend; b != nil {
		k.backend = nil
		b.Destroy(reason)
		k.listener.lose(k, err)
	}
}

// release closes a backend that is not needed any more.
func (k *link) release() {
	b := k.backend
	k.backend = nil
	b.Release()
}

// message handles one message. It returns false if that must not come now.
func (k *link) message(frame []byte) bool {
	body := frame[wire.HeaderLen:]
	current := k.listener.batch.current()
	switch frame[0] {
	case wire.NotificationResponse:
		return k.listener.notified(frame)
	case wire.NoticeResponse, wire.ParameterStatus:
		return true
	case wire.ErrorResponse:
		k.failed(current, wire.ParseError(body))
		return true
	case wire.ReadyForQuery:
		if current == nil || !current.over() || len(body) != 1 || body[0] != wire.StatusIdle {
			return false
		}
		k.listener.answered()
		return true
	case wire.CommandComplete:
		if current == nil || current.complete || current.kind == replySync {
			return false
		}
		current.complete = true
		return true
	case wire.RowDescription, wire.DataRow:
		return current != nil && current.kind == replyPrepare
	}
	return false
}

// over reports whether ReadyForQuery may come.
func (r *reply) over() bool {
	refused := r.kind == replyListen && r.channel.refused != nil
	return r.complete != refused || r.kind == replySync || r.kind == replyPrepare
}

// failed handles an error. A LISTEN may be refused, and what prepares it, too;
// any other error means that the backend could not pass on a notification, or
// that it ends.
func (k *link) failed(current *reply, e *wire.Error) {
	expected := e.Severity == "ERROR" && current != nil && !current.complete
	switch {
	case expected && current.kind == replyPrepare:
	case expected && current.kind == replyListen && current.channel.refused == nil:
		current.channel.refused = e
	case e.Severity == "ERROR":
		k.destroy(reasonListen, e)
	default:
		k.destroy(ServerClosed(e.Code), e)
	}
}
