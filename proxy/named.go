package proxy

import (
	"bytes"
	"maps"
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// byName is what is known of a client's named statements as a whole.
type byName struct {
	owner   uint64 // of exposed backends; no other session has it; 0: none yet
	version uint64 // how often they have changed
	bySQL   int    // how many SQL has made
	sqlLen  int    // of the texts of these, in bytes
	tied    int    // how many can be on one backend only
}

// count notes that a statement takes another's place.
func (n *byName) count(old, st statement) {
	n.version++
	n.add(old, -1)
	n.add(st, 1)
}

func (n *byName) add(st statement, by int) {
	if st.sql != "" {
		n.bySQL += by
		n.sqlLen += by * len(st.sql)
	}
	if st.token != 0 {
		n.tied += by
	}
}

// maxPrepared bounds the texts of PREPARE that a session keeps. One that has more
// is pinned.
const maxPrepared = 1 << 20

// maxAnswer is how much of a row is looked at that answers a question: more than
// the text of a PREPARE has there, in any encoding.
const maxAnswer = 192 << 10

// preparedRow is a statement that a backend has, as it says itself.
type preparedRow struct {
	name  string
	text  string // of the Query or Parse that had the PREPARE; empty: too long
	bySQL bool
}

// learnStatements draws the conclusions from what the backend says of the client's
// statements. label has the client's settings as of then. The session stays if
// there are any that another backend could not have.
func (s *session) learnStatements(q *question, label pool.Label) {
	s.back.renamed = s.back.renamed && !s.queue.empty()
	switch {
	case s.own || s.maxStatements() == 0:
		if len(q.prepared) > 0 {
			q.left |= sqlparse.ReasonPrepared.Set()
		}
		return
	case q.asksLeft && len(q.prepared) == 0:
		if s.back.exposed {
			s.client.statements.clear()
			s.back.refused = nil
		}
		if s.queue.empty() { // or the client may have prepared others since
			s.unexpose()
		}
	case q.asksLeft && !s.back.exposed && !s.queue.empty():
		s.pin(sqlparse.ReasonPrepared) // to be asked about again
		return
	case q.asksLeft:
		s.learnNamed(q.prepared)
		s.describeNamed()
	}
	s.tie(label)
	if s.client.statements.tied > 0 {
		q.left |= sqlparse.ReasonPrepared.Set()
	}
}

// learnsNames reports whether the backend is being asked for what SQL has prepared.
func (s *session) learnsNames() bool {
	return s.back.question != nil && s.tx.pins.Has(sqlparse.ReasonPrepared)
}

// learnNamed takes the statements over that the backend has. If it is not exposed,
// but has some all the same, it gets the others too.
func (s *session) learnNamed(rows []preparedRow) {
	c := &s.client.statements
	named, missing := make(map[string]statement, len(rows)), make(map[string]statement)
	for i := range rows {
		named[rows[i].name] = s.learn(&rows[i])
	}
	maps.DeleteFunc(s.back.refused, func(name string, _ *refused) bool { return named[name].none() })
	if !s.back.exposed {
		for name, st := range c.named {
			if _, there := named[name]; !there {
				named[name], missing[name] = st, st
			}
		}
		s.bring(missing)
	}
	if !maps.Equal(c.named, named) {
		c.replace(named)
	}
	if c.sqlLen > maxPrepared {
		s.tieAll()
	}
}

// learn says what the session knows of a statement that the backend has.
func (s *session) learn(row *preparedRow) statement {
	old := s.client.statements.named[row.name]
	switch {
	case s.back.refused[row.name] != nil && !row.bySQL,
		row.bySQL && row.text != "" && old.sql == row.text,
		!row.bySQL && old.body != nil:
		return old
	case row.bySQL && row.text != "":
		class := sqlparse.Classify([]byte(row.text))
		if class.Statements == 1 && class.First == sqlparse.CommandPrepare && !class.Pins.Has(sqlparse.ReasonUnparsed) {
			delete(s.back.refused, row.name)
			return statement{sql: row.text, plain: class.Pins == sqlparse.ReasonPrepared.Set()}
		}
	}
	s.tokens++
	return statement{token: s.tokens}
}

// meaning are the settings that say what a text means; PREPARE goes by them, and
// its statement does not change with them later.
var meaning = [...]string{
	"client_encoding", "datestyle", "intervalstyle", "timezone", "timezone_abbreviations", "standard_conforming_strings",
	"backslash_quote", "transform_null_equals", "array_nulls", "xmloption", "lc_monetary", "lc_numeric", "lc_time",
}

// changesMeaning reports whether a text may change one of those settings.
func changesMeaning(class sqlparse.Class) bool {
	if !class.Pins.Has(sqlparse.ReasonSetting) && class.Reset == sqlparse.ResetNone {
		return false
	}
	names, known := class.Changed()
	return !known || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(meaning[:], name) })
}

