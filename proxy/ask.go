package proxy

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"unique"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// The question what is left on a backend is one Query. Its rows have a kind, a
// name and a value:
//
//	set     setting  value  the session has set it, unless the value is NULL
//	left    reason          something pins
//	left    listen   value  the session listens to a channel: its name in UTF-8, in hexadecimal digits
//	hidden  setting  value  a function of the database may set it
//	setters                 some function changes settings
//	leavers                 some function may leave something else, or define something
//	namers                  some function may name prepared statements
//	readers                 some function calls currval or lastval
//	suspects                the database may have doors
//	door    name    kind    code is reached by this name (doors.go)
//	sql     name     text   a prepared statement; its PREPARE, unless it is too long
//	parse   name            a prepared statement that a Parse has made
//
// Operators are qualified, and nothing is used that looks for one by its name (NULLIF,
// IN, CASE x WHEN): the client's search_path counts. A setting is asked for as SHOW
// tells it, so that equal states are equal labels.

// unhurt begins what is asked in one Query of several statements. By its
// default_transaction_ settings the client's transactions may wait for those of others
// (predicate.c, GetSafeSnapshot), or be refused on a standby.
const unhurt = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; "

// appendAskSettings asks for settings of which it is known that the session has
// set them, or that are there only when somebody has.
func appendAskSettings(sql []byte, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			sql = append(sql, " UNION ALL "...)
		}
		sql = append(append(append(sql, "SELECT 'set', '"...), name...), "', pg_catalog.current_setting('"...)
		sql = append(append(sql, name...), "', true)"...)
	}
	return sql
}

// pg_settings does not show role and session_authorization, nor the settings of
// applications, which have a dot in their name: those must be asked for by name.
// askHidden finds the names in the sources of functions; askSetters finds out
// whether any function changes settings, or has a source that cannot be read, and
// whether any tells what nextval has left. askLeavers finds out whether any may
// leave something else, or define something: by its own source, or because it runs
// what it makes up, or is in a language that we do not read. askNamers finds those
// that may run an EXECUTE or DEALLOCATE which they have as a string. Functions below 16384
// are PostgreSQL's own.
const (
	askRole = `SELECT 'set', 'role', CASE WHEN pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none' THEN pg_catalog.current_setting('role') END`
	askUser = `SELECT 'set', 'session_authorization', (SELECT u.rolname FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a, ` +
		`pg_catalog.pg_roles u WHERE u.rolname OPERATOR(pg_catalog.=) SESSION_USER AND u.oid OPERATOR(pg_catalog.<>) a.usesysid)`
	askSet = `SELECT 'set', pg_catalog.lower(s.name), pg_catalog.current_setting(s.name) FROM pg_catalog.pg_settings s ` +
		`WHERE s.source OPERATOR(pg_catalog.=) 'session' AND s.name OPERATOR(pg_catalog.!~) '^transaction_'`
	// askTimed is askSet where the client has a statement_timeout, which is not
	// meant for the question.
	askTimed = `SELECT 'set', 'statement_timeout', pg_catalog.current_setting('statement_timeout'); SET LOCAL statement_timeout = 0; ` +
		askSet + ` AND s.name OPERATOR(pg_catalog.<>) 'statement_timeout'`
	askLeft = ` UNION ALL SELECT 'left', 'temporary', NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d ` +
		`WHERE d.refclassid OPERATOR(pg_catalog.=) 2615 AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())` +
		` UNION ALL SELECT 'left', 'advisory_lock', NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_locks l ` +
		`WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())` +
		` UNION ALL SELECT 'left', 'cursor', NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_cursors c WHERE c.is_holdable)` +
		` UNION ALL ` + askChannels +
		` UNION ALL SELECT CASE WHEN p.from_sql THEN 'sql' ELSE 'parse' END, p.name, ` +
		`CASE WHEN p.from_sql AND pg_catalog.octet_length(p.statement) OPERATOR(pg_catalog.<=) 32768 THEN p.statement END ` +
		`FROM pg_catalog.pg_prepared_statements p WHERE p.name OPERATOR(pg_catalog.!~) '^pgjay_'`
	askChannels = `SELECT 'left', 'listen', pg_catalog.encode(pg_catalog.convert_to(c, 'UTF8'), 'hex') FROM pg_catalog.pg_listening_channels() c`
	askNative   = ` UNION ALL SELECT 'left', 'native', NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_proc p, pg_catalog.pg_language l ` +
		`WHERE l.oid OPERATOR(pg_catalog.=) p.prolang AND l.lanname OPERATOR(pg_catalog.=) 'c' AND p.oid OPERATOR(pg_catalog.>=) 16384 ` +
		`AND p.provolatile OPERATOR(pg_catalog.=) 'v' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d ` +
		`WHERE d.classid OPERATOR(pg_catalog.=) 1255 AND d.objid OPERATOR(pg_catalog.=) p.oid AND d.deptype OPERATOR(pg_catalog.=) 'e') ` +
		`AND p.proname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY[`
	askHidden = ` UNION ALL SELECT DISTINCT 'hidden', pg_catalog.lower(m[1]), pg_catalog.current_setting(m[1], true) FROM pg_catalog.pg_proc p, ` +
		`pg_catalog.regexp_matches(p.prosrc, '(?:set_config[[:space:]]*[(][[:space:]]*''|[[:<:]]set[[:space:]]+(?:session[[:space:]]+)?)` +
		`([a-z_][a-z0-9_]*(?:[.][a-z0-9_]+)+)', 'gi') m WHERE p.pronamespace OPERATOR(pg_catalog.<>) 11`
	askSetters = ` UNION ALL SELECT 'setters', NULL, NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.>=) 16384 ` +
		`AND (p.prosrc OPERATOR(pg_catalog.~*) '` + sourceSets + `' OR p.prosrc OPERATOR(pg_catalog.=) ''))` +
		` UNION ALL SELECT 'readers', NULL, NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.>=) 16384 ` +
		`AND p.prosrc OPERATOR(pg_catalog.~*) '(curr|last)val')`
	askLeavers = ` UNION ALL SELECT 'leavers', NULL, NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_proc p, pg_catalog.pg_language l ` +
		`WHERE l.oid OPERATOR(pg_catalog.=) p.prolang AND p.oid OPERATOR(pg_catalog.>=) 16384 ` +
		`AND (l.lanname::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (ARRAY['internal', 'c', 'sql', 'plpgsql']) ` +
		`OR p.prosrc OPERATOR(pg_catalog.~*) '` + sourceLeaves + `'))`
	askNamers = ` UNION ALL SELECT 'namers', NULL, NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.>=) 16384 ` +
		`AND p.prosrc OPERATOR(pg_catalog.~*) '[''"$][[:space:]]*(execute|deallocate)[[:>:]]|pg_prepared_statements')`
)

