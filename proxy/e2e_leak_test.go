package proxy_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// leakSeed chooses what is run where there is no time for all of it.
var leakSeed = flag.Uint64("leak", 1, "seed of the ways to leave in the leak tests")

// leakState is session state that one client makes and no other may see.
type leakState struct {
	name  string
	user  string   // who can make it; "" is all leakUsers
	start []string // start-up parameters
	steps []leakStep
	// probe asks for what the snapshot does not show. Its answer to somebody
	// who has not made the state must differ.
	probe string
	// fades says that A may find nothing of it any more when another client has
	// had its backend.
	fades bool
}

// leakStep is what is sent in one write. All replies to it are awaited.
type leakStep []pgproto3.FrontendMessage

// TestLeaks has client A make session state and leave, in each of the ways
// there are. Client B then gets the same backend, as there is no other, and
// must find it as if PostgreSQL had just started it. Where A stays, it must find
// all that a client finds that is connected to PostgreSQL directly and did the
// same.
func TestLeaks(t *testing.T) {
	prepareForLeaks(t)
	for _, user := range leakUsers {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			l := newLane(t, user, "leak_"+user)
			settings := l.settingStates(t)
			for _, s := range slices.Concat(leakStates(), settings) {
				if l.chooses(s) {
					t.Run(s.name, func(t *testing.T) { l.runState(t, s, choosePartings(s)) })
				}
			}
		})
	}
}

// leakRandom is the same for the same name and seed.
func leakRandom(name string) *rand.Rand {
	h := fnv.New64()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(*leakSeed, h.Sum64()))
}

// chooses reports whether the state is to be run in the lane. What everybody can
// make is left to one of the lanes where there is no time for both.
func (l *lane) chooses(s leakState) bool {
	if s.user == "" && !soak {
		return leakUsers[leakRandom(s.name).IntN(len(leakUsers))] == l.user
	}
	return s.user == "" || s.user == l.user
}

// choosePartings returns the ways to leave that are tried with a state: all of
// them where there is time, otherwise staying or another one.
func choosePartings(s leakState) []parting {
	if soak {
		return partings
	}
	random := leakRandom("leaving " + s.name)
	n := 1 + random.IntN(len(partings)-1)
	if random.IntN(2) == 0 {
		n = 0
	}
	return partings[n : n+1]
}

// leakUsers are a superuser and one without any rights but that to become
// another.
var leakUsers = []string{"postgres", "leak_user"}

// prepareForLeaks makes what all databases share.
func prepareForLeaks(t *testing.T) {
	t.Helper()
	if err := observer(t, plain(t)).Exec(leakSetup); err != nil {
		t.Fatal(err)
	}
}

// lane is a database with a proxy of one backend before it, for one user.
type lane struct {
	user, database string
	direct         string // PostgreSQL's address
	proxy          *running
	admin          *pgtest.Admin
	fresh          []string // the snapshot of a client that has done nothing
	afterSeed      string   // what random() says after setseed(0.5)
}

