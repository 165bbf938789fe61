package monitor

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
)

var update = flag.Bool("update", false, "write what the golden files should be")

// exercised returns a Monitor that has seen everything there is to see.
func exercised() *Monitor {
	m := New(Options{Loops: 2, Version: "1.2.3", Commit: "abcdef"})
	m.SetSources(examplePools, func() error { return nil })
	m.SetListeners(exampleListeners)
	m.SetCache(exampleCache)
	m.SetOffset(func() OffsetStat {
		return OffsetStat{
			Pages: map[string]uint64{"plain": 7, "bookmark": 5, "index": 3}, Repeated: map[string]uint64{"changed": 2},
			Samples: map[string]uint64{"done": 1}, Lists: 2, Bytes: 4096, Evicted: 1,
		}
	})
	m.SetSpool(func() SpoolStat {
		return SpoolStat{Clients: 2, Memory: 3 << 20, Files: 5 << 20, Total: 9 << 20, Failures: 1}
	})
	for loop := range 2 {
		exerciseTraffic(m.Recorder(loop).Traffic("crm", "app"))
	}
	for range 3 {
		m.ClientOpened()
	}
	m.ClientClosed("client_gone")
	m.ClientClosed("rejected")
	m.ClientRejected("max_clients")
	m.ClientAuthenticated("scram-sha-256", 7*time.Millisecond)
	m.SetClientLimit(1000)
	m.Pinned("listen")
	m.Pinned("listen")
	m.Unpinned("listen")
	m.Recorder(0).HoldStatements(3, 700)
	m.Recorder(1).HoldStatements(-1, -300)
	m.Recorder(0).ClientCame()
	m.Recorder(1).PinBegins("listen")
	m.TimedOut("query")
	m.CancelRequested("forwarded")
	m.Retried("backend_lost")
	m.Rewritten("one, other")
	m.RewriteCompared("one")
	m.RewriteRerun("one")
	m.RewriteTripped("other")
	m.SessionPanicked()
	m.BackendConnected(3 * time.Millisecond)
	m.events.explained(true, 40*time.Millisecond)
	m.inquiry.top.Store(1)
	m.ConfigReloaded(nil)
	m.ConfigReloaded(errors.New("line 3: no such key"))
	m.events.reasons.overflow.Inc()
	return m
}

func exerciseTraffic(t *Traffic) {
	t.Move(ClientGone, ClientIdle)
	t.Move(ClientIdle, ClientActive)
	s := Sample{
		Duration: int64(30 * time.Millisecond), Wait: int64(20 * time.Millisecond), Backend: int64(9 * time.Millisecond),
		Command: CommandInsert, Rows: 4, Code: [2]byte{'2', '3'},
	}
	t.Exchange(&s)
	t.Transfer(&Bytes{ClientReceived: 10, ClientSent: 20, ServerReceived: 30, ServerSent: 40})
	t.Exchange(&Sample{Duration: 1000, Command: CommandSelect, Source: SourceCache})
	t.Transaction(TransactionRolledBack, s.Duration)
	t.WaitTimedOut()
	t.Held(s.Duration)
	t.FoundPrepared(true)
	t.FoundPrepared(true)
	t.FoundPrepared(false)
	t.DroppedPrepared()
}

func examplePools() []pool.Stat {
	return []pool.Stat{{
		Key:      pool.Key{Database: "crm", User: "app"},
		Settings: pool.Settings{Size: 25, Overflow: 50},
		Idle:     1, Active: 7, Login: 3, Testing: 4, Retired: 5, Dedicated: 1, Prepared: 12,
		Server: "10.0.0.1:5432", Standby: new(false),
		Waiting: 6, OldestWait: 1500 * time.Millisecond, LastError: errors.New("refused"),
		Counters: pool.Counters{Connects: 7, ConnectFailures: 8, Closed: map[string]int64{"recycled": 9}},
	}}
}

func exampleListeners() []pool.ListenerStat {
	return []pool.ListenerStat{{
		Database: "crm", Channels: 2, Subscriptions: 3, Notifications: 4, Delivered: 5, Logins: 6, LoginFailures: 7, Lost: 8,
	}}
}

