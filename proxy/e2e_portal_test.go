package proxy_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// counted sends messages, exchange by exchange, and returns what was counted of each statement.
// The last exchange is to be that of the statement "select 'end'".
func counted(t *testing.T, exchanges ...[]pgproto3.FrontendMessage) map[string]digest.Stat {
	t.Helper()
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain, c.SlowThreshold = explain.Off, 0 })
	c := client(t, p.addr)
	for _, messages := range append(exchanges, []pgproto3.FrontendMessage{pgtest.Query("select 'end'")}) {
		if err := c.Send(messages...); err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			switch m.(type) {
			case *pgproto3.Sync, *pgproto3.Query:
				if _, err := c.ReceiveUntil('Z'); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	found := make(map[string]digest.Stat)
	eventually(t, "all is recorded", func() bool {
		for _, s := range p.mon.Statements().Snapshot() {
			found[s.Text] = s
		}
		return found["select $1"].Calls == 1
	})
	return found
}

// all are the messages of one exchange.
func all(list ...any) (messages []pgproto3.FrontendMessage) {
	for _, m := range list {
		switch m := m.(type) {
		case pgproto3.FrontendMessage:
			messages = append(messages, m)
		case string: // a statement as a whole
			messages = append(messages, pgtest.Parse("", m), pgtest.Bind("", ""), pgtest.Execute("", 0))
		}
	}
	return messages
}

// Rows are counted when they are fetched, and who fetches more of them calls nothing.
func TestRowsOfPortals(t *testing.T) {
	const ten, other = "select i from generate_series(1, length('abcdefghij')) i", "select j from generate_series(1, length('ab')) j"
	opens := []any{pgtest.Parse("", ten), pgtest.Bind("c", ""), pgtest.Execute("c", 3)}
	unnamed := []any{pgtest.Parse("", ten), pgtest.Bind("", ""), pgtest.Execute("", 3)}
	for name, exchanges := range map[string][][]pgproto3.FrontendMessage{
		"in exchanges": {
			{pgtest.Query("begin")}, all(append(opens, pgtest.Sync)...), all(pgtest.Execute("c", 3), other, pgtest.Sync), all(pgtest.Execute("c", 0), pgtest.Sync), {pgtest.Query("commit")},
		},
		"in one":  {{pgtest.Query("begin")}, all(append(opens, other, pgtest.Execute("c", 3), pgtest.Execute("c", 0), pgtest.Sync)...), {pgtest.Query("commit")}},
		"unnamed": {{pgtest.Query("begin")}, all(append(unnamed, pgtest.Sync)...), all(pgtest.Execute("", 0), other, pgtest.Sync), {pgtest.Query("commit")}},
		"bound before": {
			{pgtest.Query("begin")}, all(pgtest.Parse("", ten), pgtest.Bind("c", ""), pgtest.Sync), all(pgtest.Execute("c", 0), pgtest.Sync), all(other, pgtest.Sync), {pgtest.Query("commit")},
		},
		"behind another": {all(other, pgtest.Parse("", ten), pgtest.Bind("", ""), pgtest.Execute("", 3), pgtest.Execute("", 7), pgtest.Sync)},
		"behind nothing": {all("", other, pgtest.Sync), all(ten, pgtest.Sync)},
	} {
		t.Run(name, func(t *testing.T) {
			found := counted(t, exchanges...)
			tens, others := found["select i from generate_series($1, length($2)) i"], found["select j from generate_series($1, length($2)) j"]
			if tens.Calls != 1 || tens.Rows != 10 || others.Calls != 1 || others.Rows != 2 {
				t.Errorf("%d calls with %d rows, %d with %d", tens.Calls, tens.Rows, others.Calls, others.Rows)
			}
			if tens.Histogram.Count() != 1 {
				t.Errorf("%d durations", tens.Histogram.Count())
			}
		})
	}
}

// What PostgreSQL skips behind an error, up to the Sync, is not counted.
func TestSkippedStatements(t *testing.T) {
	const good, bad, never = "select 1 as good", "select 1/0 as bad", "select 1 as never"
	times := func(n int, sql string) (list []any) {
		for range n {
			list = append(list, sql)
		}
		return list
	}
	for name, c := range map[string]struct {
		messages                []any
		good, bad, errors, rest uint64
	}{
		"behind the first":      {append(times(1, bad), never, good, pgtest.Sync), 0, 1, 1, 0},
		"behind others":         {append(times(3, good), bad, good, never, bad, never, good, pgtest.Sync), 3, 1, 1, 0},
		"behind many":           {append(append(times(20, good), bad), append(times(20, good), never, never, pgtest.Sync)...), 20, 1, 1, 0},
		"behind many, the same": {append(append(times(5, good), bad), append(times(30, never), pgtest.Sync)...), 5, 1, 1, 0},
		"behind very many":      {append(append(times(100, "select 1/1 as bad"), bad), append(times(50, "select 1/1 as bad"), pgtest.Sync)...), 0, 101, 1, 0},
		"another exchange":      {append(times(1, bad), never, pgtest.Sync, never, pgtest.Sync), 0, 1, 1, 1},
		"a Query":               {[]any{pgtest.Query(bad), pgtest.Query(never)}, 0, 1, 1, 1},
		"behind a Parse":        {append(times(2, good), bad+" from nowhere", never, pgtest.Sync), 2, 0, 0, 0},
		"behind nothing":        {append(times(2, good), pgtest.Sync), 2, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			found := counted(t, all(c.messages...))
			goods, bads, nevers := found["select $1 as good"], found["select $1/$2 as bad"], found["select $1 as never"]
			if goods.Calls != c.good || goods.Errors != 0 || bads.Calls != c.bad || bads.Errors != c.errors || nevers.Calls != c.rest {
				t.Errorf("good %d (%d), bad %d (%d), skipped %d", goods.Calls, goods.Errors, bads.Calls, bads.Errors, nevers.Calls)
			}
			if wrong := found["select $1/$2 as bad from nowhere"]; wrong.Errors != wrong.Calls {
				t.Errorf("%d calls with %d errors", wrong.Calls, wrong.Errors)
			}
		})
	}
}
