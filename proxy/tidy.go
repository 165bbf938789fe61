package proxy

import (
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// untidy reports whether a backend that is between transactions has prepared
// statements that it should not have.
func (s *session) untidy() bool {
	return s.back.status == wire.StatusIdle && !s.own && (len(s.back.strays) > 0 || s.back.lease.Statements.Over(s.maxStatements(), maxStatementBytes))
}

// tidy drops those statements.
func (s *session) tidy() {
	for st := s.excess(); st != nil; st = s.excess() {
		s.back.strays = append(s.back.strays, st.Name)
	}
	s.closeStrays()
	s.syncOurs("")
}

// closeStrays drops the statements that are in the way.
func (s *session) closeStrays() {
	out := s.scratch[:0]
	for _, name := range s.back.strays {
		out = wire.AppendCloseStatement(out, name)
		s.queue.push(expectReply, swallow)
	}
	s.toBackend(out)
	s.back.strays = nil
}

func (s *session) excess() *pool.Statement {
	st := s.back.lease.Statements.Excess(s.maxStatements(), maxStatementBytes)
	if st != nil && s.traffic != nil {
		s.traffic.DroppedPrepared()
	}
	return st
}

func (s *session) maxStatements() int { return s.who.pool.Settings().MaxPreparedStatements }

// maxStatementBytes bounds the text of the statements that a backend keeps for
// all sessions. A plan takes some ten times as much there.
const maxStatementBytes = 16 << 20
