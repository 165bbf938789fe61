package proxy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy/pgtest"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// In worlds with a cache the servers have rows in common. Each client writes those that
// have its number, and reads all of them. It must read a value that the row had, committed,
// at some moment between its request and the reply; of its own rows, what a server of its
// own would have said.

// simRows are the rows of a world, by "a.1", and what became of each.
type simRows struct {
	now     *int // the step
	value   map[string]int
	history map[string][]simValue
	settle  func() // lets what was put into the cache be found
}

// simValue is a value that was committed in a step.
type simValue struct{ step, value int }

func newSimRows(now *int) *simRows {
	return &simRows{now: now, value: map[string]int{}, history: map[string][]simValue{}, settle: func() {}}
}

// simWrites is what a server process has written and not committed.
type simWrites struct {
	rows *simRows // nil: there are none
	mine map[string]int
}

var simRowText = regexp.MustCompile(`([ab]) .*id = (\d+)$`)

func rowKey(text string) string {
	m := simRowText.FindStringSubmatch(text)
	return m[1] + "." + m[2]
}

// readRow does SELECT v FROM a WHERE id = 1.
func (v *simServer) readRow(rest string) bool {
	key := rowKey(rest)
	value, own := v.mine[key]
	if !own {
		value = v.rows.value[key]
	}
	v.data(wire.DataRow, fmt.Sprintf("row %s = %06d", key, value))
	return v.complete("SELECT 1")
}

// writeRow does UPDATE a SET v = 2 WHERE id = 1.
func (v *simServer) writeRow(rest string) bool {
	key, value := rowKey(rest), 0
	_, _ = fmt.Sscanf(rest[strings.Index(rest, "= ")+2:], "%d", &value)
	old, had := v.mine[key]
	if v.mine == nil {
		v.mine = map[string]int{}
	}
	v.mine[key] = value
	v.undo = append(v.undo, func() {
		if v.mine[key] = old; !had {
			delete(v.mine, key)
		}
	})
	return v.complete("UPDATE 1")
}

// commitRows makes visible what was written.
func (v *simServer) commitRows() {
	for key, value := range v.mine {
		v.rows.value[key] = value
		v.rows.history[key] = append(v.rows.history[key], simValue{*v.rows.now, value})
	}
	clear(v.mine)
}

// had reports whether the row had the value at some moment between two steps.
func (r *simRows) had(key string, value, from, to int) bool {
	for i, h := range append([]simValue{{-1, 0}}, r.history[key]...) {
		end := 1 << 30
		if i < len(r.history[key]) {
			end = r.history[key][i].step
		}
		if h.value == value && h.step <= to && end >= from {
			return true
		}
	}
	return false
}

// simCatalog is what PostgreSQL says of the tables.
type simCatalog struct {
	keeper *catalog.Keeper
	a, b   uint32
}

func newSimCatalog(t *testing.T) *simCatalog {
	server := pgtest.NewServer(t, embedded.Options{})
	admin, err := pgtest.NewAdmin(server.Address(), "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Exec("create table a (id int, v int); create table b (id int, v int)"); err != nil {
		t.Fatal(err)
	}
	c := &simCatalog{keeper: catalog.NewKeeper(func(ctx context.Context) (*pgconn.PgConn, error) {
		return pgconn.Connect(ctx, server.URL("postgres", "postgres"))
	}, time.Hour, func(catalog.Change) {})}
	t.Cleanup(c.keeper.Close)
	for deadline := time.Now().Add(pgtest.Patience); c.keeper.Snapshot() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the catalog is not read")
		}
	}
	path := []string{"public"}
	c.a, c.b = c.keeper.Snapshot().Resolve(path, []string{"a"}).OID, c.keeper.Snapshot().Resolve(path, []string{"b"}).OID
	return c
}

// simReads is what is read of a table, with the number of any row in the place of 1.
func simReads(table string) string { return "SELECT v FROM " + table + " WHERE id = 1" }

// simPool is the pool of all clients.
var simPool = pool.Key{Database: "d", User: "u"}

