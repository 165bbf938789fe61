package web

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/monitor/plan"
)

func newDashboard(c Config, local bool) *Dashboard {
	return New(c, local, Source{Monitor: monitor.New(monitor.Options{Loops: 1, Version: "1.2.3", Config: monitor.DefaultConfig()})})
}

// ask sends a request; header is in pairs.
func ask(d *Dashboard, path, host string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func basic(user, password string) []string {
	r := &http.Request{Header: make(http.Header)}
	r.SetBasicAuth(user, password)
	return []string{"Authorization", r.Header.Get("Authorization")}
}

// Who may see what, by configuration and address. Metrics and health are for all.
func TestAccess(t *testing.T) {
	open := Config{Enabled: true, User: "admin"}
	locked := Config{Enabled: true, User: "admin", Password: "correct horse", Token: "t0ken-t0ken"}
	for _, tt := range []struct {
		name   string
		cfg    Config
		local  bool
		host   string
		header []string
		want   int
	}{
		{"loopback", open, true, "127.0.0.1:9432", nil, 200},
		{"loopback by name", open, true, "localhost:9432", nil, 200},
		{"loopback, IPv6", open, true, "[::1]:9432", nil, 200},
		{"loopback by a name from elsewhere", open, true, "evil.example:9432", nil, 403},
		{"open to others without a password", open, false, "10.0.0.1:9432", nil, 403},
		{"open to others, asked as localhost", open, false, "localhost:9432", nil, 403},
		{"off", Config{}, true, "127.0.0.1:9432", nil, 404},
		{"no login", locked, false, "10.0.0.1:9432", nil, 401},
		{"no login on loopback", locked, true, "127.0.0.1:9432", nil, 401},
		{"password", locked, false, "10.0.0.1:9432", basic("admin", "correct horse"), 200},
		{"wrong password", locked, false, "10.0.0.1:9432", basic("admin", "correct"), 401},
		{"wrong user", locked, false, "10.0.0.1:9432", basic("root", "correct horse"), 401},
		{"no password given", locked, false, "10.0.0.1:9432", basic("admin", ""), 401},
		{"token", locked, false, "10.0.0.1:9432", []string{"Authorization", "Bearer t0ken-t0ken"}, 200},
		{"token of another case of its scheme", locked, false, "10.0.0.1:9432", []string{"Authorization", "bearer  t0ken-t0ken"}, 200},
		{"token of another case", locked, false, "10.0.0.1:9432", []string{"Authorization", "Bearer T0ken-t0ken"}, 401},
		{"wrong token", locked, false, "10.0.0.1:9432", []string{"Authorization", "Bearer t0ken"}, 401},
		{"empty token where there is none", Config{Enabled: true, User: "admin", Password: "correct horse"}, false, "x", []string{"Authorization", "Bearer "}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDashboard(tt.cfg, tt.local)
			for _, path := range []string{"/", "/app.js", "/api/overview", "/api/plans"} {
				if w := ask(d, path, tt.host, tt.header...); w.Code != tt.want {
					t.Errorf("%s: %d, want %d", path, w.Code, tt.want)
				}
			}
			if w := ask(d, "/healthz", tt.host); w.Code != http.StatusOK {
				t.Errorf("/healthz: %d", w.Code)
			}
		})
	}
}

// A change of the password holds at once.
func TestConfigure(t *testing.T) {
	d := newDashboard(Config{Enabled: true, User: "admin", Password: "correct horse"}, true)
	d.Configure(Config{Enabled: true, User: "admin", Password: "another one"})
	if w := ask(d, "/", "localhost", basic("admin", "correct horse")...); w.Code != http.StatusUnauthorized {
		t.Errorf("the old password: %d", w.Code)
	}
	if w := ask(d, "/", "localhost", basic("admin", "another one")...); w.Code != http.StatusOK {
		t.Errorf("the new password: %d", w.Code)
	}
}

