package digest

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"
)

func newTable(t testing.TB, max int) (*Table, *Recorder, *Owner) {
	t.Helper()
	table := NewTable(Options{Loops: 2, Max: max})
	owner := table.Owner("db", "me")
	if owner == nil {
		t.Fatal("nothing is recorded")
	}
	return table, table.Recorder(0), owner
}

func TestCounts(t *testing.T) {
	table, r, owner := newTable(t, 100)
	sh := r.Find(owner, []byte("select 1"))
	if sh != r.Find(owner, []byte("SELECT  22 -- x")) || sh != table.Recorder(1).Find(owner, []byte("select 3")) {
		t.Error("one shape is several")
	}
	if sh == r.Find(table.Owner("db", "you"), []byte("select 1")) || sh == r.Find(owner, []byte("select a")) {
		t.Error("several shapes are one")
	}
	ms := int64(time.Millisecond)
	for i := range int64(100) {
		r.Record(&Record{Shape: sh, Calls: 1, Duration: (i + 1) * ms, Wait: ms / 2, Backend: ms / 4, Rows: 2, Bytes: 10})
	}
	table.Recorder(1).Record(&Record{Shape: sh, Calls: 4, Duration: 8 * ms, Source: SourceCache, Rewritten: true, Code: [5]byte{'4', '2', 'P', '0', '1'}})
	stats := table.Snapshot()
	if len(stats) != 1 {
		t.Fatalf("%d shapes", len(stats))
	}
	s := stats[0]
	if s.Calls != 104 || s.Errors != 1 || s.LastError != "42P01" || s.Rows != 200 || s.Bytes != 1000 || s.Rewritten != 4 || s.Sources != [4]uint64{100, 4} {
		t.Errorf("counts: %+v", s.Counts)
	}
	if s.Total != 5058*time.Millisecond || s.Wait != 50*time.Millisecond || s.Backend != 25*time.Millisecond || s.Proxy != 4983*time.Millisecond || s.Max != 100*time.Millisecond {
		t.Errorf("times: %+v", s.Counts)
	}
	for q, want := range map[float64]float64{0.5: 50, 0.95: 95, 0.99: 99, 1: 100} {
		if got := s.Quantile(q).Seconds() * 1000; got < want*0.94 || got > want*1.06 {
			t.Errorf("quantile %v is %v ms", q, got)
		}
	}
	if s.CacheShare() < 0.038 || s.CacheShare() > 0.039 || s.Text != "select $1" || s.First.IsZero() || s.Last.Before(s.First) {
		t.Errorf("%+v", s)
	}
	if found, ok := table.Find(s.ID); !ok || found.Calls != 104 {
		t.Error("it is not found by its ID")
	}
	if id, ok := ParseID(s.ID.String()); !ok || id != s.ID || len(s.ID.String()) != 16 {
		t.Errorf("the ID is written %s", s.ID)
	}
	table.Reset()
	if len(table.Snapshot()) != 0 {
		t.Error("there is something left after Reset")
	}
}

