package proxy

import (
	"bytes"
	"fmt"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// refused is a statement of the client's that PostgreSQL would not prepare on
// another backend: what it names is gone, say. A client that has prepared it before
// is told so when it uses the statement. A stand-in has the name meanwhile, whose
// error, wherever it comes about, is replaced by the true one.
type refused struct {
	mark string // what the stand-in's error says
	why  *wire.Error
}

// standIn returns what a Parse says of the stand-in. It is analysed without an
// error, which comes when it is planned.
func (r *refused) standIn(st statement) string {
	text := []byte(st.sql)
	if st.body != nil {
		text = st.body.sql
	}
	const textType = "\x00\x00\x00\x19"
	out := wire.AppendParse(nil, "", "SELECT '"+r.mark+"'::pg_catalog.text::pg_catalog.int4")
	out = out[wire.HeaderLen+1 : len(out)-2]
	n := sqlparse.NewStatement(text).Facts().Parameters
	out = append(out, byte(n>>8), byte(n))
	for range n {
		out = append(out, textType...)
	}
	return string(out)
}

// refuseNamed notes that a statement is refused.
func (s *session) refuseNamed(name string, why *wire.Error) {
	if s.back.refused == nil {
		s.back.refused = make(map[string]*refused)
	}
	s.back.refused[name] = &refused{mark: fmt.Sprintf("pgjay: refused %d.", len(s.back.refused)), why: why}
}

// refusal is what the client gets in the place of what PostgreSQL says to something that
// we have sent it in the place of the client's.
type refusal struct {
	// parameters is the ParameterDescription ahead of the error; nil: none.
	parameters *string
	why        *wire.Error // nil: it is no error; there are no rows
}

// refuseWith has PostgreSQL refuse something in the place of what the client has sent.
func (s *session) refuseWith(r refusal, frame []byte) {
	s.keep(frame)
	s.back.refusals = append(s.back.refusals, r)
	if r.why != nil {
		s.toBackend(wire.AppendParse(s.scratch[:0], s.back.lease.Statements.Spare().Name, failing))
	} else {
		s.toBackend(wire.AppendCloseStatement(s.scratch[:0], fenceName))
	}
	s.queue.push(expectRefusal, forward)
}

// describeRefused answers the Describe of a statement that PostgreSQL has refused. It
// tells the parameters before it looks whether the rows are still the same, and does
// that only where there are some (postgres.c, exec_describe_statement_message).
func (s *session) describeRefused(st statement, r *refused, frame []byte) {
	is := st.is
	if st.body != nil {
		is = s.who.pool.Description(s.statementKeyThen(st))
	}
	answer := refusal{why: r.why}
	if is != (pool.Description{}) {
		answer.parameters = &is.Parameters
	}
	if is.Rows == withoutRows {
		answer.why = nil
	}
	s.refuseWith(answer, frame)
}

// answerRefusal gives the client what stands for the reply to the oldest.
func (s *session) answerRefusal() {
	r := s.back.refusals[0]
	s.unrefused(1)
	if r.parameters != nil {
		s.aside = wire.AppendFrame(s.aside, wire.ParameterDescription, *r.parameters)
	}
	if r.why != nil {
		s.aside = r.why.Append(s.aside)
	} else {
		s.aside = wire.AppendEmpty(s.aside, wire.NoData)
	}
}

// unrefused forgets the oldest.
func (s *session) unrefused(n int) {
	s.back.refusals = append(s.back.refusals[:0], s.back.refusals[n:]...)
}

// standsIn reports whether an error is that of a stand-in, and gives the client the
// true one.
func (s *session) standsIn(body []byte) bool {
	for _, r := range s.back.refused {
		if bytes.Contains(body, []byte(r.mark)) {
			s.aside = r.why.Append(s.aside)
			return true
		}
	}
	return false
}

// refusedName returns a name for what a failed transaction refuses: PostgreSQL
// refuses its Parse.
func (s *session) refusedName() string {
	name := s.back.lease.Statements.Spare().Name
	s.toBackend(wire.AppendParse(s.scratch[:0], name, "SELECT 1"))
	s.queue.push(expectReply, swallow)
	s.back.strays = append(s.back.strays, name)
	return name
}