// withCache gives the world a cache that knows what there is to know of what is read.
func (m *sim) withCache(c *simCatalog) *cache.Cache {
	cfg := cache.DefaultConfig()
	cfg.Size, cfg.Rules, cfg.CoalesceMaxWait = cache.MB, []cache.Rule{{Cache: cache.Always}}, time.Duration(m.rng.IntN(2))*time.Hour+time.Second
	cfg.TTL, cfg.MaxTTL = 24*time.Hour, 24*time.Hour
	answers, err := cache.New(cfg)
	if err != nil {
		m.t.Fatal(err)
	}
	m.rows = newSimRows(&m.steps)
	m.rows.settle = synctest.Wait
	p := m.shared.pools.Pool(simPool)
	db := &database{
		cache: answers, space: answers.Space(p.Server()), keeper: c.keeper, pools: m.shared.pools, server: p.Server(), log: m.shared.log, reader: p.Key(),
		signatures: make(map[signatureKey]*signature), verdicts: make(map[verdictKey]*verdict), tutors: make(map[pool.Key]*tutor),
		samplers: make(map[pool.Key]*tutor), rewritten: make(map[rewriteKey]*rewritten), await: m.await,
	}
	db.tutors[p.Key()] = &tutor{db: db, key: p.Key(), after: time.Now().Add(1000 * time.Hour)} // who knows nothing
	m.shared.databases.cache, m.shared.databases.serving = answers, true
	m.shared.databases.known = map[string]*database{p.Server(): db}
	sig := db.signatureOf("u", pool.Label{})
	generation, _ := db.generation()
	sig.learnt.Store(&standing{generation: generation, path: []string{"public"}, committed: true})
	for table, oid := range map[string]uint32{"a": c.a, "b": c.b} {
		text := simReads(table)
		pattern, _ := sqlparse.AppendPattern(nil, []byte(text))
		for id := range simRowCount {
			parsed := strings.Replace(text, "1", fmt.Sprint(id), 1) + "\x00\x00\x00"
			for _, of := range []string{"", parsed} {
				v := db.verdictOf(verdictKey{sig, string(pattern), of})
				v.findings.Store(&findings{generation: generation, relations: []uint32{oid}, rule: answers.Rules().Match(cache.RuleQuery{}), rules: answers.Rules()})
			}
		}
	}
	return answers
}

// await has a server process do what it was sent before it ends: nobody hears of it.
func (m *sim) await(pid uint32) {
	b := m.backends[pid-1]
	if b.server.dead {
		return
	}
	b.server.feed(b.pending)
	b.pending, b.server.dead = nil, true
}

// simRowCount is how many rows a table has; clients have the first of these numbers.
const simRowCount = 5

// simReadRows is how many of them are read: few, so that they are in the cache.
const simReadRows = 2

// cacheWriter writes the messages of a client.
type cacheWriter struct {
	scriptWriter
	value int
	named map[string]bool
}

func (w *cacheWriter) read() string {
	return strings.Replace(simReads([]string{"a", "b"}[w.rng.IntN(2)]), "1", fmt.Sprint(w.rng.IntN(simReadRows)), 1)
}

func (w *cacheWriter) write() string {
	w.value++
	return fmt.Sprintf("UPDATE %s SET v = %d WHERE id = %d", []string{"a", "b"}[w.rng.IntN(2)], w.value, w.id)
}

// one is any statement.
func (w *cacheWriter) one() string {
	switch w.rng.IntN(20) {
	case 0:
		return w.write()
	case 1:
		return "SELECT 1/0"
	case 2:
		return "SELECT " + w.tag()
	}
	return w.read()
}

// within is any statement of a transaction.
func (w *cacheWriter) within() string {
	switch w.rng.IntN(12) {
	case 0, 1:
		return "SAVEPOINT " + w.savepoint()
	case 2, 3:
		return "ROLLBACK TO " + w.savepoint()
	case 4:
		return "RELEASE " + w.savepoint()
	case 5, 6, 7:
		return w.write()
	}
	return w.one()
}

// unit is a statement by the extended protocol, without a Sync.
func (w *cacheWriter) unit(sql string) {
	name := ""
	if w.rng.IntN(4) == 0 && strings.HasPrefix(sql, "SELECT v") {
		name = sql
	}
	if name == "" || !w.named[name] {
		w.out = wire.AppendParse(w.out, name, sql)
	}
	w.out = wire.AppendExecute(wire.AppendBindText(w.out, name))
	w.named[name] = w.named[name] || name != "" && w.rng.IntN(2) == 0 // or it is in vain the next time
}

func (w *cacheWriter) send(sql string) {
	w.pause()
	if w.rng.IntN(2) == 0 {
		w.query(sql)
		return
	}
	w.unit(sql)
	w.out = wire.AppendEmpty(w.out, wire.Sync)
}

// pause has a patient client wait for what it was owed, mostly.
func (w *cacheWriter) pause() {
	if w.rng.IntN(8) > 0 {
		w.waits = append(w.waits, len(w.out))
	}
}

func (w *cacheWriter) exchange() {
	w.pause()
	switch w.rng.IntN(8) {
	case 0:
		w.send([]string{"BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"}[w.rng.IntN(3)])
		for range w.rng.IntN(8) {
			w.send(w.within())
		}
		w.send([]string{"COMMIT", "COMMIT", "ROLLBACK"}[w.rng.IntN(3)])
	case 1:
		all := []string{w.one(), w.one(), w.one()}
		if w.rng.IntN(2) == 0 {
			all = []string{"BEGIN", w.within(), w.within(), "COMMIT", w.one()}
		}
		w.query(strings.Join(all, "; "))
	case 2:
		for range 1 + w.rng.IntN(6) {
			w.unit([]string{"BEGIN", "COMMIT", "ROLLBACK", w.within(), w.within(), w.one(), w.one()}[w.rng.IntN(7)])
		}
		w.out = wire.AppendEmpty(w.out, wire.Sync)
	default:
		w.send(w.one())
	}
}