// tie makes the statements stay on the backend that SQL has made under settings
// that another backend would not get: the client has changed them since.
func (s *session) tie(label pool.Label) {
	if s.client.statements.bySQL == 0 || !s.back.exposed {
		return
	}
	for _, name := range meaning {
		was, _ := s.who.label.Get(name)
		if is, _ := label.Get(name); is != was {
			s.tieAll()
			return
		}
	}
}

func (s *session) tieAll() {
	for name, st := range s.client.statements.named {
		if st.sql != "" && st.token == 0 {
			s.tokens++
			st.token = s.tokens
			s.client.statements.set(name, st)
		}
	}
}

// executesPlain reports whether a text only executes a statement that leaves
// nothing behind.
func (s *session) executesPlain(class sqlparse.Class, text []byte) bool {
	d, part := s.execution(class, text)
	if d == nil || d.Creates || part.Explained != sqlparse.CommandNone || len(part.Functions) > 0 || class.Pins != sqlparse.ReasonPrepared.Set() {
		return false
	}
	st := s.client.statements.named[d.Name]
	return st.plain || st.body != nil && st.body.class.Pins == 0
}

// withExecuted returns a text with those of the prepared statements that it may execute
// by their names, for who looks for doors.
func (s *session) withExecuted(class sqlparse.Class, text []byte) []byte {
	named := s.client.statements.named
	if !class.Pins.Has(sqlparse.ReasonPrepared) || len(named) == 0 {
		return text
	}
	if names, unknown, _ := s.who.doors.look(s.loop.Now()); !unknown && names.all == 0 {
		return text
	}
	if d, _ := s.execution(class, text); d != nil {
		return named[d.Name].appendText(bytes.Clone(text))
	}
	if class.Statements == 1 && (class.First == sqlparse.CommandPrepare || class.First == sqlparse.CommandDeallocate) {
		return text
	}
	all := bytes.Clone(text)
	for _, st := range named {
		all = st.appendText(all)
	}
	return all
}

// noteNames draws the consequences of a text that names prepared statements. If it
// executes one that calls nextval or setval, it does so itself.
func (s *session) noteNames(class sqlparse.Class, text []byte) sqlparse.Class {
	d, _ := s.execution(class, text)
	if d == nil {
		s.back.renamed = true
		return class
	}
	b := s.client.statements.named[d.Name].body
	class.Advances = class.Advances || b != nil && b.class.Advances
	return s.withSequences(class)
}

// execution returns what a text executes that is one EXECUTE; nil: it is none.
func (s *session) execution(class sqlparse.Class, text []byte) (*sqlparse.Execute, *sqlparse.Part) {
	if !class.Pins.Has(sqlparse.ReasonPrepared) || class.Statements != 1 || len(s.client.statements.named) == 0 {
		return nil, nil
	}
	st := s.texts.memo.Get(text)
	if !st.Cheap() || st.Facts().Opaque || len(st.Facts().Parts) != 1 {
		return nil, nil
	}
	part := &st.Facts().Parts[0]
	d, _ := part.Detail.(*sqlparse.Execute)
	return d, part
}
