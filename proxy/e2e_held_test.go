package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

const preparedBytes = "prepared_statements_bytes"

// prepareMany prepares n statements of 12 KB each.
func prepareMany(t *testing.T, c *pgtest.Conn, n int) {
	t.Helper()
	for i := range n {
		text := fmt.Sprintf("select %d /* %s */", i, strings.Repeat("x", 12<<10))
		if err := c.Send(&pgproto3.Parse{Name: fmt.Sprint("s", i), Query: text}, &pgproto3.Sync{}); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "1", "Z I")
	}
}

// executeAll runs n statements, each of which answers its number.
func executeAll(t *testing.T, c *pgtest.Conn, n int) {
	t.Helper()
	for i := range n {
		if err := c.Send(&pgproto3.Bind{PreparedStatement: fmt.Sprint("s", i)}, &pgproto3.Execute{}, &pgproto3.Sync{}); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "2", fmt.Sprint("D ", i), "C SELECT 1", "Z I")
	}
}

// closeAll closes n statements.
func closeAll(t *testing.T, c *pgtest.Conn, n int) {
	t.Helper()
	for i := range n {
		if err := c.Send(&pgproto3.Close{ObjectType: 'S', Name: fmt.Sprint("s", i)}, &pgproto3.Sync{}); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "3", "Z I")
	}
}

// Beyond limits.max_prepared_mb a session's statements are only on its backend: all
// of them work, and the memory is bounded. However they end, nothing is counted then.
func TestPreparedStatementsAreBounded(t *testing.T) {
	const n = 60
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Limits.MaxPreparedMB = 1 })
	for name, end := range map[string]func(*pgtest.Conn){
		"Close":          func(c *pgtest.Conn) { closeAll(t, c, n) },
		"DISCARD ALL":    func(c *pgtest.Conn) { run(t, c, sql("discard all")) },
		"DEALLOCATE ALL": func(c *pgtest.Conn) { run(t, c, sql("deallocate all")) },
		"Terminate":      func(c *pgtest.Conn) { _ = c.Send(pgtest.Terminate) },
		"death":          func(c *pgtest.Conn) { c.Close() },
		"SQL": func(c *pgtest.Conn) {
			for i := range n {
				run(t, c, sql(fmt.Sprint("deallocate s", i)))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			few, c := client(t, p.addr), client(t, p.addr)
			prepareMany(t, few, 3)
			prepareMany(t, c, n)
			executeAll(t, c, n)
			executeAll(t, few, 3)
			if held := p.scrape(t)[preparedBytes]; held < 1<<20 || held > 1<<20+100<<10 {
				t.Errorf("%v bytes are held", held)
			}
			expectMetric(t, p, `pinned_sessions{reason="prepared"}`, 1)
			end(c)
			closeAll(t, few, 3)
			expectMetric(t, p, `pinned_sessions{reason="prepared"}`, 0)
			expectMetric(t, p, preparedBytes, 0)
			few.Close()
		})
	}
	gone := client(t, p.addr)
	prepareMany(t, gone, 3)
	gone.Close() // has no backend that would be cleaned up
	expectMetric(t, p, preparedBytes, 0)
}