// appendAskNative asks whether one of the functions that a text calls is written in C
// and belongs to no extension: it may keep what it likes in its process.
func appendAskNative(sql []byte, functions []sqlparse.Name) []byte {
	if len(functions) == 0 {
		return sql
	}
	sql = append(sql, askNative...)
	for i, name := range functions {
		if i > 0 {
			sql = append(sql, ", "...)
		}
		sql = appendLiteral(sql, name[len(name)-1])
	}
	return append(sql, "]))"...)
}

// appendLiteral appends a string that means the same whatever the settings are.
func appendLiteral(sql []byte, text string) []byte {
	return append(append(append(sql, "pg_catalog.convert_from(pg_catalog.decode('"...), hex.EncodeToString([]byte(text))...), "', 'hex'), 'UTF8')"...)
}

// leftReasons are the reasons that askLeft names.
var leftReasons = map[string]sqlparse.Reason{
	"temporary":     sqlparse.ReasonTemporary,
	"advisory_lock": sqlparse.ReasonAdvisoryLock,
	"cursor":        sqlparse.ReasonCursor,
	"listen":        sqlparse.ReasonListen,
	"native":        sqlparse.ReasonLoad,
}

// question is what a backend was asked, and what of the answer has come.
type question struct {
	settings []string // asked for by name
	all      bool     // all settings were asked for
	failed   bool
	canceled bool                  // by a statement_timeout, say
	denied   bool                  // the client has no right to some of it
	less     bool                  // only askChannels was part of it
	about    leftover              // what is asked about
	meaning  unique.Handle[string] // of the session's texts when it was asked: it answers for no other
	set      []pool.Setting
	search   bool // askDatabase was part of it
	seeks    bool // askSuspects was, too
	// asksDoors is set when askDoors was part of it.
	asksDoors bool
	knowledge
	// generation is that of what was known of doors, and behind are the texts that were
	// sent when they were not known.
	generation uint64
	behind     [][]byte
	text       []byte // the only text that the question is about; nil: several
	asksLeft   bool   // askLeft was part of it
	left       sqlparse.Reasons
	channels   []string
	// settles is set when the client waits for what it listens to.
	settles  bool
	prepared []preparedRow
}

