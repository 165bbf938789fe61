package proxy_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// scrape returns the metrics, by name and labels as they are written.
func (r *running) scrape(t testing.TB) map[string]float64 {
	t.Helper()
	response := httptest.NewRecorder()
	r.mon.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	found := make(map[string]float64)
	for line := range strings.Lines(response.Body.String()) {
		at := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, "pgjay_") || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[sortLabels(strings.TrimPrefix(line[:at], "pgjay_"))] = v
	}
	return found
}

// sortLabels makes the order of a metric's labels that of the alphabet. @ is
// the tests' database and user.
func sortLabels(name string) string {
	name, labels, found := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	if !found {
		return name
	}
	list := strings.Split(strings.Replace(labels, "@", `database="postgres",user="postgres"`, 1), ",")
	slices.Sort(list)
	return name + "{" + strings.Join(list, ",") + "}"
}

// expectMetric waits until a metric has a value.
func expectMetric(t testing.TB, p *running, name string, want float64) {
	t.Helper()
	name = sortLabels(name)
	var got float64
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) { // the interval of the poll
		if got = p.scrape(t)[name]; got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s is %g, not %g", name, got, want)
			return
		}
	}
}

// state is the gauge of the clients in a state.
func state(name string) string { return `client_connections{@,state="` + name + `"}` }

func TestMetricsOfClientStates(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, onlyOne)
	first, second, third := client(t, p.addr), client(t, p.addr), client(t, p.addr)
	expectMetric(t, p, state("idle"), 3)
	if _, err := first.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, state("idle_in_transaction"), 1)
	expectMetric(t, p, "queries_in_flight", 0)
	if err := second.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, state("waiting"), 1)
	if err := first.Send(pgtest.Query(sleep("states"))); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, state("active"), 1)
	expectMetric(t, p, state("idle_in_transaction"), 0)
	expectMetric(t, p, state("idle"), 1)
	expectMetric(t, p, "queries_in_flight", 2)
	third.Close()
	expectMetric(t, p, state("idle"), 0)
	sleeping(t, observer(t, backend), "states")
	if err := first.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, first, "T *", "E ERROR 57014*", "Z E")
	expectMetric(t, p, state("idle_in_transaction"), 1)
	if _, err := first.Query("commit"); err != nil {
		t.Fatal(err)
	}
	expect(t, second, "T *", "D *", "C *", "Z I")
	expectMetric(t, p, state("idle"), 2)
	expectMetric(t, p, "pool_wait_duration_seconds_count{@}", 2) // and the first login
	expectMetric(t, p, `transactions_total{@,result="rollback"}`, 1)
	expectMetric(t, p, `cancel_requests_total{result="sent"}`, 1)
	for _, name := range []string{"active", "waiting", "idle_in_transaction"} {
		expectMetric(t, p, state(name), 0)
	}
}

func TestMetricsOfExchanges(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	for _, sql := range []string{"begin", "select 1", "prepare transaction 'nobody'", "rollback", "select 1/0", "values (1)"} {
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	// What was prepared before has no text any more.
	for _, messages := range [][]pgproto3.FrontendMessage{
		{pgtest.Parse("named", "select 1"), pgtest.Sync},
		{pgtest.Bind("", "named"), pgtest.Execute("", 0), pgtest.Sync},
		{pgtest.Bind("", "named"), pgtest.Execute("", 0), pgtest.Sync},
	} {
		if err := c.Send(messages...); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]float64{
		`queries_total{@,command="tx",source="backend"}`:              2,
		`queries_total{@,command="tx",source="proxy"}`:                1,
		`queries_total{@,command="select",source="backend"}`:          6,
		`query_errors_total{database="postgres",sqlstate_class="22"}`: 1,
		`query_errors_total{database="postgres",sqlstate_class="55"}`: 1,
		`transactions_total{@,result="commit"}`:                       4,
		`transactions_total{@,result="rollback"}`:                     3, // one that was not open
		`transactions_total{@,result="lost"}`:                         0,
		`overhead_duration_seconds_count{database="postgres"}`:        9,
		`query_backend_duration_seconds_count{database="postgres"}`:   8, // without BEGIN
	} {
		expectMetric(t, p, name, want)
	}
	checkTimes(t, p)
}

// checkTimes: an exchange's time is that of the backend and that of the proxy,
// and the proxy is not free.
func checkTimes(t *testing.T, p *running) {
	t.Helper()
	m := p.scrape(t)
	total := 0.0
	for name, v := range m {
		if strings.HasPrefix(name, "query_duration_seconds_sum{") {
			total += v
		}
	}
	backend, overhead := m[`query_backend_duration_seconds_sum{database="postgres"}`], m[`overhead_duration_seconds_sum{database="postgres"}`]
	if overhead <= 0 || backend <= 0 || math.Abs(total-backend-overhead) > 1e-9 {
		t.Errorf("%g s in all, %g s of it PostgreSQL's, %g s the proxy's", total, backend, overhead)
	}
}

// A wait for a backend is a part of an exchange, but not overhead.
func TestMetricsOfWaits(t *testing.T) {
	backend := plain(t)
	p, admin := startProxy(t, backend, onlyOne), observer(t, backend)
	holder, waiter := client(t, p.addr), client(t, p.addr)
	if _, err := holder.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	if err := waiter.Send(pgtest.Query("update pg_class set relname = relname where false")); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, state("waiting"), 1)
	if err := admin.Exec("select pg_sleep(0.1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Query("commit"); err != nil {
		t.Fatal(err)
	}
	expect(t, waiter, "C UPDATE 0", "Z I")
	expectMetric(t, p, `queries_total{@,command="update",source="backend"}`, 1)
	m := p.scrape(t)
	for name, above := range map[string]bool{
		`query_duration_seconds_sum{command="update",database="postgres",source="backend"}`: true,
		`pool_wait_duration_seconds_sum{database="postgres",user="postgres"}`:               true,
		`query_backend_duration_seconds_sum{database="postgres"}`:                           false,
		`overhead_duration_seconds_sum{database="postgres"}`:                                false,
	} {
		if v := m[name]; (v >= 0.1) != above {
			t.Errorf("%s is %g", name, v)
		}
	}
}

