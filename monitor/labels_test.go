package monitor

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pgjay/pgjay/pool"
)

func TestLabelsAreBounded(t *testing.T) {
	m := New(Options{Loops: 2, MaxLabelValues: 3})
	for i := range 50 {
		for loop := range 2 {
			m.Recorder(loop).Traffic(fmt.Sprint("db", i), "app").Move(ClientGone, ClientIdle)
			m.Recorder(loop).Traffic("crm", fmt.Sprint("user", i)).Move(ClientGone, ClientIdle)
		}
		m.TimedOut(fmt.Sprint("kind", i))
	}
	traffics, databases := m.totals()
	// db0, crm and db1 have a name of their own; so have app, user0 and user1.
	if len(databases) != 4 || len(traffics) != 6 {
		t.Errorf("%d databases and %d pairs, want 4 and 6", len(databases), len(traffics))
	}
	if n := traffics[who{otherLabel, "app"}].clients(ClientIdle); n != 2*48 {
		t.Errorf("%d clients in other databases, want 96", n)
	}
	if n := testutil.CollectAndCount(m.events.timeouts); n != 4 {
		t.Errorf("%d kinds of timeout, want 3 and other", n)
	}
	expectOverflow(t, m.pairs.databases, 2*48)
	expectOverflow(t, m.pairs.users, 2*48)
	expectOverflow(t, m.events.reasons, 47)
}

func TestPairsAreBounded(t *testing.T) {
	m := New(Options{Loops: 1, MaxLabelValues: 10})
	for database := range 10 {
		for user := range 10 {
			m.Recorder(0).Traffic(fmt.Sprint(database), fmt.Sprint(user))
		}
	}
	traffics, _ := m.totals()
	// 50 pairs, and in five databases the users are not told apart.
	if len(traffics) != 55 {
		t.Errorf("%d pairs, want 55", len(traffics))
	}
	expectOverflow(t, m.pairs.users, 50)
}

func TestNamesFromClientsAreCleaned(t *testing.T) {
	m := New(Options{Loops: 1})
	m.Recorder(0).Traffic("bad\xff\xfename", strings.Repeat("é", 5000)).Move(ClientGone, ClientActive)
	traffics, _ := m.totals()
	for w := range traffics {
		if !utf8.ValidString(w.database) || !utf8.ValidString(w.user) || len(w.user) > maxNameLen+3 {
			t.Errorf("labels %q", w)
		}
	}
	if _, err := m.book.registry.Gather(); err != nil {
		t.Error(err)
	}
}

func expectOverflow(t *testing.T, b *boundedLabel, want float64) {
	t.Helper()
	if got := testutil.ToFloat64(b.overflow); got != want {
		t.Errorf("overflow %v, want %v", got, want)
	}
}

// Pools for which there is no room are added up, not shown twice.
func TestPoolsWithTheSameLabelsAreOne(t *testing.T) {
	pools := make([]pool.Stat, 5)
	for i := range pools {
		pools[i] = pool.Stat{Key: pool.Key{Database: fmt.Sprint(i), User: "app"}, Waiting: 1 + i}
	}
	m := New(Options{MaxLabelValues: 2, Pools: func() []pool.Stat { return pools }})
	gathered, err := m.book.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range gathered {
		if f.GetName() == "pgjay_pool_waiting_clients" {
			for _, s := range f.GetMetric() {
				got[s.GetLabel()[0].GetValue()] = s.GetGauge().GetValue()
			}
		}
	}
	if want := map[string]float64{"0": 1, "1": 2, otherLabel: 3 + 4 + 5}; !maps.Equal(got, want) {
		t.Errorf("waiting clients %v, want %v", got, want)
	}
}