// ask asks the backend what the session has left on it, and reports whether there
// was something to ask.
func (s *session) ask() bool {
	left := s.tx.left
	s.tx.left = leftover{}
	if s.back.denied {
		s.askLess(left)
		return true
	}
	if s.leavesNothing(&left) {
		s.unpin()
		return false
	}
	slices.Sort(left.settings)
	if left.undone {
		left.text = nil // what has failed or was taken back says nothing
	}
	q := &question{about: left, meaning: s.who.meaning, text: left.text, behind: left.behind, settings: slices.Compact(left.settings)}
	q.all = s.back.hurried > 0 || left.all || left.lost || s.unsettled() || s.tx.pins != sqlparse.ReasonSetting.Set()
	if q.all || left.undone {
		q.settings = append(q.settings, s.placeholders(q.settings)...)
	}
	var sql []byte
	switch {
	case q.all:
		sql = s.appendAskAll(nil, q, &left)
	case left.undone:
		sql = append(sql, askSet+" UNION ALL "+askRole+" UNION ALL "+askUser...)
		sql = appendAskNamed(sql, q.settings)
	case len(q.settings) == 0:
		s.repin(0)
		return false
	default:
		sql = appendAskSettings(sql, q.settings)
	}
	q.asksLeft, q.settles = q.all, s.unsettled()
	if q.all = q.all || left.undone; q.all && (s.who.timed || s.back.hurried > 0) {
		sql = append([]byte(askTimed), sql[len(askSet):]...)
	}
	if q.search {
		sql = append(append(sql, "; "...), askDatabase...)
	}
	if q.seeks {
		sql = append(sql, askSuspects...)
	}
	if q.asksDoors = left.doors; q.asksDoors {
		sql = append(append(sql, "; "...), askDoors...)
	}
	s.sendQuestion(q, string(sql))
	return true
}

func (s *session) sendQuestion(q *question, sql string) {
	s.back.question = q
	s.back.lease.UnnamedOwner = 0
	s.toBackend(wire.AppendQuery(s.scratch[:0], unhurt+sql))
	s.queue.push(expectQuery, swallow)
}

// appendAskAll asks for all that may be left.
func (s *session) appendAskAll(sql []byte, q *question, left *leftover) []byte {
	sql = append(sql, askSet+" UNION ALL "+askRole+" UNION ALL "+askUser+askLeft...)
	sql = appendAskNative(sql, s.calledBy(left.text))
	names, stale := s.hidden.get(s.who.pool.Key(), s.loop.Now())
	q.generation = s.who.doors.generation.Load()
	q.seeks = !left.doors && s.who.doors.seek(s.loop.Now())
	q.search = q.seeks || stale && !left.doors && s.tx.pins != 0
	q.settings = slices.Compact(slices.Sorted(slices.Values(append(q.settings, names...))))
	return appendAskNamed(sql, q.settings)
}

// calledBy returns the functions that a text calls by name.
func (s *session) calledBy(text []byte) (names []sqlparse.Name) {
	if text == nil {
		return nil
	}
	st := s.texts.memo.Get(text)
	if !st.Cheap() {
		return nil
	}
	for _, part := range st.Facts().Parts {
		names = append(names, part.Functions...)
	}
	return names
}

// leavesNothing reports whether the only text that was noted is trusted. When it was
// sent that was not known, because the backend was being asked.
func (s *session) leavesNothing(l *leftover) bool {
	return l.text != nil && !l.undone && !l.doors && s.tx.pins&^opaque == 0 && s.trusts(l.text)
}