// writeCached makes the bytes of a client of a world with a cache.
func (c *simClient) writeCached() {
	startup := "\x00\x03\x00\x00user\x00u\x00database\x00d\x00\x00"
	c.script = append([]byte{0, 0, 0, byte(4 + len(startup))}, startup...)
	c.login = len(c.script)
	w := &cacheWriter{scriptWriter: scriptWriter{rng: c.sim.rng, id: c.id, out: c.script}, named: map[string]bool{}}
	for range 8 + w.rng.IntN(32) {
		w.exchange()
	}
	w.query("ROLLBACK")
	c.script, c.waits = wire.AppendEmpty(w.out, wire.Terminate), w.waits
}

var simRowValue = regexp.MustCompile(`row ([ab])\.(\d) = (\d{6})`)

// checkRows holds what a client has read to have been there.
func (m *sim) checkRows(c *simClient) {
	rest, ok := greeting(c.got)
	if !ok {
		return
	}
	begins, end := c.begins(), len(c.got)-len(rest)
	for len(rest) > 0 {
		n, ok := wire.FrameLen(rest)
		if !ok || n < 0 || n > len(rest) {
			return
		}
		frame := rest[:n]
		rest, end = rest[n:], end+n
		if frame[0] == wire.ReadyForQuery && len(begins) > 0 {
			begins = begins[1:]
		}
		read := simRowValue.FindSubmatch(frame)
		if frame[0] != wire.DataRow || read == nil || len(begins) == 0 || string(read[2]) == fmt.Sprint(c.id) {
			continue
		}
		key, value := string(read[1])+"."+string(read[2]), 0
		_, _ = fmt.Sscanf(string(read[3]), "%d", &value)
		from, to := at(c.sentIn, begins[0]), at(c.gotIn, end-1)
		if !m.rows.had(key, value, from, to) {
			m.t.Errorf("client %d read %s = %d between the steps %d and %d; it was %v", c.id, key, value, from, to, m.rows.history[key])
		}
	}
}

// begins returns, for each ReadyForQuery, which byte of the script must have been sent
// before something could be read: the last of a Query, the first of other messages.
func (c *simClient) begins() (begins []int) {
	first := -1
	for i := c.login; i < len(c.script); {
		n, _ := wire.FrameLen(c.script[i:])
		if first < 0 {
			first = i
		}
		switch c.script[i] {
		case wire.Query:
			begins, first = append(begins, i+n-1), -1
		case wire.Sync:
			begins, first = append(begins, first), -1
		}
		i += n
	}
	return begins
}

// maskRows hides what others have written: who is alone does not see it.
func maskRows(p []byte, id int) []byte {
	return simRowValue.ReplaceAllFunc(p, func(row []byte) []byte {
		if row[6] == byte('0'+id) {
			return row
		}
		return append(row[:len(row)-6:len(row)-6], "others"...)
	})
}

// simulateCached runs one seed, and returns how much came from the cache.
func simulateCached(t *testing.T, seed uint64, c *simCatalog) (hits int64) {
	m := newSim(t, seed)
	m.rng = rand.New(rand.NewPCG(seed, 2))
	m.changes, m.listens = 0, false
	if m.shared.pools.Pool(simPool).Settings().Mode == pool.ModeSession {
		return 0 // where nothing is served
	}
	if *simSeed != 0 {
		m.log = os.Stderr
	}
	answers := m.withCache(c)
	defer answers.Close()
	for id := range 2 + m.rng.IntN(simRowCount-1) {
		c := &simClient{sim: m, id: id, vanishes: -1, patient: m.rng.IntN(6) > 0}
		c.writeCached()
		m.enter(c, 6)
	}
	m.finish(2_000_000)
	for _, c := range m.clients {
		m.checkRows(c)
	}
	return answers.Stat().Hits()
}

// TestSimulatorWithCache runs a twentieth of the seeds of TestSimulator.
func TestSimulatorWithCache(t *testing.T) {
	t.Parallel()
	c := newSimCatalog(t)
	synctest.Test(t, func(t *testing.T) {
		if *simSeed != 0 {
			t.Logf("%d hits", simulateCached(t, *simSeed, c))
			return
		}
		hits := int64(0)
		for seed := uint64(1); seed <= uint64(*simSeeds)/20; seed++ {
			hits += simulateCached(t, seed, c)
			if t.Failed() {
				t.Fatalf("replay with: go test ./proxy -run TestSimulatorWithCache -seed %d", seed)
			}
		}
		if t.Logf("%d hits", hits); hits < int64(*simSeeds)/20 {
			t.Error("hardly anything came from the cache")
		}
	})
}
