package proxy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// prepared is called when the backend has made the oldest change, ours or the
// client's.
func (s *session) prepared(kind expectKind) {
	if kind.loads() {
		s.back.loads.done(true, &s.back.lease.Statements)
	}
	if kind.changes() {
		if c := s.client.statements.commit(); c.name == "" && kind == expectChange {
			s.back.lease.UnnamedOwner = c.to.token
		}
	}
}

// notPrepared is called when the oldest change has failed. A Parse of the
// unnamed statement has dropped that before PostgreSQL looked at the new one; if
// it was ours the client has its statement still.
func (s *session) notPrepared(head expect) {
	if head.kind.loads() {
		s.back.loads.done(false, &s.back.lease.Statements)
	}
	if !head.kind.changes() {
		return
	}
	c := &s.client.statements
	if c.pending[0].name == "" {
		if head.kind == expectChange {
			s.back.lease.UnnamedOwner = 0
		}
		if head.act == forward {
			c.unnamed = statement{}
		}
	}
	c.skip(1)
}

// unnamedDropped is called when the backend has executed a Query.
func (s *session) unnamedDropped(act action) {
	s.back.lease.UnnamedOwner = 0
	if act == forward {
		s.client.statements.unnamed = statement{}
	}
}

// forwardError decides what becomes of an error that is the client's. One may say
// that a shared statement is stale: a result has got another type since it was
// prepared, or it is gone, which can happen inside of functions.
func (s *session) forwardError(body []byte) action {
	named := bytes.Contains(body, []byte(pool.StatementPrefix))
	code := string(wire.ErrorCode(body))
	changed := code == "0A000" && bytes.Contains(body, []byte("\x00RRevalidateCachedQuery\x00"))
	if changed || named && code == "26000" {
		if changed {
			s.who.pool.StatementsStale()
		}
		s.prepareAgain()
		if s.heals() {
			return swallow
		}
	}
	if named {
		return s.withOwnNames(body)
	}
	return forward
}

// prepareAgain has all shared statements of the backend prepared again when they
// are used next.
func (s *session) prepareAgain() {
	on := &s.back.lease.Statements
	for st := on.Excess(0, 0); st != nil; st = on.Excess(0, 0) {
		s.back.strays = append(s.back.strays, st.Name)
	}
	on.Epoch = s.who.pool.StatementsEpoch()
}

// heals has an exchange that has met a stale statement run once more, when it has
// ended, and reports whether it will:
//
//  1. no transaction was open, nothing was executed, and nothing of it has reached
//     the client;
//  2. all of it is known, and nothing has been sent behind it;
//  3. the client does not go by a description that it got before: it prepares the
//     statement, or has it described, in this exchange.
func (s *session) heals() bool {
	if s.back.status != wire.StatusIdle || s.back.executed || len(s.back.sent) == 0 || s.gone || !describes(s.back.sent) {
		return false
	}
	switch {
	case s.queue.empty(): // the client's Sync is still to come
		s.toBackend(wire.AppendEmpty(s.scratch[:0], wire.Sync))
		s.queue.push(expectSync, swallow)
		s.client.skipping, s.tx.unsynced = false, false
	case s.queue.onlySync():
		s.queue.head().act = swallow
	default:
		return false
	}
	s.back.healing = true
	s.pauseClient(pausedWaiting)
	return true
}

// describes reports whether there is a Parse or Describe among messages.
func describes(p []byte) bool {
	for {
		n, ok := wire.FrameLen(p)
		if !ok || n < 0 || n > len(p) {
			return false
		}
		if p[0] == wire.Parse || p[0] == wire.Describe {
			return true
		}
		p = p[n:]
	}
}

// heal runs the exchange again.
func (s *session) heal() {
	sent := s.back.sent
	s.back.sent, s.back.healing = nil, false
	s.sample.code = [2]byte{}
	s.client.statements.takeBack()
	s.tryAgain(sent, "stale_statement")
}

// sharedName finds the name of a shared statement in an error message.
var sharedName = regexp.MustCompile(`"` + pool.StatementPrefix + `[0-9]+"`)

// withOwnNames puts the client's names of its prepared statements into an error
// message, in the place of those that the backend knows.
func (s *session) withOwnNames(body []byte) action {
	text := sharedName.ReplaceAllStringFunc(string(body), func(quoted string) string {
		return `"` + s.ownNameOf(strings.Trim(quoted, `"`)) + `"`
	})
	s.aside = wire.AppendFrame(s.aside, wire.ErrorResponse, text)
	return swallow
}

// ownNameOf returns the client's name of a shared statement.
func (s *session) ownNameOf(shared string) string {
	text := s.back.lease.Statements.Body(shared)
	for name, st := range s.client.statements.all {
		if st.shared() && st.body.handle == text {
			return name
		}
	}
	return ""
}
