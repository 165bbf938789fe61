package proxy

import (
	"bytes"
	"regexp"
	"slices"
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
// that a shared statement is stale.
func (s *session) forwardError(body []byte) action {
	if s.client.cut {
		s.tellCut(body)
		return swallow
	}
	if s.back.refused != nil && s.standsIn(body) || s.runsOriginal(body) {
		return swallow
	}
	named := bytes.Contains(body, []byte(pool.StatementPrefix))
	code := string(wire.ErrorCode(body))
	if s.staleness(code, body, named) && s.tx.spared && s.heals() {
		return swallow
	}
	if by := spoiltBy(code, body); by != unspoilt {
		if s.back.moving = s.isStranger(by); s.back.moving && s.heals() {
			return swallow
		}
		s.back.moving = false
		s.notLonger()
	}
	if named {
		return s.withOwnNames(body)
	}
	if s.withOwnPosition(body) {
		return swallow
	}
	return forward
}

// staleness reports whether an error may come from a shared statement that is
// stale, and draws the conclusions: the type of a result has changed, by means
// that the proxy did not see; what the statement names is gone, of which its Parse
// would have told; or it is gone itself, which can happen inside of functions.
func (s *session) staleness(code string, body []byte, named bool) bool {
	switch {
	case code == "0A000" && bytes.Contains(body, []byte("\x00RRevalidateCachedQuery\x00")):
		s.who.pool.SchemaChanged()
	case named && code == "26000":
		s.dropShared()
	default:
		return slices.Contains(missing[:], code)
	}
	return true
}

// missing are the errors of statements that name what is not there any more:
// relations, columns, functions, types, schemas; or what has another type now. A
// type that a statement has been prepared with is looked up by number (XX000).
var missing = [...]string{"42P01", "42703", "42883", "42704", "42804", "3F000", "XX000"}

// dropShared has all shared statements of the backend dropped.
func (s *session) dropShared() {
	on := &s.back.lease.Statements
	for st := on.Excess(0, 0); st != nil; st = on.Excess(0, 0) {
		s.back.strays = append(s.back.strays, st.Name)
	}
}

// heals has an exchange that has failed run once more, when it has ended, and
// reports whether it will:
//
//  1. no transaction was open, or, if it is to run on another backend, none but that
//     of a BEGIN that was held back;
//  2. nothing was executed, and nothing of PostgreSQL's replies has reached the client;
//  3. all of it is known, and nothing has been sent behind it.
//
// One that has met a stale statement is run again if the client prepares that in it
// and the backend had it already. A statement that was prepared before may be
// described to the client as it was then; for it the error is right.
func (s *session) heals() bool {
	apart := s.back.status == wire.StatusIdle || s.back.moving && s.begin.text != "" && s.begin.replies == 0
	if !apart || s.back.executed || len(s.back.sent) == s.back.told || s.gone {
		return false
	}
	switch {
	case s.queue.empty(): // the client's Sync is still to come
		s.toBackend(wire.AppendEmpty(s.scratch[:0], wire.Sync))
		s.queue.push(expectSync, swallow)
		s.client.skipping, s.tx.unsynced = false, false
	case s.queue.onlySync(), s.queue.onlyHead() && s.queue.head().kind == expectQuery:
		s.queue.head().act = swallow
	default:
		return false
	}
	s.back.healing = true
	s.pauseClient(pausedWaiting)
	return true
}

// heal runs the exchange again.
func (s *session) heal() {
	s.back.healing, s.tx.spared = false, false
	s.sample.code = [2]byte{}
	s.sample.observed.state = [5]byte{}
	s.client.statements.takeBack()
	switch {
	case s.back.moving:
		s.moveToNew(s.takeSent())
	case s.unwritten != nil:
		s.tryAgain(s.takeSent(), "rewrite_failed")
	default:
		s.forgetShared()
		s.tryAgain(s.takeSent(), "stale_statement")
	}
}

// forgetShared has the statements prepared again that are prepared in what was sent. Those
// of which the client has been told already are prepared now.
func (s *session) forgetShared() {
	on := &s.back.lease.Statements
	for p, told := s.back.sent, s.back.told; len(p) > 0; {
		n, ok := wire.FrameLen(p)
		if !ok || n > len(p) {
			return
		}
		if p[0] == wire.Parse {
			own := s.newStatement(s.parsed(p[:n]))
			if st := on.Use(s.statementKey(own)); st != nil {
				on.Remove(st)
				s.back.strays = append(s.back.strays, st.Name)
			}
			name, _, _ := wire.CString(p[wire.HeaderLen:])
			if is, _ := s.client.statements.get(name); told > 0 && is.body == own.body && is.shared() {
				s.client.statements.set(string(significant(name)), own)
			}
		}
		p, told = p[n:], told-n
	}
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
	for _, p := range s.back.skipped {
		if p.on == shared {
			return p.name
		}
	}
	text := s.back.lease.Statements.Body(shared)
	for name, st := range s.client.statements.all {
		if st.shared() && st.body.handle == text {
			return name
		}
	}
	return ""
}
