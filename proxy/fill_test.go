package proxy

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
)

// Of a reply the answer is kept, if it is one and nothing else.
func TestCoreOf(t *testing.T) {
	columns := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}}}
	row, done := &pgproto3.DataRow{Values: [][]byte{nil}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	ready, parsed, bound, closed := &pgproto3.ReadyForQuery{TxStatus: 'I'}, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CloseComplete{}
	for _, test := range []struct {
		name   string
		before []message
		core   []message
		behind []message
		want   bool
	}{
		{"Query", nil, []message{columns, row, row, done}, []message{ready}, true},
		{"unit", []message{parsed, bound}, []message{row, done}, []message{closed, ready}, true},
		{"no rows", []message{bound}, []message{done}, []message{ready}, true},
		{"two answers", nil, []message{columns, row, done, columns, row, done}, []message{ready}, false},
		{"rows behind the end", nil, []message{done, row}, []message{ready}, false},
		{"two ends", nil, []message{done, done}, []message{ready}, false},
		{"no end", nil, []message{columns, row}, []message{ready}, false},
		{"nothing", nil, nil, []message{ready}, false},
		{"cut off", nil, []message{columns, row, done}, nil, false},
		{"a notice", nil, []message{&pgproto3.NoticeResponse{Message: "n"}, row, done}, []message{ready}, false},
		{"an error", nil, []message{columns, row, &pgproto3.ErrorResponse{Message: "e"}}, []message{ready}, false},
		{"an error behind it", nil, []message{row, done, &pgproto3.ErrorResponse{Message: "e"}}, []message{ready}, false},
		{"a setting", nil, []message{row, done, &pgproto3.ParameterStatus{Name: "n"}}, []message{ready}, false},
		{"a notification", nil, []message{row, done, &pgproto3.NotificationResponse{}}, []message{ready}, false},
		{"a copy", nil, []message{&pgproto3.CopyOutResponse{}, &pgproto3.CopyData{}, &pgproto3.CopyDone{}, done}, []message{ready}, false},
		{"suspended", nil, []message{row, &pgproto3.PortalSuspended{}}, []message{ready}, false},
		{"no statement", nil, []message{&pgproto3.EmptyQueryResponse{}}, []message{ready}, false},
		{"NoData", nil, []message{&pgproto3.NoData{}, done}, []message{ready}, false},
	} {
		core := frames(t, test.core...)
		got, ok := coreOf(append(append(frames(t, test.before...), core...), frames(t, test.behind...)...))
		if ok != test.want || ok && !bytes.Equal(got, core) {
			t.Errorf("%s: %t, %q", test.name, ok, got)
		}
	}
	whole := frames(t, row, done, ready)
	for cut := range len(whole) {
		if _, ok := coreOf(whole[:cut]); ok {
			t.Errorf("%d bytes of %d are an answer", cut, len(whole))
		}
	}
	if _, ok := coreOf([]byte{wire.DataRow, 0xff, 0xff, 0xff, 0xff, 0}); ok {
		t.Error("a frame of negative length is one")
	}
}

