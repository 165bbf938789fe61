package proxy

import (
	"bytes"

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

// refuseAs has PostgreSQL refuse something in the place of what the client has
// sent.
func (s *session) refuseAs(r *refused, frame []byte) {
	s.keep(frame)
	s.toBackend(wire.AppendParse(s.scratch[:0], s.back.lease.Statements.Spare().Name, "SELECT '"+r.mark+"'::pg_catalog.int4"))
	s.queue.push(expectReply, forward)
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
