package proxy_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// readLate asks for more than sockets hold, and begins to read it after so many seconds.
func readLate(t *testing.T, admin *pgtest.Admin, c *pgtest.Conn, seconds float64) {
	t.Helper()
	if err := c.Send(pgtest.Query("select repeat('x', 100000) from generate_series(1, 200)")); err != nil {
		t.Fatal(err)
	}
	if err := admin.Await("select count(*) = 1 from pg_stat_activity where wait_event = 'ClientWrite' and query like 'select repeat(%'"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec(fmt.Sprintf("select pg_sleep(%g)", seconds)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReceiveUntil('Z'); err != nil {
		t.Fatal(err)
	}
}

// It is told how long the first row took, and for how long the client did not take what
// was there. That is no reason to have the statement explained.
func TestPaceOfAnswers(t *testing.T) {
	backend := plain(t)
	p := startObserving(t, backend, func(c *monitor.Config) { c.ExplainThreshold = time.Second })
	c, console := client(t, p.addr), consoleConn(t, p)
	value(t, c, "select pg_sleep(0.2), 'first'")
	value(t, c, "select repeat('y', 20000), case when i = 3 then pg_sleep(0.2)::text end from generate_series(1, 3) i")
	value(t, c, "set work_mem = '5MB'")
	readLate(t, observer(t, backend), c, 1.1)
	const sleep, stall, noRow, rows = "select pg_sleep($1), $2", "select repeat($1, ...) from generate_series($2, ...)",
		"set work_mem = $1", "select repeat($1, ...), case when i = $2 then pg_sleep($3)::text end from generate_series($4, ...) i"
	for _, words := range []string{"show statements", "show slow"} {
		table := consoleRows(t, console, words)
		ms := func(statement, column string) int {
			n, err := strconv.Atoi(fmt.Sprint(row(table, "statement", statement)[column]))
			if err != nil {
				t.Fatalf("%s: %s of %s: %v", words, column, statement, err)
			}
			return n / 1000
		}
		for _, c := range []struct {
			statement, column string
			least, most       int
		}{
			{sleep, "first_row_us", 200, ms(sleep, "backend_us")},
			{sleep, "stalled_us", 0, 0},
			{rows, "first_row_us", 0, ms(rows, "backend_us") - 150},
			{noRow, "first_row_us", 0, 0},
			{stall, "first_row_us", 0, 500},
			{stall, "stalled_us", 1000, ms(stall, "backend_us")},
		} {
			if got := ms(c.statement, c.column); got < c.least || got > c.most {
				t.Errorf("%s: %s of %s is %d ms, not %d to %d", words, c.column, c.statement, got, c.least, c.most)
			}
		}
	}
	if n := p.mon.Explainer().Counts().Offered; n != 0 {
		t.Errorf("%d statements were to be explained", n)
	}
}