func TestGuessable(t *testing.T) {
	for password, want := range map[string]bool{
		"password": true, "PgJay123": true, "changeme!": true, "Postgres2024": true, "correct horse": false, "xK9#mQ2$vL": false,
		"adminadmin": true, "AdminAdmin99": true, "1234567812345678": true, "aaaaaaaa": true, "ÄÄÄÄÄÄÄÄ": true, "        ": true, "\t\t\t\t\t\t\t\t": true,
		" password ": true, "kimberly": true, "KimberlyKimberly!": true, "kimberly the second": false, "83740265": false, "aaaaaaab": false,
	} {
		if Guessable(password, "Kimberly") != want {
			t.Errorf("Guessable(%q) is %v", password, !want)
		}
	}
}

// Each answer has the policy; nothing in the pages needs more than it allows.
func TestPolicy(t *testing.T) {
	d := newDashboard(DefaultConfig(), true)
	for path, f := range files() {
		w := ask(d, path, "localhost")
		if got := w.Header().Get("Content-Security-Policy"); got != policy || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the policy %q", path, got)
		}
		if strings.HasSuffix(path, ".html") {
			text := string(f.body)
			if strings.Contains(text, "<style") || strings.Contains(text, " style=") || strings.Contains(text, "<script>") || strings.Contains(text, "://") {
				t.Errorf("%s has something inline, or from elsewhere", path)
			}
		}
	}
}

// What is longer than 1,000 bytes is compressed for those who can read that, and a
// browser is told when it has a file already.
func TestCompression(t *testing.T) {
	d := newDashboard(DefaultConfig(), true)
	for _, tt := range []struct {
		path, accepts string
		want          string
	}{
		{"/app.js", "gzip, deflate, br", "gzip"},
		{"/app.js", "gzip;q=0", ""},
		{"/app.js", "gzip;q=0.0", ""},
		{"/app.js", "br, GZIP ; Q=0.00", ""},
		{"/app.js", "gzip;q=0.001", "gzip"},
		{"/app.js", "br;q=0, gzip; q=1.0", "gzip"},
		{"/app.js", "", ""},
		{"/icon.svg", "gzip", ""}, // it is short
		{"/api/rewrites", "gzip", ""},
	} {
		w := ask(d, tt.path, "localhost", "Accept-Encoding", tt.accepts)
		body := io.Reader(w.Body)
		if got := w.Header().Get("Content-Encoding"); got != tt.want {
			t.Errorf("%s for %q is %q", tt.path, tt.accepts, got)
			continue
		}
		if tt.want == "gzip" {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if f := files()[tt.path]; err != nil || f != nil && string(text) != string(f.body) {
			t.Errorf("%s comes as %d bytes, %v", tt.path, len(text), err)
		}
	}
	tag := ask(d, "/app.js", "localhost").Header().Get("ETag")
	if w := ask(d, "/app.js", "localhost", "If-None-Match", tag); tag == "" || w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("the same file again: %d", w.Code)
	}
	if w := ask(d, "/nosuch.js", "localhost"); w.Code != http.StatusNotFound {
		t.Errorf("no file: %d", w.Code)
	}
}

// The files in vendor are those that vendor.sh has copied.
func TestVendor(t *testing.T) {
	sums, err := static.ReadFile("static/vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		f := files()["/vendor/"+name]
		if f == nil {
			t.Errorf("%s is not there", name)
			continue
		}
		listed++
		if sum := sha256.Sum256(f.body); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is another one: make web", name)
		}
	}
	if listed < 6 {
		t.Errorf("%d files are listed", listed)
	}
}

