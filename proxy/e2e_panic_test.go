package proxy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// TestPanic breaks sessions in different events. The client is told, the
// backend is closed if it had one, and nobody else notices.
func TestPanic(t *testing.T) {
	backend := plain(t)
	for _, test := range []struct {
		name, sabotage string
		send           pgproto3.FrontendMessage
		want           string
		closed, panics float64 // backends closed
	}{
		{"in a frontend message", "Write", pgtest.Sync, "E FATAL XX000 *", 0, 1},
		{"in a backend message and after it", "exchange", pgtest.Query("select 'confidential'"), "E FATAL XX000 *", 1, 3},
		{"in the answer", "Write", pgtest.Query("select 'confidential'"), "E FATAL XX000 *", 1, 1},
		{"in a task", "post", nil, "E FATAL XX000 *", 0, 1},
		{"in a timer", "Write", nil, "E FATAL XX000 *", 0, 1},
		{"in its end", "CloseAfterFlush", pgtest.Message('?', "confidential"), "E FATAL 08P01 *", 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) {
				if test.send == nil && test.sabotage == "Write" {
					c.Timeouts.ClientIdle = 300 * time.Millisecond
				}
			})
			other, broken := client(t, p.addr), client(t, p.addr)
			if _, err := other.Query("begin; create temp table mine (id int) on commit drop"); err != nil {
				t.Fatal(err)
			}
			p.server.Sabotage(broken.PID, broken.Secret, test.sabotage)
			if test.send != nil {
				if err := broken.Send(test.send); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, broken, test.want, "EOF")
			expectMetric(t, p, "session_panics_total", test.panics)
			expectMetric(t, p, `client_connections_closed_total{reason="panic"}`, 1)
			expectMetric(t, p, `pool_server_disconnects_total{@,reason="panic"}`, test.closed)
			if got := value(t, other, "select count(*) from mine"); got != "0" {
				t.Errorf("the other session gets %q", got)
			}
			value(t, client(t, p.addr), "select 1")
			checkPanicLog(t, p)
		})
	}
}

// checkPanicLog: the log says where it happened, and nothing of what the client
// sent.
func checkPanicLog(t *testing.T, p *running) {
	t.Helper()
	log := p.log.String()
	for text, want := range map[string]bool{"level=ERROR": true, "proxy.(*session)": true, "confidential": false, "secret": false} {
		if strings.Contains(log, text) != want {
			t.Errorf("%q in the log: %v", text, !want)
		}
	}
}

// A panic that comes with a waiter's backend does not keep it.
func TestPanicWithALease(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	holder, waiter := client(t, p.addr), client(t, p.addr)
	if _, err := holder.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	if err := waiter.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a session waits", func() bool { return p.server.Pools().Stats()[0].Waiting == 1 })
	p.server.Sabotage(waiter.PID, waiter.Secret, "Resume")
	if _, err := holder.Query("commit"); err != nil {
		t.Fatal(err)
	}
	expect(t, waiter, "E FATAL XX000 *", "EOF")
	value(t, holder, "select 1")
	expectMetric(t, p, "session_panics_total", 1)
}

// A panic in the goroutine that checks a password ends that login only.
func TestPanicInAuthentication(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		c.Auth = proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: []proxy.User{
			{Name: "postgres", Password: "sesame"}, {Name: "broken", Password: "sesame", BackendUser: "postgres"},
		}}
	})
	p.server.SabotageLogins("broken")
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	_, err := pgconn.Connect(ctx, "postgres://broken:sesame@"+p.addr+"/postgres?sslmode=disable")
	if err == nil || !strings.Contains(err.Error(), "XX000") {
		t.Errorf("the login ends with %v", err)
	}
	if _, err := connectWith(t, "postgres://postgres:sesame@"+p.addr+"/postgres?sslmode=disable"); err != nil {
		t.Error(err)
	}
	expectMetric(t, p, "session_panics_total", 1)
	checkPanicLog(t, p)
}