// newLane makes a database of its own, so that lanes can run at once: advisory
// locks, channels and backends are told apart by it.
func newLane(t *testing.T, user, database string) *lane {
	t.Helper()
	l := &lane{user: user, direct: plain(t), database: database}
	observed := observer(t, l.direct)
	for _, sql := range []string{"drop database if exists " + l.database + " with (force)", "create database " + l.database} {
		if err := observed.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := pgtest.NewAdmin(l.direct, "postgres", l.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	l.admin = admin
	for _, sql := range []string{leakFixture, belowFixture} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	l.proxy = startProxy(t, l.direct, onlyOne)
	c := l.dial(t, l.direct)
	defer c.Close()
	l.fresh = snapshot(t, c, "")
	value(t, c, "select setseed(0.5)")
	l.afterSeed = value(t, c, "select random()")
	l.readSequences(t)
	return l
}

// readSequences has a client ask for what nextval has left: until one does the
// proxy thinks that nobody will.
func (l *lane) readSequences(t *testing.T) {
	t.Helper()
	c := l.dial(t, l.proxy.addr)
	defer goes(c)
	_ = c.Send(pgtest.Query("select lastval()"))
	hears(t, c, "E")
}

const leakSetup = `
select pg_replication_origin_create('leak') where not exists (select from pg_replication_origin where roname = 'leak');
do $$ begin
	if not exists (select from pg_roles where rolname = 'leak_user') then
		create role leak_other;
		create role leak_user login in role leak_other;
	end if;
end $$`

// leakFixture is what the states need, for everybody. The admin keeps the lock,
// so that whoever wants it waits.
const leakFixture = `
create schema leak;
grant all on schema leak to public;
create sequence leak.ticket;
create table leak.sink (id int, name text);
create table leak.numbered (id serial);
create table leak.named (id serial, name text);
create function leak.number() returns bigint language sql as $$ select setval('leak.ticket', 4712) $$;
grant all on all tables in schema leak to public;
grant all on all sequences in schema leak to public;
create function leak.set(name text, value text) returns text language plpgsql as
	$$ begin return set_config(name, value, false); end $$;
create function leak.run(command text) returns void language plpgsql as $$ begin execute command; end $$;
create procedure leak.call(name text, value text) language plpgsql as
	$$ begin perform set_config(name, value, false); commit; end $$;
create access method leak_heap type table handler heap_tableam_handler;
select pg_advisory_lock(77)`

// dial logs in as the lane's user, at the proxy or directly.
func (l *lane) dial(t *testing.T, addr string, params ...string) *pgtest.Conn {
	t.Helper()
	c, err := pgtest.Dial(addr, "client", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(pgproto3.ProtocolVersion30, append([]string{"user", l.user, "database", l.database}, params...)...); err != nil {
		t.Fatal(err)
	}
	return c
}

// free reports whether the pool's only backend is nobody's.
func (l *lane) free() bool {
	stats := l.proxy.server.Pools().Stats()
	i := slices.IndexFunc(stats, func(s pool.Stat) bool { return s.Key.User == l.user && s.Key.Database == l.database })
	return stats[i].Active == 0
}

// settle waits until what is taken from one client by ending its backend is
// there for the next: PostgreSQL takes a moment for that. Columns are numbered from
// one on again.
func (l *lane) settle(t *testing.T) {
	t.Helper()
	for _, sequence := range []string{"numbered", "named"} {
		if err := l.admin.Exec("select setval('leak." + sequence + "_id_seq', 1, false)"); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.admin.Await(`select not exists (select from pg_replication_slots) and not exists (select from pg_locks
		where locktype = 'advisory' and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database()))`); err != nil {
		t.Fatal(err)
	}
}

// truth is what PostgreSQL itself does with a state.
type truth struct {
	replies  []string
	snapshot []string // of the client that made it
	without  []string // of one that did not
	status   byte     // transaction status in the end, 0 if the session has ended
}

// twin makes the state directly, and is gone when it returns.
func (l *lane) twin(t *testing.T, s leakState) *truth {
	t.Helper()
	l.settle(t)
	c := l.dial(t, l.direct, s.start...)
	defer c.Close()
	w := &truth{without: l.fresh}
	w.replies, w.status = run(t, c, s.steps)
	if w.status != 0 {
		w.snapshot = snapshot(t, c, s.probe)
	}
	_ = c.Send(pgtest.Terminate)
	if s.probe != "" {
		other := l.dial(t, l.direct)
		w.without = snapshot(t, other, s.probe)
		other.Close()
	}
	if err := l.admin.Await(fmt.Sprintf("select not exists (select from pg_stat_activity where pid = %d)", c.PID)); err != nil {
		t.Fatal(err)
	}
	return w
}

// complete puts into a state what is known only when it runs.
func (l *lane) complete(s leakState) leakState {
	s.probe = strings.ReplaceAll(s.probe, afterSeed, l.afterSeed)
	return s
}

func (l *lane) runState(t *testing.T, s leakState, ways []parting) {
	t.Helper()
	s = l.complete(s)
	want := l.twin(t, s)
	for _, p := range ways {
		t.Run(p.name, func(t *testing.T) {
			if found := l.leak(t, s, want, p); found != "" {
				t.Errorf("A says\n%s%s", renderSteps(s.steps), found)
				l.terminate(t) // what is left there is not for the next case
			}
		})
	}
}

// leak runs a state and a way to leave, and says what was not as it is with
// PostgreSQL itself; "" if nothing.
func (l *lane) leak(t *testing.T, s leakState, want *truth, p parting) string {
	t.Helper()
	l.settle(t)
	a := l.dial(t, l.proxy.addr, s.start...)
	defer a.Close()
	replies, _ := run(t, a, s.steps)
	if diff := diffLines(want.replies, replies); diff != "" {
		return "A is answered differently:\n" + diff
	}
	p.leave(t, l, a, want.status)
	if p.stays && want.status != 0 && !l.free() {
		return l.stillThere(t, s, want, a)
	}
	b := l.dial(t, l.proxy.addr)
	defer b.Close()
	if diff := diffLines(want.without, snapshot(t, b, s.probe)); diff != "" {
		return "B sees something of it:\n" + diff
	}
	if p.stays && want.status != 0 {
		_ = b.Send(pgtest.Terminate)
		return l.stillThere(t, s, want, a)
	}
	return ""
}

// stillThere compares what A finds with what its twin found.
func (l *lane) stillThere(t *testing.T, s leakState, want *truth, a *pgtest.Conn) string {
	t.Helper()
	expected, found := want.snapshot, snapshot(t, a, s.probe)
	if s.start != nil { // a label is set later than a start-up parameter
		expected, found = withoutSources(expected), withoutSources(found)
	}
	if s.fades {
		expected = orFaded(expected, found, want.without)
	}
	if diff := diffLines(expected, found); diff != "" {
		return "A finds another state than directly:\n" + diff
	}
	return ""
}

// orFaded puts in the place of what A should find of sequences what one finds who
// has not called any, if A does.
func orFaded(expected, found, without []string) []string {
	at := func(lines []string) int { return slices.Index(lines, "> Query select currval('leak.ticket')") }
	if rest := without[at(without):]; slices.Equal(found[at(found):], rest) {
		return slices.Concat(expected[:at(expected)], rest)
	}
	return expected
}

// run sends the steps and returns the replies, and the transaction status in the
// end. When a ParameterStatus comes is not fixed: it counts as the last of its
// step.
func run(t *testing.T, c *pgtest.Conn, steps []leakStep) (replies []string, status byte) {
	t.Helper()
	status = 'I'
	for _, step := range steps {
		if err := c.Send(step...); err != nil {
			t.Fatal(err)
		}
		var parameters []string
		for _, f := range awaitReplies(t, c, step) {
			switch f.Type {
			case 'S':
				parameters = append(parameters, f.String())
				continue
			case 'Z':
				status = f.Body[0]
			case pgtest.EOF:
				return replies, 0
			}
			replies = append(replies, f.String())
		}
		slices.Sort(parameters)
		replies = append(replies, parameters...)
	}
	return replies, status
}

// awaitReplies receives up to the ReadyForQuery of each exchange in a step. Of
// one without any, which ends with Flush, it receives up to the reply to Execute.
func awaitReplies(t *testing.T, c *pgtest.Conn, step leakStep) (frames []pgtest.Frame) {
	t.Helper()
	ends := endsOf(step)
	types := "Z"
	if ends == 0 {
		types, ends = "CsIE", 1
	}
	for ends > 0 {
		f, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
		if f.Type == pgtest.EOF {
			return frames
		}
		if strings.IndexByte(types, f.Type) >= 0 {
			ends--
		}
	}
	return frames
}

// endsOf counts the messages that are answered by ReadyForQuery.
func endsOf(step leakStep) (n int) {
	for _, m := range step {
		switch m.(type) {
		case *pgproto3.Query, *pgproto3.Sync, *pgproto3.FunctionCall:
			n++
		}
	}
	return n
}