// However many shapes there are, the table does not grow; those that take most time stay.
func TestBounded(t *testing.T) {
	const most, shapes = 1000, 100_000
	table, r, owner := newTable(t, most)
	heavy := r.Find(owner, []byte("select heavy"))
	r.Record(&Record{Shape: heavy, Duration: int64(time.Hour)})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range shapes {
		sh := r.Find(owner, fmt.Appendf(nil, "select a%d from b where c = 5", i))
		r.Record(&Record{Shape: sh, Duration: 1000})
		if i%100 == 0 {
			table.collect()
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	totals := table.Totals()
	if totals.Shapes > most || totals.Pruned < shapes-2*most-40_000 || totals.Dropped > 0 {
		t.Errorf("%+v", totals)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("it has grown by %d bytes", grown)
	}
	var calls uint64
	for _, s := range table.Snapshot() {
		calls += s.Calls
	}
	if calls+totals.Pruned < shapes/2 {
		t.Errorf("only %d calls are known, %d shapes were forgotten", calls, totals.Pruned)
	}
	if s := table.Snapshot()[0]; s.Text != "select heavy" {
		t.Errorf("what takes most time is %q", s.Text)
	}
	if len(r.known) > maxKnown {
		t.Errorf("the loop knows %d", len(r.known))
	}
}

// A hundred thousand shapes have room if the configuration says so.
func TestHundredThousand(t *testing.T) {
	const shapes = 100_000
	table, r, owner := newTable(t, shapes*2)
	for i := range shapes {
		r.Record(&Record{Shape: r.Find(owner, fmt.Appendf(nil, "select a%d", i)), Duration: 1000})
		if i%1000 == 0 {
			table.collect()
		}
	}
	if stats := table.Snapshot(); len(stats) != shapes {
		t.Errorf("%d shapes", len(stats))
	}
}

// Nothing that the loop does blocks or allocates, also when nobody collects.
func TestRecordDrops(t *testing.T) {
	table, r, owner := newTable(t, 100)
	text := []byte("select a from b where c = 5")
	sh := r.Find(owner, text)
	table.mu.Lock() // a collector that is stuck
	if n := testing.AllocsPerRun(3*ringSize, func() { r.Record(&Record{Shape: r.Find(owner, text), Duration: 5}) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
	table.mu.Unlock()
	totals := table.Totals()
	if totals.Dropped == 0 {
		t.Error("nothing was dropped")
	}
	if s := table.Snapshot()[0]; s.Calls+totals.Dropped != 3*ringSize+1 || sh.Text() == "" {
		t.Errorf("%d calls, %d dropped", s.Calls, totals.Dropped)
	}
}

// What is not read for sure is counted, but not shown.
func TestUnreadable(t *testing.T) {
	table, r, owner := newTable(t, 100)
	for _, text := range []string{"select 'secret", "select '" + strings.Repeat("secret", maxShaped) + "'", ""} {
		sh := r.Find(owner, []byte(text))
		if strings.Contains(sh.Text(), "secret") {
			t.Errorf("it is shown: %.40s", sh.Text())
		}
		r.Record(&Record{Shape: sh, Duration: 1})
	}
	if len(table.Snapshot()) == 0 {
		t.Error("they are not counted")
	}
}

func TestLimits(t *testing.T) {
	table, _, owner := newTable(t, 100)
	second, none := time.Second, time.Duration(0)
	table.SetLimits(Limits{Slow: time.Minute, Explain: time.Hour, Databases: map[string]Override{"db": {Slow: &second}}, Users: map[string]Override{"you": {Slow: &none, Explain: &second}}})
	you, there := table.Owner("db", "you"), table.Owner("elsewhere", "me")
	for _, c := range []struct {
		owner         *Owner
		slow, explain time.Duration
	}{{owner, time.Second, time.Hour}, {you, 0, time.Second}, {there, time.Minute, time.Hour}} {
		if c.owner.Slow() != int64(c.slow) || c.owner.Explain() != int64(c.explain) {
			t.Errorf("%s %s: %v %v", c.owner.Database, c.owner.User, c.owner.Slow(), c.owner.Explain())
		}
	}
	if NewTable(Options{Loops: 1}).Owner("a", "b") != nil {
		t.Error("a table of nothing records something")
	}
}

func TestSlow(t *testing.T) {
	var out bytes.Buffer
	table := NewTable(Options{Loops: 1, Max: 10, Log: slog.New(slog.NewTextHandler(&out, nil))})
	r, owner := table.Recorder(0), table.Owner("db", "me")
	for i := range maxSlow + 10 {
		r.Record(&Record{
			Shape: r.Find(owner, []byte("select 'secret' from a")), Duration: int64(i+1) * int64(time.Second),
			Slow: &Slow{Session: 7, Tags: []Tag{{"action", "show"}}},
		})
	}
	list := table.Slow()
	if len(list) != maxSlow || list[0].Total != (maxSlow+10)*time.Second || list[maxSlow-1].Total != 11*time.Second || list[0].Text != "select $1 from a" {
		t.Errorf("%d, the first is %+v", len(list), list[0])
	}
	for _, want := range []string{"slow statement", "database=db", "user=me", "session=7", "duration=1s", `statement="select $1 from a"`, "tag_action=show", "more slow statements were not logged"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log has no %s", want)
		}
	}
	if n := strings.Count(out.String(), "slow statement\""); n != maxUnlogged || strings.Contains(out.String(), "secret") {
		t.Errorf("%d lines in the log:\n%.300s", n, &out)
	}
}

func TestTags(t *testing.T) {
	allowed := []string{"action", "controller", "traceparent"}
	for _, c := range []struct{ text, want string }{
		{"select 1 /*action='a%20b',controller='c',password='secret'*/", "action=a b controller=c"},
		{"select 1 /*action:show,line:secret*/ ;", "action=show"},
		{"/* action='x' */ select 1", "action=x"},
		{"select '/*action=''x''*/', 'secret'", ""},
		{"select 1 /* action=show */", ""},
		{"select 1 /*action='%zz'*/", ""},
		{"/*/ select 1", ""},
		{"select 1", ""},
		{"*/", ""},
		{"select pg_sleep(0.01), 'x /*action:S3CRET39,' -- */", ""},
		{"select 'x /*action:S3CRET39,' /* controller:c */", "controller=c"},
		{"select $$/*action:S3CRET39*/$$", ""},
		{`select "/*action:S3CRET39*/"`, ""},
		{`select E'\' /*action:S3CRET39*/`, ""},
		{`select E'\'/*action:S3CRET39*/'; -- */`, ""},
		{"select 1 /* a /* action:b */ , controller:c", ""},
		{"/* controller:c */ select '/*action:S3CRET39*/'", "controller=c"},
		{"select 1; /*action:a*/;", "action=a"},
		{"select 1 /*action:" + strings.Repeat("a", 300) + "*/", "action=" + strings.Repeat("a", maxTagValue)},
		{"select 1 /*" + strings.Repeat("action:b,", maxTags+1) + "*/", strings.TrimSpace(strings.Repeat("action=b ", maxTags))},
	} {
		got := ""
		for i, tag := range Tags([]byte(c.text), allowed) {
			if i > 0 {
				got += " "
			}
			got += tag.Name + "=" + tag.Value
		}
		if got != c.want {
			t.Errorf("%s: %q", c.text, got)
		}
	}
}

func TestPlans(t *testing.T) {
	table, r, owner := newTable(t, 100)
	sh := r.Find(owner, []byte("select 1"))
	run := func(n int, d time.Duration) {
		for range n {
			r.Record(&Record{Shape: sh, Duration: int64(d)})
		}
	}
	run(10, time.Millisecond)
	if _, flipped := table.SawPlan(sh.ID(), "one", 5); flipped {
		t.Error("the first plan is a change")
	}
	run(30, time.Millisecond)
	if _, flipped := table.SawPlan(sh.ID(), "one", 5); flipped {
		t.Error("the same plan is a change")
	}
	run(50, 100*time.Millisecond) // with either
	flip, flipped := table.SawPlan(sh.ID(), "two", 7)
	if !flipped || flip.Before.Plan != "one" || flip.Before.Calls != 40 || flip.After.Plan != "two" {
		t.Errorf("%v %+v", flipped, flip.Before.Calls)
	}
	run(25, 100*time.Millisecond)
	if _, flipped = table.SawPlan(sh.ID(), "two", 7); flipped {
		t.Error("the same plan is a change")
	}
	s, _ := table.Find(sh.ID())
	if len(s.Plans) != 2 || s.Plans[0].Calls != 40 || s.Plans[1].Calls != 25 || s.Plans[1].Histogram.Quantile(0.5) < 90*time.Millisecond || s.Plans[0].Histogram.Quantile(0.99) > 2*time.Millisecond {
		t.Errorf("%d plans: %d and %d calls", len(s.Plans), s.Plans[0].Calls, s.Plans[1].Calls)
	}
	for i := range 2 * maxPlans {
		table.SawPlan(sh.ID(), fmt.Sprint(i), 1)
	}
	if s, _ = table.Find(sh.ID()); len(s.Plans) != maxPlans {
		t.Errorf("%d plans are kept", len(s.Plans))
	}
}

func TestHistogramCells(t *testing.T) {
	last := 0
	for ns := int64(1); ns < 1<<45; ns += ns/9 + 1 {
		cell := cellOf(ns)
		if cell < last || cell >= Cells {
			t.Fatalf("%d ns are in cell %d after %d", ns, cell, last)
		}
		if bound := Bound(cell); cell < Cells-1 && (ns > int64(bound) || cell > 0 && ns < int64(Bound(cell-1))) {
			t.Fatalf("%d ns are in cell %d, which goes to %d", ns, cell, bound)
		}
		last = cell
	}
}

func BenchmarkRecord(b *testing.B) {
	table, r, owner := newTable(b, 100)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 123456")
	sh := r.Find(owner, text)
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r.Record(&Record{Shape: sh, Duration: 1000})
			if i%(ringSize/2) == 0 {
				table.collect()
			}
		}
	})
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Find(owner, text)
		}
	})
	b.Run("snapshot of 5000", func(b *testing.B) {
		table, r, owner := newTable(b, 6000)
		for i := range 5000 {
			r.Record(&Record{Shape: r.Find(owner, fmt.Appendf(nil, "select a%d", i)), Duration: 1000})
		}
		for b.Loop() {
			table.Snapshot()
		}
	})
}