// What is found out about a statement, rules, hints, and what its values are, may each
// forbid to keep its answer.
func TestFindingsRefuse(t *testing.T) {
	auto, never := cache.Decision{Cache: cache.Auto}, cache.Decision{Cache: cache.Never}
	today := []byte("\x00\x00\x00\x01\x00\x00\x00\x05today\x00\x00")
	for _, test := range []struct {
		name     string
		findings findings
		rule     cache.Decision
		lookup   lookup
		want     cache.Reason
	}{
		{"nothing", findings{rule: auto}, auto, lookup{text: []byte("select 1")}, cache.NoReason},
		{"itself", findings{rule: auto, why: "because"}, auto, lookup{}, cache.RefusedStatement},
		{"a rule", findings{rule: never}, never, lookup{}, cache.RefusedRule},
		{"a hint", findings{rule: auto}, never, lookup{}, cache.RefusedHint},
		{"the time in a Query", findings{rule: auto}, auto, lookup{text: []byte("select date 'today'")}, cache.RefusedStatement},
		{"the time in a value", findings{rule: auto}, auto, lookup{body: &body{}, values: today}, cache.RefusedStatement},
		{"the time in no value of a Query", findings{rule: auto}, auto, lookup{values: today}, cache.NoReason},
		{"the time in the text of a body", findings{rule: auto}, auto, lookup{body: &body{}, text: []byte("select date 'today'")}, cache.NoReason},
	} {
		if got := test.findings.refused(&test.rule, &test.lookup); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// filler is a session that is about to ask for something that the cache does not have,
// of which everything is known.
func filler(t *testing.T, policy cache.Policy) (s *session, v *verdict, q *lookup) {
	r := newRelay(t)
	r.remember(relayed(t)["simple"])
	s = r.session
	q = &lookup{text: []byte("select v from t"), key: cache.Key{Lo: 1, Hi: 2}}
	v = s.verdictOn(q)
	v.findings.Store(&findings{relations: []uint32{42}, rule: cache.Decision{Cache: policy, TTL: time.Minute}, rules: s.databases.cache.Rules()})
	return s, v, q
}

// The answer is kept only if it still says the same of what it depends on, the second
// time that it is asked for.
func TestNewFill(t *testing.T) {
	s, v, q := filler(t, cache.Auto)
	if s.newFill(v, q, cache.Absent) != nil {
		t.Error("an answer is kept the first time")
	}
	f := s.newFill(v, q, cache.Absent)
	if f == nil {
		t.Fatal("an answer is not kept the second time")
	}
	for _, word := range []*cache.Word{s.who.database.space.Table(42), &s.who.database.space.Global} {
		f = s.newFill(v, q, cache.Absent)
		word.Bump()
		if f.stamp.Current() {
			t.Error("a change of what it reads leaves the answer valid")
		}
		word.Begin()
		if s.newFill(v, q, cache.Absent) != nil {
			t.Error("an answer is kept while what it reads is being changed")
		}
		word.End()
	}
	if s.databases.cache.Stat().Refused[cache.RefusedInFlight] != 2 {
		t.Error("that is not counted")
	}
	tag := s.databases.cache.Tag("x")
	v.findings.Load().rule.Tags = []*cache.Word{tag}
	f = s.newFill(v, q, cache.Absent)
	if tag.Bump(); f.stamp.Current() {
		t.Error("a purge of the tag leaves the answer valid")
	}
	for _, word := range []*cache.Word{&s.who.database.space.Schema, &s.who.database.space.ACL} {
		word.Bump()
		if s.newFill(v, q, cache.Absent) != nil {
			t.Error("an answer is kept of which it is not known what it depends on now")
		}
	}
}

// A second time counts only if nothing has been written in between, and also for what was
// kept and then of no use.
func TestNewFillBetweenWrites(t *testing.T) {
	for _, outcome := range []cache.Outcome{cache.Absent, cache.Unserved} {
		s, v, q := filler(t, cache.Auto)
		word := s.who.database.space.Table(42)
		v.shape.SetTables([]*cache.Word{word})
		for range 3 {
			if s.newFill(v, q, outcome) != nil {
				t.Errorf("%v: an answer is kept the first time since a write", outcome)
			}
			word.Bump()
		}
		if s.newFill(v, q, outcome); s.newFill(v, q, outcome) == nil {
			t.Errorf("%v: an answer is not kept the second time since a write", outcome)
		}
	}
}

// What may be kept is kept at once if it was there already, if a rule says always, or
// if the session has waited for it.
func TestNewFillAtOnce(t *testing.T) {
	s, v, q := filler(t, cache.Always)
	if s.newFill(v, q, cache.Absent) == nil {
		t.Error("always waits for a second time")
	}
	for _, outcome := range []cache.Outcome{cache.Moved, cache.Expired} {
		s, v, q = filler(t, cache.Auto)
		if s.newFill(v, q, outcome) == nil {
			t.Errorf("%v waits for a second time", outcome)
		}
	}
	s, v, q = filler(t, cache.Auto)
	s.joined.key = q.key
	if s.newFill(v, q, cache.Absent) == nil {
		t.Error("who has waited waits for a second time")
	}
}

// Other rules make other findings necessary.
func TestNewFillUnderOtherRules(t *testing.T) {
	s, v, q := filler(t, cache.Always)
	cfg := cache.DefaultConfig()
	cfg.Rules = []cache.Rule{{Cache: cache.Never}}
	if err := s.databases.cache.Configure(cfg); err != nil {
		t.Fatal(err)
	}
	v.findings.Load().rules = nil
	if s.newFill(v, q, cache.Absent) != nil {
		t.Error("what the old rules said holds")
	}
}

// What a shape loses more by than it wins is not kept, but where a rule says always;
// then what it costs is measured.
func TestNewFillThatDoesNotPay(t *testing.T) {
	for _, policy := range []cache.Policy{cache.Auto, cache.Always} {
		s, v, q := filler(t, policy)
		for range 300 {
			v.shape.Miss(1000, int64(100*time.Microsecond))
		}
		kept := s.newFill(v, q, cache.Moved) != nil
		if kept != (policy == cache.Always) || !kept && s.sample.shape != v.shape {
			t.Errorf("%s: kept %t, measured %v", policy, kept, s.sample.shape)
		}
	}
}

// Hints that a rule allows count.
func TestNewFillWithHint(t *testing.T) {
	s, v, q := filler(t, cache.Always)
	q.hint.NoCache = true
	for _, allowed := range []bool{false, true} {
		v.findings.Load().rule.Hints = allowed
		if kept := s.newFill(v, q, cache.Moved) != nil; kept == allowed {
			t.Errorf("hints allowed %t: kept %t", allowed, kept)
		}
	}
}

// A reply that is longer than a rule allows is given up on the way.
func TestTeeGivesUp(t *testing.T) {
	s, v, q := filler(t, cache.Always)
	s.fill = s.newFill(v, q, cache.Absent)
	s.tee(make([]byte, s.fill.limit))
	if s.fill == nil {
		t.Fatal("an answer that is just short enough is given up")
	}
	if s.tee([]byte{0}); s.fill != nil || s.databases.cache.Stat().Refused[cache.DroppedLarge] != 1 {
		t.Error("a long answer is not given up, or that is not counted")
	}
}

// What does not pay is not even looked up, until it is tried again.
func TestColdIsNotLookedUp(t *testing.T) {
	x := relayed(t)["simple"]
	r := newRelay(t)
	ask := r.remember(x)
	s := r.session
	q := &lookup{text: textOf(x[0], len(x[0]))}
	v := s.verdictOn(q)
	v.findings.Store(&findings{rule: cache.Decision{Cache: cache.Auto, TTL: time.Minute}, rules: s.databases.cache.Rules()})
	ask()
	for range 300 {
		v.shape.Miss(1000, int64(100*time.Microsecond))
	}
	ask()      // it is not known on the loop
	q.key.Lo++ // of another literal
	if s.newFill(v, q, cache.Absent) != nil || s.cold == 0 {
		t.Fatal("it does not pay, and the answer is kept")
	}
	for range 3 * stayCold {
		if s.servedQuery(x[0], len(x[0])) != servedNot || s.sample.shape != v.shape {
			t.Fatal("it is looked up though that does not pay, or what it takes is not measured")
		}
	}
	r.now += int64(time.Minute)
	r.loop.Step(r.now)
	for range 3 {
		s.servedQuery(x[0], len(x[0]))
		r.now += 2 * int64(time.Second)
		r.loop.Step(r.now)
	}
	for range stayCold + 1 {
		ask()
	}
	if s.cold != 0 || v.cold.Load() {
		t.Errorf("it is still asked whether it pays: %d, %t", s.cold, v.cold.Load())
	}
}

// What may be asked for again later, and what not.
func TestTransient(t *testing.T) {
	for code, want := range map[string]bool{"57014": true, "40P01": true, "55P03": true, "53300": true, "08006": true, "58000": true, "42P01": false, "42501": false, "0A000": false, "XX": false, "": false} {
		if got := transient(code); got != want {
			t.Errorf("%s: %t", code, got)
		}
	}
}

// The types that a Parse gives are those that PostgreSQL is asked with.
func TestBodyTypes(t *testing.T) {
	if (*body)(nil).types() != nil {
		t.Error("a Query has types")
	}
	for _, want := range [][]uint32{nil, {23}, {0, 1043, 1 << 31}} {
		p := frames(t, &pgproto3.Parse{Query: "select $1", ParameterOIDs: want})
		if got := newBody(string(p[wire.HeaderLen+1:])).types(); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
