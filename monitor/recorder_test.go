package monitor

import (
	"sync"
	"testing"
	"time"
)

var ordinary = Sample{
	Duration: int64(300 * time.Microsecond),
	Backend:  int64(280 * time.Microsecond),
	Command:  CommandSelect,
}

func TestTrafficIsOnePerPairAndLoop(t *testing.T) {
	m := New(Options{Loops: 2})
	a := m.Recorder(0).Traffic("crm", "app")
	if m.Recorder(0).Traffic("crm", "app") != a {
		t.Error("another Traffic for the same pair")
	}
	if m.Recorder(1).Traffic("crm", "app") == a || m.Recorder(0).Traffic("crm", "other") == a {
		t.Error("the same Traffic for another loop or user")
	}
}

func TestOverhead(t *testing.T) {
	for _, c := range []struct{ duration, wait, backend, want int64 }{
		{100, 0, 0, 100},
		{100, 30, 50, 20},
		{100, 30, 70, 0},
		{100, 30, 80, 0}, // clocks are read once per event
	} {
		s := Sample{Duration: c.duration, Wait: c.wait, Backend: c.backend}
		if got := s.overhead(); got != c.want {
			t.Errorf("overhead of %+v is %d, want %d", c, got, c.want)
		}
	}
}

// What was not measured must not look as if it had taken no time.
func TestOverheadIsOfMeasuredExchanges(t *testing.T) {
	m := New(Options{Loops: 1})
	traffic := m.Recorder(0).Traffic("crm", "app")
	traffic.Exchange(&Sample{Duration: 100})
	_, databases := m.totals()
	d := databases["crm"]
	if d.histograms[slotOverhead] != nil || d.histograms[slotBackend] != nil {
		t.Error("an exchange without backend time has overhead")
	}
	traffic.Exchange(&Sample{Duration: 100, Backend: 90})
	traffic.Exchange(&Sample{Duration: 7, Source: SourceCache})
	_, databases = m.totals()
	d = databases["crm"]
	if n, sum := d.histograms[slotOverhead].count, d.histograms[slotOverhead].sum; n != 2 || sum != 17 {
		t.Errorf("overhead: %d exchanges, %d ns, want 2 and 17", n, sum)
	}
	if n := d.histograms[slotBackend].count; n != 1 {
		t.Errorf("backend time of %d exchanges, want 1", n)
	}
}

func TestClientsAreInOneState(t *testing.T) {
	m := New(Options{Loops: 2})
	a, b := m.Recorder(0).Traffic("crm", "app"), m.Recorder(1).Traffic("crm", "app")
	a.Move(ClientGone, ClientIdle)
	b.Move(ClientGone, ClientIdle)
	b.Move(ClientGone, ClientWaiting)
	a.Move(ClientIdle, ClientActive)
	expectClients(t, m, [clientStateCount]int64{ClientIdle: 1, ClientActive: 1, ClientWaiting: 1})
	a.Move(ClientActive, ClientIdleInTransaction)
	b.Move(ClientWaiting, ClientActive)
	b.Move(ClientIdle, ClientGone)
	expectClients(t, m, [clientStateCount]int64{ClientIdleInTransaction: 1, ClientActive: 1})
	a.Move(ClientIdleInTransaction, ClientGone)
	b.Move(ClientActive, ClientGone)
	expectClients(t, m, [clientStateCount]int64{})
}

func expectClients(t *testing.T, m *Monitor, want [clientStateCount]int64) {
	t.Helper()
	traffics, _ := m.totals()
	for state := ClientIdle; state < clientStateCount; state++ {
		if got := traffics[who{"crm", "app"}].clients(state); got != want[state] {
			t.Errorf("%d clients %s, want %d", got, clientStateNames[state], want[state])
		}
	}
}

func TestSQLSTATEClasses(t *testing.T) {
	for class, want := range map[string]string{
		"42": "42", "23": "23", "XX": "XX", "0A": "0A", "HV": "HV", "00": "00",
		"ZZ": otherLabel, "1A": otherLabel, "\x00\x01": otherLabel, "xx": otherLabel, "\xff\xff": otherLabel,
	} {
		if got := sqlstateClasses[classIndex([2]byte([]byte(class)))]; got != want {
			t.Errorf("class %q is counted as %q, want %q", class, got, want)
		}
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	traffic := New(Options{Loops: 1}).Recorder(0).Traffic("crm", "app")
	s := ordinary
	s.Wait, s.Code = 5000, [2]byte{'4', '2'}
	n := testing.AllocsPerRun(1000, func() {
		traffic.Move(ClientIdle, ClientActive)
		traffic.Exchange(&s)
		traffic.Transaction(TransactionRolledBack, s.Duration)
		traffic.Transfer(&Bytes{ClientReceived: 60, ClientSent: 400, ServerReceived: 400, ServerSent: 60})
		traffic.WaitTimedOut()
		traffic.Move(ClientActive, ClientIdle)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// One goroutine writes to each recorder, as its loop does, while others scrape
// and log in. No exchange is lost.
func TestScrapesWhileLoopsWrite(t *testing.T) {
	const loops, rounds = 4, 5000
	m := New(Options{Loops: loops})
	var writers, scrapers sync.WaitGroup
	stop := make(chan struct{})
	for loop := range loops {
		writers.Go(func() {
			for i := range rounds {
				traffic := m.Recorder(loop).Traffic([]string{"crm", "web"}[i%2], "app")
				s := ordinary
				s.Duration += int64(i) * 1000
				s.Command = Command(i % int(commandCount))
				traffic.Move(ClientGone, ClientIdle)
				traffic.Exchange(&s)
				traffic.Transaction(TransactionCommitted, s.Duration)
				m.Pinned("test")
			}
		})
	}
	for range 2 {
		scrapers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := m.book.registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	scrapers.Wait()
	traffics, databases := m.totals()
	var queries, observed uint64
	for _, traffic := range traffics {
		for _, n := range traffic.cells[cellQueries : cellQueries+seriesCount] {
			queries += n
		}
	}
	for _, database := range databases {
		observed += database.histograms[slotOverhead].count
	}
	if queries != loops*rounds || observed != loops*rounds {
		t.Errorf("%d exchanges counted, %d timed, want %d", queries, observed, loops*rounds)
	}
}

func BenchmarkExchange(b *testing.B) {
	traffic := New(Options{Loops: 1}).Recorder(0).Traffic("crm", "app")
	s := ordinary
	b.ReportAllocs()
	for b.Loop() {
		s.Duration = s.Duration*5&0xfffff + 1000
		s.Backend = s.Duration - 900
		traffic.Exchange(&s)
	}
}

// BenchmarkWhole is all that a session reports for one exchange.
func BenchmarkWhole(b *testing.B) {
	traffic := New(Options{Loops: 1}).Recorder(0).Traffic("crm", "app")
	s := ordinary
	b.ReportAllocs()
	for b.Loop() {
		traffic.Move(ClientIdle, ClientActive)
		traffic.Exchange(&s)
		traffic.Transaction(TransactionCommitted, s.Duration)
		traffic.Move(ClientActive, ClientIdle)
	}
}

func BenchmarkScrape(b *testing.B) {
	m := New(Options{Loops: 16})
	for loop := range 16 {
		for _, database := range []string{"a", "b", "c", "d", "e"} {
			s := ordinary
			m.Recorder(loop).Traffic(database, "app").Exchange(&s)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.book.registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
