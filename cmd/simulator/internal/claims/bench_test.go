package claims

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// smallBench has a small CRM on the PostgreSQL of all tests, and no PgJay.
func smallBench(t *testing.T) *bench {
	t.Helper()
	s, err := crm.FindScenario("small")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: Options{Data: crm.New(s, 1), Say: func(string) {}}, table: new(Table), patience: patience}
	b.url = parse(pgtest.Server(t).URL("crm", servers.User))
	fillOnce.Do(func() { fillErr = b.fill(t.Context()) })
	if fillErr != nil {
		t.Fatal(fillErr)
	}
	return b
}

var (
	fillOnce sync.Once
	fillErr  error
)

// few is a way to a server that lets in so many, and then nobody.
func few(t *testing.T, server string, clients int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		defer l.Close()
		for range clients {
			client, err := l.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			go copyAndClose(backend, client)
			go copyAndClose(client, backend)
		}
	}()
	return l.Addr().String()
}

func copyAndClose(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// TestMeasurementFails has the measurement of joins, which connects four times, fail
// at each of these.
func TestMeasurementFails(t *testing.T) {
	b := smallBench(t)
	for clients := range 4 {
		b.table = new(Table)
		b.plain = &servers.PgJay{Address: few(t, b.url.Host, clients)}
		if err := joins(t.Context(), b); err == nil {
			t.Fatalf("with %d connections nothing failed", clients)
		}
		if want := []int{0, 1, 1, 2}[clients]; len(b.table.Lines) != want {
			t.Errorf("with %d connections there are %d lines, not %d: %v", clients, len(b.table.Lines), want, b.table.Lines)
		}
		for _, f := range b.table.Figures {
			if f.Direct <= 0 || f.PgJay <= 0 {
				t.Errorf("with %d connections a figure is %+v", clients, f)
			}
		}
	}
}

// TestPrepared wants PostgreSQL asked by prepared statements too, where it is faster so.
func TestPrepared(t *testing.T) {
	b := &bench{url: parse(pgtest.Server(t).URL("postgres", servers.User))}
	got, err := b.time(t.Context(), b.url, &servers.PgJay{Address: b.url.Host}, 3, question{sql: "SELECT CASE WHEN NOT EXISTS " +
		"(SELECT FROM pg_prepared_statements WHERE NOT from_sql) THEN pg_sleep(0.1) END"})
	if err != nil || got.direct*2 > got.pgjay {
		t.Errorf("%v, %v", got, err)
	}
}

// TestNothing measures a PgJay that does nothing: it is PostgreSQL itself.
func TestNothing(t *testing.T) {
	b := smallBench(t)
	b.plain = &servers.PgJay{Address: b.url.Host}
	b.cached = b.plain
	for _, measure := range []func(context.Context, *bench) error{joins, arrays, reuse} {
		if err := measure(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.table.Lines) < 7 {
		t.Errorf("%d lines", len(b.table.Lines))
	}
	for _, l := range b.table.Lines {
		if l.Mark == Met && !strings.Contains(l.Claimed, "does not pay") {
			t.Errorf("met by PostgreSQL alone: %s: %s", l.Claimed, l.Measurement)
		}
	}
}