func exampleCache() cache.Stat {
	s := cache.Stat{
		Evicted: 1, PackedIn: 2000, PackedOut: 500, Verified: 3, Mismatches: 4, Limit: cache.GB, Outdated: cache.Outdated{Global: 5, Schema: 6, ACL: 7},
	}
	s.Entries, s.Bytes, s.SavedNS = 8, 9, int64(10*time.Second)
	for b := range s.Bypassed {
		s.Bypassed[b] = int64(300 + b)
	}
	s.Warmed = [3]int64{401, 402, 403}
	for o := range s.Outcomes {
		s.Outcomes[o] = int64(100 + o)
	}
	for r := range s.Refused {
		if r != int(cache.NoReason) {
			s.Refused[r] = int64(200 + r)
		}
	}
	return s
}

func get(m *Monitor, path string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response := httptest.NewRecorder()
	m.Handler().ServeHTTP(response, request)
	return response
}

func TestScrapeIsExactlyThis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ours []string
		for line := range strings.Lines(get(exercised(), "/metrics").Body.String()) {
			if strings.Contains(line, "pgjay_") {
				ours = append(ours, regexp.MustCompile(`go1\.[^"]*`).ReplaceAllString(line, "GOVERSION"))
			}
		}
		expectGolden(t, "testdata/metrics.golden", strings.Join(ours, ""))
	})
}

func expectGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for _, line := range gotLines {
		if !slices.Contains(wantLines, line) {
			t.Errorf("not in %s: %s", path, line)
		}
	}
	for _, line := range wantLines {
		if !slices.Contains(gotLines, line) {
			t.Errorf("only in %s: %s", path, line)
		}
	}
	t.Errorf("%s differs; go test -update writes it anew", path)
}

func TestMetricsAreNamedAsPrometheusWants(t *testing.T) {
	problems, err := testutil.GatherAndLint(exercised().book.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// What the book says of each metric is what a scrape shows, and no label has
// what must never be one.
func TestScrapeHasWhatTheBookSays(t *testing.T) {
	m := exercised()
	gathered, err := m.book.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]*dto.MetricFamily)
	for _, f := range gathered {
		if strings.HasPrefix(f.GetName(), namespace) {
			found[f.GetName()] = f
		}
	}
	for _, f := range m.book.families {
		if found[f.name] == nil {
			t.Errorf("%s is in no scrape", f.name)
			continue
		}
		expectFamily(t, found[f.name], f)
		delete(found, f.name)
	}
	for name := range found {
		t.Errorf("%s is not in the book", name)
	}
}

func expectFamily(t *testing.T, got *dto.MetricFamily, want family) {
	t.Helper()
	if kind := strings.ToLower(got.GetType().String()); kind != want.kind {
		t.Errorf("%s is a %s, want %s", want.name, kind, want.kind)
	}
	if got.GetHelp() != want.help || !strings.HasSuffix(want.help, ".") {
		t.Errorf("%s: help %q, want %q and a full stop", want.name, got.GetHelp(), want.help)
	}
	wantLabels := slices.Sorted(slices.Values(want.labels))
	for _, m := range got.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName())
		}
		if !slices.Equal(labels, wantLabels) {
			t.Errorf("%s has labels %v, want %v", want.name, labels, wantLabels)
		}
		if want.kind == "histogram" && (len(m.Histogram.Bucket) < len(durationBuckets) || m.Histogram.Schema == nil) {
			t.Errorf("%s is not a histogram of both kinds", want.name)
		}
	}
}

func TestProtobufAndOpenMetricsAreServed(t *testing.T) {
	m := exercised()
	protobuf := "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	for _, accept := range []string{protobuf, "application/openmetrics-text; version=1.0.0", "text/plain"} {
		response := get(m, "/metrics", "Accept: "+accept)
		kind, _, _ := strings.Cut(accept, ";")
		if got := response.Header().Get("Content-Type"); response.Code != http.StatusOK || !strings.HasPrefix(got, kind) {
			t.Errorf("asked for %s: %d, %s", accept, response.Code, got)
		}
	}
}

// A new Monitor has no pools and no clients, and says so.
func TestScrapeBeforeAnythingHappened(t *testing.T) {
	m := New(Options{})
	if response := get(m, "/metrics"); response.Code != http.StatusOK ||
		!strings.Contains(response.Body.String(), "pgjay_queries_in_flight 0") {
		t.Errorf("%d: %s", response.Code, response.Body)
	}
}

// A source that fails hides only what it would have told.
func TestScrapeWhenASourcePanics(t *testing.T) {
	m := exercised()
	m.SetSources(func() []pool.Stat { panic("no pools") }, nil)
	response := get(m, "/metrics")
	if response.Code != http.StatusOK || !strings.Contains(response.Body.String(), "pgjay_queries_total") {
		t.Errorf("%d: %s", response.Code, response.Body)
	}
}