// placeholders returns the settings of extensions and applications in the
// session's label, which pg_settings does not show, without those that are asked
// for already.
func (s *session) placeholders(already []string) (names []string) {
	for _, p := range s.who.label.Settings() {
		if strings.Contains(p.Name, ".") && !slices.Contains(already, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// appendAskNamed adds a question for those settings that askSet leaves out.
func appendAskNamed(sql []byte, names []string) []byte {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(name, ".") })
	if len(names) == 0 {
		return sql
	}
	return appendAskSettings(append(sql, " UNION ALL "...), names)
}

// answerRow takes a row of the answer.
func (s *session) answerRow(body []byte) {
	q := s.back.question
	kind, name, value, ok := answerColumns(body)
	switch {
	case !ok:
		q.failed = true
	case string(kind) == "left":
		q.left |= leftReasons[string(name)].Set()
		if string(name) == "listen" {
			channel, err := hex.DecodeString(string(value))
			q.channels, q.failed = append(q.channels, string(channel)), q.failed || err != nil
		}
	case string(kind) == "readers":
		s.who.pool.NoteSequencesRead()
	case string(name) == ourName: // it is there until the next time, if something has failed
	case string(kind) == "sql", string(kind) == "parse":
		q.prepared = append(q.prepared, preparedRow{string(name), string(value), string(kind) == "sql"})
	default:
		if q.take(string(kind), name, value); q.unreadable {
			q.failed = true
		}
		if value != nil && (string(kind) == "set" || string(kind) == "hidden") {
			q.set = append(q.set, pool.Setting{Name: string(name), Value: string(value)})
		}
	}
}

// answerColumns splits a DataRow of three columns. A NULL is nil.
func answerColumns(body []byte) (kind, name, value []byte, ok bool) {
	columns, ok := columnsOf(body, 3)
	if !ok {
		return nil, nil, nil, false
	}
	return columns[0], columns[1], columns[2], true
}

// conclude draws the conclusions from the answer. If there is none, or it would
// not be read the same by another backend, the session stays pinned.
func (s *session) conclude() {
	q := s.back.question
	s.back.question = nil
	if q.canceled && s.asksHurried(q) || q.denied && s.asksLess(q) {
		return
	}
	s.back.hurried, s.back.denied = 0, false
	if s.listen != nil {
		s.learnChannels(q)
	}
	if q.failed || q.less || s.gone || s.state != stateReady {
		s.tx.left.lost = true
		if s.tx.pins == 0 {
			s.tx.pins = sqlparse.ReasonFunction.Set()
			s.tellPin(sqlparse.ReasonFunction, nil)
		}
		return
	}
	if q.search {
		s.hidden.learn(s.who.pool.Key(), &q.knowledge, s.loop.Now())
	}
	suspects := q.seeks && q.mayHaveDoors()
	if q.asksDoors || q.seeks && !suspects {
		s.who.doors.put(&q.doors, q.generation, s.loop.Now())
	}
	s.lookBehind(q)
	found := s.labelOf(q)
	if foreign(found) {
		s.tx.left.lost = true
		return
	}
	label := s.withStartup(q, found)
	s.back.relabels = label != found
	if q.text != nil {
		leaves := q.left != 0 || len(q.prepared) > 0 || label != s.who.label || label != found || s.hidden.setters(s.who.pool.Key())
		k, text := s.habitOf(q.text)
		s.habits.learn(k, text, leaves, s.loop.Now())
	}
	s.learnStatements(q, label)
	s.setLabel(label)
	s.back.lease.Label = found
	s.focusOn(q.meaning, meaningOf(found))
	if !s.queue.empty() {
		s.noteAlways()
	}
	if suspects || s.mustLookBehind(q) {
		s.tx.left.askDoors(q)
	}
	s.who.hadTemporary = s.who.hadTemporary || q.left.Has(sqlparse.ReasonTemporary)
	s.repin(q.left)
}

// labelOf returns the session's label as of an answer.
func (s *session) labelOf(q *question) pool.Label {
	if q.all {
		return pool.NewLabel(q.set)
	}
	return pool.NewLabel(slices.Concat(s.who.label.Settings(), q.set))
}

// foreign reports whether a label cannot be applied as it is: its values came in
// the client's encoding, and are sent before that is set.
func foreign(l pool.Label) bool {
	if _, encoded := l.Get("client_encoding"); !encoded {
		return false
	}
	return slices.ContainsFunc(l.Settings(), func(p pool.Setting) bool {
		return bytes.ContainsFunc([]byte(p.Value), func(r rune) bool { return r >= 0x80 })
	})
}

// setLabel notes the session's settings.
func (s *session) setLabel(l pool.Label) {
	if l == s.who.label {
		return
	}
	s.who.label, s.who.perishable, s.who.sticky = l, l.Perishable(), l.Sticks()
	path, _ := l.Get("search_path")
	role, _ := l.Get("role")
	s.who.scope = unique.Make(path + "\x00" + role)
	_, s.who.timed = l.Get("statement_timeout")
	_, s.who.idles = l.Get("idle_in_transaction_session_timeout")
	if !s.who.blurred {
		s.who.meaning = meaningOf(l)
	}
	s.setAlways()
	s.sign()
}