// TestMetricsWhenBackendsGo: what a lost backend leaves open is accounted for.
func TestMetricsWhenBackendsGo(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	pinned, open, gone := client(t, p.addr), client(t, p.addr), client(t, p.addr)
	if _, err := pinned.Query("create temp table news ()"); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, `pinned_sessions{reason="temporary"}`, 1)
	if err := pinned.Send(pgtest.Query("select pg_terminate_backend(pg_backend_pid())")); err != nil {
		t.Fatal(err)
	}
	if _, err := pinned.ReceiveUntil('!'); err == nil {
		t.Error("a pinned session outlives its backend")
	}
	expectMetric(t, p, `pinned_sessions{reason="temporary"}`, 0)
	expectMetric(t, p, `query_errors_total{database="postgres",sqlstate_class="57"}`, 1)
	expectMetric(t, p, `transactions_total{@,result="lost"}`, 1)
	if err := open.Send(pgtest.Query("begin; select pg_terminate_backend(pg_backend_pid())")); err != nil {
		t.Fatal(err)
	}
	if _, err := open.ReceiveUntil('E'); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, `transactions_total{@,result="lost"}`, 2)
	expectMetric(t, p, `query_errors_total{database="postgres",sqlstate_class="57"}`, 2)
	if _, err := gone.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	gone.Close()
	expectMetric(t, p, `transactions_total{@,result="lost"}`, 3)
	expectMetric(t, p, state("active"), 0)
	expectMetric(t, p, state("idle_in_transaction"), 0)
	for name := range p.scrape(t) {
		_, label, _ := strings.Cut(name, `reason="`)
		label, _, _ = strings.Cut(label, `"`)
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("%s: a reason in words", name)
		}
	}
}

// TestMetricsOfTransfers: what takes long is counted while it runs.
func TestMetricsOfTransfers(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	copying, replica := client(t, p.addr), client(t, p.addr, "replication", "true")
	if _, err := copying.Query("create temp table t (line text)"); err != nil {
		t.Fatal(err)
	}
	before := p.scrape(t)
	bytes := func(metric string) float64 {
		name := sortLabels(metric + "_bytes_total{@}")
		return p.scrape(t)[name] - before[name]
	}
	if err := copying.Send(pgtest.Query("copy t from stdin")); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := copying.Send(pgtest.CopyData(strings.Repeat("x", 30_000) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, metric := range []string{"client_received", "server_sent"} {
		eventually(t, "a COPY is counted", func() bool { return bytes(metric) > 200_000 })
	}
	expectMetric(t, p, state("active"), 2) // the other one is replica
	before = p.scrape(t)
	for range 10 {
		value(t, replica, "IDENTIFY_SYSTEM")
	}
	for _, metric := range []string{"client_received", "client_sent", "server_received", "server_sent"} {
		if n := bytes(metric); n < 200 {
			t.Errorf("%s: replication has added %g bytes", metric, n)
		}
	}
	if err := copying.Send(&pgproto3.CopyDone{}); err != nil {
		t.Fatal(err)
	}
	expect(t, copying, "G *", "C COPY 10", "Z I")
	expectMetric(t, p, `queries_total{@,command="copy",source="backend"}`, 1)
}