// The live figures come as events: the past first, then each second.
func TestLive(t *testing.T) {
	d := newDashboard(DefaultConfig(), true)
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan struct{})
	go func() { defer close(running); d.source.Monitor.Run(ctx) }()
	defer func() { cancel(); <-running }()
	server := httptest.NewServer(d)
	defer server.Close()
	response, err := http.Get(server.URL + "/api/live")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	events := bufio.NewScanner(response.Body)
	for _, want := range []string{"retry: 2000", "", "event: past", "data: ", "", "event: moment", `data: {"at":`} {
		if !events.Scan() || !strings.HasPrefix(events.Text(), want) {
			t.Fatalf("%q, want %q", events.Text(), want)
		}
	}
	expectLines(t, d, "pgjay_dashboard_streams 1", "pgjay_dashboard_requests_total 1")
	d.Close()
	for events.Scan() { // it ends
	}
	server.Close() // waits for it
	ask(d, "/app.js", "localhost")
	expectLines(t, d, "pgjay_dashboard_streams 0", "pgjay_dashboard_requests_total 2")
}

// stuck is the answer to a browser that reads no moment. It stands for a socket that is full.
type stuck struct {
	*httptest.ResponseRecorder
	deadline time.Time
	unbound  bool // something was written without a deadline
}

func (s *stuck) SetWriteDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.unbound = s.unbound || !s.deadline.After(time.Now()); strings.Contains(string(p), "event: moment") {
		return 0, os.ErrDeadlineExceeded
	}
	s.deadline = time.Time{} // the next write wants another
	return s.ResponseRecorder.Write(p)
}

// Who reads nothing holds no stream for ever: each write has its deadline.
func TestLiveIsNotStuck(t *testing.T) {
	d := newDashboard(DefaultConfig(), true)
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan struct{})
	go func() { defer close(running); d.source.Monitor.Run(ctx) }()
	defer func() { cancel(); <-running }()
	w := &stuck{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodGet, "/api/live", nil)
	r.Host = "localhost"
	d.ServeHTTP(w, r) // it ends with the first moment
	if body := w.Body.String(); w.unbound || !strings.Contains(body, "event: past") {
		t.Errorf("unbound %v: %s", w.unbound, body)
	}
}

// What a client accepts may come in several headers.
func TestSeveralAcceptEncodings(t *testing.T) {
	d := newDashboard(DefaultConfig(), true)
	w := ask(d, "/app.js", "localhost", "Accept-Encoding", "br", "Accept-Encoding", "gzip;q=0.5")
	if got := w.Header().Get("Content-Encoding"); got != "gzip" {
		t.Errorf("it comes as %q", got)
	}
}

// expectLines wants lines in the metrics.
func expectLines(t *testing.T, d *Dashboard, lines ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	d.source.Monitor.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range lines {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics have no line %s", line)
		}
	}
}

// A plan of 5,000 steps has a document, with each finding at its step.
func TestLargePlan(t *testing.T) {
	const steps = 5000
	leaf := `{"Node Type":"Seq Scan","Schema":"public","Relation Name":"t","Total Cost":1,"Plan Rows":1,"Actual Total Time":0.5,"Actual Rows":100,"Actual Loops":1}`
	text := fmt.Sprintf(`[{"Plan":{"Node Type":"Append","Total Cost":9999,"Plan Rows":1,"Actual Total Time":5000,"Actual Rows":1,"Actual Loops":1,"Plans":[%s]},`+
		`"Planning Time":1,"Execution Time":5000}]`, strings.TrimSuffix(strings.Repeat(leaf+",", steps-1), ","))
	p, err := plan.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := &explain.Result{Number: 7, Plan: p, Findings: []plan.Finding{{Check: "slow scan", Severity: plan.High, Node: 4000, Message: "it is slow"}}}
	body, err := json.Marshal(newPlan(r))
	if err != nil {
		t.Fatal(err)
	}
	var got Plan
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	last := got.Nodes[steps-1]
	if len(got.Nodes) != steps || last.ID != steps || last.Depth != 1 || !last.Leaf || last.RowsOff != 100 || got.Nodes[0].Leaf || got.Worst != "high" || got.PlanLine.Findings != 1 {
		t.Errorf("%d steps, the last is %+v", len(got.Nodes), last)
	}
	if f := got.Findings[0]; f.Node != 4000 || f.Severity != "high" {
		t.Errorf("the finding is %+v", f)
	}
}
