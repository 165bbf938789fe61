package proxy

import (
	"bytes"
	"testing"
	"time"
	"unique"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// message is any of pgproto3's.
type message = interface{ Encode([]byte) ([]byte, error) }

var (
	parseX    = &pgproto3.Parse{Name: "x", Query: "select $1"}
	parseAnon = &pgproto3.Parse{Query: "select $1"}
	bindX     = &pgproto3.Bind{PreparedStatement: "x", Parameters: [][]byte{[]byte("1")}}
	bindAnon  = &pgproto3.Bind{Parameters: [][]byte{[]byte("1")}}
	execute   = &pgproto3.Execute{}
	describe  = &pgproto3.Describe{ObjectType: 'P'}
	closing   = &pgproto3.Close{ObjectType: 'P'}
	syncing   = &pgproto3.Sync{}
)

// What is looked up in the cache as one answer, and what is not, as more or something
// else is asked for.
func TestReadUnit(t *testing.T) {
	for _, test := range []struct {
		name     string
		messages []message
		want     bool
	}{
		{"all", []message{parseAnon, bindAnon, describe, execute, closing, syncing}, true},
		{"the least", []message{bindX, execute, syncing}, true},
		{"two Parses", []message{parseAnon, parseAnon, bindAnon, execute, syncing}, false},
		{"Parse behind Bind", []message{bindAnon, parseAnon, execute, syncing}, false},
		{"two Binds", []message{bindAnon, bindAnon, execute, syncing}, false},
		{"Bind behind Execute", []message{bindAnon, execute, bindAnon, syncing}, false},
		{"Bind of another statement", []message{parseAnon, bindX, execute, syncing}, false},
		{"a named portal", []message{&pgproto3.Bind{DestinationPortal: "p"}, execute, syncing}, false},
		{"Describe of the statement", []message{parseAnon, bindAnon, &pgproto3.Describe{ObjectType: 'S'}, execute, syncing}, false},
		{"Describe of another portal", []message{bindAnon, &pgproto3.Describe{ObjectType: 'P', Name: "p"}, execute, syncing}, false},
		{"Describe twice", []message{bindAnon, describe, describe, execute, syncing}, false},
		{"Describe before Bind", []message{parseAnon, describe, bindAnon, execute, syncing}, false},
		{"a limit", []message{bindAnon, &pgproto3.Execute{MaxRows: 5}, syncing}, false},
		{"Execute of another portal", []message{bindAnon, &pgproto3.Execute{Portal: "p"}, syncing}, false},
		{"Execute twice", []message{bindAnon, execute, execute, syncing}, false},
		{"Execute alone", []message{execute, syncing}, false},
		{"no Execute", []message{bindAnon, describe, syncing}, false},
		{"Close of a statement", []message{bindAnon, execute, &pgproto3.Close{ObjectType: 'S'}, syncing}, false},
		{"Close of another portal", []message{bindAnon, execute, &pgproto3.Close{ObjectType: 'P', Name: "p"}, syncing}, false},
		{"Close before Execute", []message{bindAnon, closing, syncing}, false},
		{"Close twice", []message{bindAnon, execute, closing, closing, syncing}, false},
		{"Flush in place of Sync", []message{bindAnon, execute, &pgproto3.Flush{}}, false},
		{"no Sync", []message{bindAnon, execute}, false},
		{"a Query in place of Sync", []message{bindAnon, execute, &pgproto3.Query{}}, false},
	} {
		p := frames(t, test.messages...)
		u, ok := readUnit(append(bytes.Clone(p), frames(t, syncing)[:0]...))
		if ok != test.want || ok && u.length != len(p) {
			t.Errorf("%s: %t, %d of %d bytes", test.name, ok, u.length, len(p))
		}
	}
	p := frames(t, parseX, bindX, describe, execute, closing, syncing)
	if u, ok := readUnit(append(bytes.Clone(p), p...)); !ok || string(u.name) != "x" || !u.describe || !u.closes || u.parse == nil || u.length != len(p) {
		t.Errorf("%+v %t", u, ok)
	}
	if _, ok := readUnit(append(frames(t, bindAnon, execute), wire.Sync, 0, 0, 0, 5, 0)); ok {
		t.Error("a Sync with a body is taken for one")
	}
	for cut := range len(p) {
		if _, ok := readUnit(p[:cut]); ok {
			t.Errorf("%d bytes of %d are a unit", cut, len(p))
		}
	}
	if _, ok := readUnit(frames(t, &pgproto3.Parse{Query: string(make([]byte, maxUnit))}, bindAnon, execute, syncing)); ok {
		t.Error("a long unit is one")
	}
}

// Each thing that an answer depends on, or its form, makes another key.
func TestKeysOfStatements(t *testing.T) {
	r := newRelay(t)
	r.remember(relayed(t)["extended"])
	s, seen := r.session, map[cache.Key]string{}
	add := func(name string, key cache.Key) {
		if other, again := seen[key]; again {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[key] = name
	}
	unitOf := func(name string, messages ...message) {
		u, ok := readUnit(frames(t, messages...))
		if !ok {
			t.Fatalf("%s is no unit", name)
		}
		add(name, s.unitKey(&u, s.bodies.get(u.parse[wire.HeaderLen+1:], true)))
	}
	for _, as := range []string{"one", "another"} {
		add("Query, "+as, s.queryKey([]byte("select $1"), cache.HintSet{}))
		add("another Query, "+as, s.queryKey([]byte("select $2"), cache.HintSet{}))
		add("a Query with a hint, "+as, s.queryKey([]byte("select $1"), cache.HintSet{TTL: time.Second}))
		unitOf("unit, "+as, parseAnon, bindAnon, execute, syncing)
		unitOf("described, "+as, parseAnon, bindAnon, describe, execute, syncing)
		unitOf("another text, "+as, &pgproto3.Parse{Query: "select $1 "}, bindAnon, execute, syncing)
		unitOf("with a hint, "+as, &pgproto3.Parse{Query: "/* pgjay: ttl=3s */select $1"}, bindAnon, execute, syncing)
		unitOf("with a type, "+as, &pgproto3.Parse{Query: "select $1", ParameterOIDs: []uint32{23}}, bindAnon, execute, syncing)
		unitOf("another value, "+as, parseAnon, &pgproto3.Bind{Parameters: [][]byte{[]byte("2")}}, execute, syncing)
		unitOf("NULL, "+as, parseAnon, &pgproto3.Bind{Parameters: [][]byte{nil}}, execute, syncing)
		unitOf("binary, "+as, parseAnon, &pgproto3.Bind{Parameters: [][]byte{[]byte("1")}, ResultFormatCodes: []int16{1}}, execute, syncing)
		s.setLabel(pool.NewLabel([]pool.Setting{{Name: "datestyle", Value: "German"}}))
		s.sign()
	}
}

// A prepared statement is served only if its client may have it, and if it means what
// it meant. What is not served goes to a backend.
func TestServedStatements(t *testing.T) {
	anon := []message{parseAnon, bindAnon, execute, syncing}
	named := []message{parseX, bindX, execute, syncing}
	again := []message{bindX, execute, syncing}
	prepare := func(s *session) {
		s.client.statements.set("x", s.newStatement(s.bodies.get(frames(t, parseX)[wire.HeaderLen+2:], true)))
	}
	change := func(f func(*statement)) func(*session) {
		return func(s *session) {
			prepare(s)
			st, _ := s.client.statements.get([]byte("x"))
			f(&st)
			s.client.statements.set("x", st)
		}
	}
	for _, test := range []struct {
		name     string
		messages []message
		before   func(*session)
		want     bool
	}{
		{"unnamed", anon, func(*session) {}, true},
		{"named", named, func(*session) {}, true},
		{"bound again", again, prepare, true},
		{"a name that is taken", named, prepare, false},
		{"unnamed, one is there", anon, prepare, true},
		{"bound, and not there", again, func(*session) {}, false},
		{"too many statements", named, func(s *session) { s.tooMany() }, false},
		{"too many statements, unnamed", anon, func(s *session) { s.tooMany() }, true},
		{"too many statements, bound again", again, func(s *session) { prepare(s); s.tooMany() }, true},
		{"none are shared", anon, func(s *session) {
			cfg := pool.DefaultConfig()
			cfg.MaxPreparedStatements = 0
			s.pools.Reconfigure(pool.DefaultBackendConfig(), cfg)
		}, false},
		{"the backend's own", again, change(func(st *statement) { st.token = 7 }), false},
		{"not by a Parse", again, change(func(st *statement) { st.body = nil; st.sql = "prepare x as select 1" }), false},
		{"other rows", again, change(func(st *statement) { st.changed = true }), false},
		{"another schema", again, func(s *session) { prepare(s); s.who.pool.SchemaChanged() }, false},
		{"another path", again, change(func(st *statement) { st.scope = unique.Make("other") }), false},
		{"another meaning", again, change(func(st *statement) { st.meaning = unique.Make("other") }), false},
		{"too many values", []message{&pgproto3.Bind{PreparedStatement: "x", Parameters: [][]byte{nil, nil}}, execute, syncing}, prepare, false},
		{"what is skipped", anon, func(s *session) { s.client.skipping = true }, false},
		{"no SELECT", []message{&pgproto3.Parse{Query: "insert into t values ($1)"}, bindAnon, execute, syncing}, func(*session) {}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRelay(t)
			p, reply := frames(t, test.messages...), relayed(t)["extended"][1]
			r.rememberAlways(p, reply)
			test.before(r.session)
			before := r.client.bytes
			used, became := r.session.servedUnit(p)
			if got := became == servedHere; got != test.want || got && (used != len(p) || r.client.bytes == before) {
				t.Errorf("served %t, want %t; %d of %d bytes", got, test.want, used, len(p))
			}
		})
	}
}

// tooMany has the session's loop hold as many prepared statements as it may.
func (s *session) tooMany() {
	limits := *s.settings()
	limits.limits.MaxPreparedMB = 0
	s.live.Store(&limits)
	s.stations = []*station{s.station}
}

// rememberAlways has the cache answer these messages whatever the statement's state.
func (r *relay) rememberAlways(p, reply []byte) {
	parse := frames(r.t, parseAnon)
	if n, _ := wire.FrameLen(p); p[0] == wire.Parse {
		parse = p[:n]
	}
	_, text, _ := wire.CString(parse[wire.HeaderLen:])
	r.rememberAs([2][]byte{p, reply}, r.session.bodies.get(text, true))
}

// A hit of a statement with a name makes the statement, so that it can be used later.
// In the reply stands what was asked for, with the transaction's status.
func TestServedReply(t *testing.T) {
	reply := relayed(t)["extended"][1]
	core := reply[len(parseComplete) : len(reply)-readyLength]
	for _, test := range []struct {
		name     string
		messages []message
		want     []byte
	}{
		{"new", []message{parseX, bindX, execute, syncing}, parseComplete},
		{"new, closed", []message{parseX, bindX, execute, closing, syncing}, parseComplete},
		{"known", []message{bindX, execute, syncing}, bindComplete},
	} {
		for _, status := range []byte{'I', 'T'} {
			r := newRelay(t)
			s := r.session
			live := *s.settings()
			live.timeouts.IdleInTransaction = time.Minute
			s.live.Store(&live)
			p := frames(t, test.messages...)
			if test.messages[0] != message(parseX) {
				s.client.statements.set("x", s.newStatement(s.bodies.get(frames(t, parseX)[wire.HeaderLen+2:], true)))
			}
			r.rememberAlways(p, reply)
			if status == 'T' {
				r.inTransaction()
			}
			r.client.kept = []byte{}
			s.clock.clear(timeoutIdleInTransaction)
			began := s.tx.began
			if _, became := s.servedUnit(p); became != servedHere {
				t.Fatalf("%s: %d", test.name, became)
			}
			want := append(bytes.Clone(test.want), core...)
			if test.messages[len(test.messages)-2] == message(closing) {
				want = append(want, closeComplete...)
			}
			if want = wire.AppendReadyForQuery(want, status); !bytes.Equal(r.client.kept, want) {
				t.Errorf("%s, %c: %q, want %q", test.name, status, r.client.kept, want)
			}
			if st, _ := s.client.statements.get([]byte("x")); !st.shared() || string(st.body.sql) != "select $1" {
				t.Errorf("%s: the statement is %+v", test.name, st)
			}
			if status == 'T' && s.tx.began != began {
				t.Errorf("%s: the transaction begins anew or has ended", test.name)
			}
			if idle := s.clock.at[timeoutIdleInTransaction] != 0; idle != (status == 'T') || idle != (s.back.lease != nil) {
				t.Errorf("%s, %c: the clock of an idle transaction is set: %t, lease %v", test.name, status, idle, s.back.lease)
			}
		}
	}
}
