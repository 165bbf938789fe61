package proxy

import (
	"encoding/binary"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Where PostgreSQL refuses a Bind by what it knows of the statement alone, one without
// a text stands for that. It has the client's name, which the error tells: the
// statement that all sessions share may be several to this client.

// standIn has a statement stand for one that is to be bound, and returns its name; ""
// if the Bind is not known to be refused. values is what the Bind says behind the names.
func (s *session) standIn(called []byte, own statement, values []byte) string {
	if s.back.exposed || !s.refusesBind(own, values) {
		return ""
	}
	n, known := own.parameters()
	if !known {
		return ""
	}
	return s.parseEmpty(called, n)
}

// describesNothing has a statement stand for one that is to be described and has
// neither rows nor parameters, and returns its name; "" if there is no need: the
// backend has it, or could be given it, as the transaction has not failed. PostgreSQL
// describes such a one all the same (postgres.c, exec_describe_statement_message).
func (s *session) describesNothing(called []byte, own statement) string {
	if !s.meetsFailed() || s.back.exposed || !own.shared() ||
		own.body.class.EndsTransaction() || !rowless(own.body.class) || s.back.lease.Statements.Use(s.statementKey(own)) != nil {
		return ""
	}
	if n, known := own.parameters(); !known || n > 0 {
		return ""
	}
	return s.parseEmpty(called, 0)
}

// rowless reports whether statements like this never return rows.
func rowless(class sqlparse.Class) bool {
	switch class.First {
	case sqlparse.CommandBegin, sqlparse.CommandSavepoint, sqlparse.CommandTwoPhase, sqlparse.CommandSet, sqlparse.CommandReset,
		sqlparse.CommandDiscard, sqlparse.CommandPrepare, sqlparse.CommandDeallocate, sqlparse.CommandListen, sqlparse.CommandUnlisten,
		sqlparse.CommandNotify, sqlparse.CommandDeclare, sqlparse.CommandClose, sqlparse.CommandLoad, sqlparse.CommandDo,
		sqlparse.CommandDDL, sqlparse.CommandUtility, sqlparse.CommandCopy:
		return class.Statements == 1
	}
	return false
}

// parseEmpty prepares a statement without a text, and returns its name.
func (s *session) parseEmpty(called []byte, n int) string {
	name := s.unknown(ownName(called))
	if name == "" {
		name = s.back.lease.Statements.Spare().Name
	}
	s.toBackend(wire.AppendParseEmpty(s.scratch[:0], name, n))
	s.queue.push(expectReply, swallow)
	s.back.strays = append(s.back.strays, name)
	return name
}

// refusesBind reports whether PostgreSQL refuses to bind a statement: it supplies too
// many or too few parameters; or the transaction has failed, where the Parse that the
// backend lacks would be refused before they are counted (postgres.c,
// exec_bind_message).
func (s *session) refusesBind(own statement, values []byte) bool {
	failed := s.meetsFailed()
	switch {
	case !own.shared():
		return failed && own.sql != "" && own.token == 0
	case own.body.miscounts(values):
		return true
	}
	return failed && !own.body.class.EndsTransaction() && s.back.lease.Statements.Use(s.statementKey(own)) == nil
}

// meetsFailed reports whether what is sent next is for a transaction that has failed, and
// that nothing ends which is under way.
func (s *session) meetsFailed() bool {
	return s.back.status == wire.StatusError && !s.queue.owesReady() && !s.tx.ends
}

// parameters returns how many parameters a statement has that can be prepared anywhere.
func (st statement) parameters() (n int, known bool) {
	if st.body != nil {
		return st.body.parameters()
	}
	facts := sqlparse.NewStatement([]byte(st.sql)).Facts()
	return facts.Parameters, !facts.Opaque
}

// parameters is that of a body with a handle. The types may be of more parameters than
// the text has.
func (b *body) parameters() (n int, known bool) {
	facts := b.statement.Facts()
	return max(facts.Parameters, declaredTypes(b.text)), !facts.Opaque
}

// miscounts reports whether a Bind supplies another number of parameters than the
// statement has. In definitions PostgreSQL does not look for parameters before it
// executes them.
func (b *body) miscounts(values []byte) bool {
	n, ok := supplied(values)
	if !ok || n == b.apparent || b.class.First == sqlparse.CommandDDL {
		return false
	}
	has, known := b.parameters()
	return known && n != has
}

// supplied returns how many parameters a Bind supplies: they stand behind the formats.
func supplied(values []byte) (n int, ok bool) {
	if len(values) < 2 {
		return 0, false
	}
	at := 2 + 2*int(binary.BigEndian.Uint16(values))
	if len(values) < at+2 {
		return 0, false
	}
	return int(binary.BigEndian.Uint16(values[at:])), true
}

// apparentParameters returns how many parameters what a Parse says has at first sight:
// what looks like one may stand in a string.
func apparentParameters(text string) int {
	highest, n := declaredTypes(text), -1 // n is that of the parameter being read, or -1
	for i := 0; i < len(text) && text[i] != 0; i++ {
		switch c := text[i]; {
		case c == '$':
			n = 0
		case n >= 0 && n < 1<<16 && c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
			highest = max(highest, n)
		default:
			n = -1
		}
	}
	return highest
}

// declaredTypes returns for how many parameters a Parse gives a type.
func declaredTypes(text string) int {
	_, types, _ := strings.Cut(text, "\x00")
	if len(types) < 2 {
		return 0
	}
	return int(types[0])<<8 | int(types[1])
}