// Conflicts are a storm if they come in a short time; the worst one counts.
func TestStorm(t *testing.T) {
	now := time.Now()
	table := NewTable(Options{Loops: 1, Max: 10, Now: func() time.Time { return now }})
	r := table.Recorder(0)
	sh := r.Find(table.Owner("d", "u"), []byte("update t set n = 1"))
	for _, step := range []struct {
		conflicts int
		pause     time.Duration
		want      uint64
	}{{3, 0, 3}, {2, StormTime, 5}, {1, StormTime + 1, 5}, {4, time.Second, 5}, {1, time.Second, 6}} {
		now = now.Add(step.pause)
		for range step.conflicts {
			r.Record(&Record{Shape: sh, Code: [5]byte([]byte("40001"))})
		}
		r.Record(&Record{Shape: sh, Code: [5]byte([]byte("23505"))})
		table.collect()
		if stat, _ := table.Find(sh.ID()); stat.Storm != step.want {
			t.Errorf("%+v: %d", step, stat.Storm)
		}
	}
}

// A plan that goes to and fro is told of: three changes within an hour.
func TestFlaps(t *testing.T) {
	now := time.Now()
	table := NewTable(Options{Loops: 1, Max: 100, Now: func() time.Time { return now }})
	sh := table.Recorder(0).Find(table.Owner("d", "u"), []byte("select 1"))
	table.SawPlan(sh.ID(), "first", 1)
	for i, c := range []struct {
		after time.Duration
		want  bool
	}{
		{time.Minute, false}, {time.Minute, false}, {57 * time.Minute, true}, {time.Minute, true}, {time.Hour, false}, {time.Minute, false}, {time.Minute, true},
	} {
		now = now.Add(c.after)
		if flip, flipped := table.SawPlan(sh.ID(), fmt.Sprint("plan ", i%2), 1); !flipped || flip.Flaps != c.want {
			t.Errorf("change %d: %v, %v", i+1, flipped, flip.Flaps)
		}
	}
}
