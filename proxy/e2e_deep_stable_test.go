package proxy_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// withStable has deep pages follow one another, as a cursor has them.
func withStable(c *proxy.Config) {
	withDeep(c)
	c.Rewrite.Rules = []rewrite.Switch{{Names: []string{rewrite.OffsetRule}, Mode: rewrite.ModeOn, Pages: rewrite.PagesStable}}
}

const stableWorld = `drop schema if exists c cascade; create schema c; set search_path = c;
	create table feed (at int primary key, body text); insert into feed select i * 10, 'b' || i from generate_series(1, 4000) i; analyze feed`

// walk reads pages one after the other, with something done between them.
func walk(t *testing.T, conn *pgconn.PgConn, prepared bool, from, to int, between func(page int)) (seen []string) {
	t.Helper()
	const size = 50
	for offset := from; offset < to; offset += size {
		var r *pgconn.Result
		if prepared {
			r = conn.ExecParams(context.Background(), "select at from feed order by at desc limit $1 offset $2",
				[][]byte{fmt.Append(nil, size), fmt.Append(nil, offset)}, nil, nil, nil).Read()
		} else {
			results, err := conn.Exec(context.Background(), fmt.Sprintf("select at from feed order by at desc limit %d offset %d", size, offset)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			r = results[0]
		}
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		for _, row := range r.Rows {
			seen = append(seen, string(row[0]))
		}
		between(offset / size)
	}
	return seen
}

// What is written between two pages does not shift the next one: no row is seen twice and
// none is missed. With pages that are exact, or without PgJay, rows are.
func TestDeepStable(t *testing.T) {
	backend := plain(t)
	for _, test := range []struct {
		name           string
		with           func(*proxy.Config)
		prepared, want bool
	}{{"Query", withStable, false, true}, {"Parse", withStable, true, true}, {"exact", withDeep, false, false}} {
		t.Run(test.name, func(t *testing.T) {
			if err := observer(t, backend).Exec(stableWorld); err != nil {
				t.Fatal(err)
			}
			p := startProxy(t, backend, test.with)
			conn, writer := dial(t, p.addr), dial(t, p.addr)
			_, before, _ := p.server.DeepPages()
			eventually(t, "pages come from bookmarks", func() bool {
				walk(t, conn, test.prepared, 150, 300, func(int) {})
				_, marked, _ := p.server.DeepPages()
				return marked > before
			})
			next := 50000
			seen := walk(t, conn, test.prepared, 200, 2000, func(page int) {
				answerOf(t, writer, fmt.Sprintf("insert into feed select i, 'new' from generate_series(%d, %d) i", next, next+page%7))
				next += 10
			})
			whole := true
			for i := 1; i < len(seen); i++ {
				var last, at int
				_, _ = fmt.Sscan(seen[i-1], &last)
				_, _ = fmt.Sscan(seen[i], &at)
				whole = whole && at == last-10
			}
			if whole != test.want || len(seen) != 1800 {
				t.Errorf("the pages follow one another: %v, want %v; %d rows", whole, test.want, len(seen))
			}
		})
	}
}

// A change of the schema ends what stable pages go by.
func TestDeepStableEnds(t *testing.T) {
	backend := plain(t)
	if err := observer(t, backend).Exec(stableWorld); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, withStable)
	conn, writer := dial(t, p.addr), dial(t, p.addr)
	ask := func() string { return answerOf(t, conn, "select at from feed order by at desc limit 3 offset 500") }
	_, before, _ := p.server.DeepPages()
	eventually(t, "the page comes from a bookmark", func() bool {
		ask()
		_, marked, _ := p.server.DeepPages()
		return marked > before
	})
	was := ask()
	answerOf(t, writer, "insert into feed values (90000, 'new')")
	if got := ask(); got != was {
		t.Errorf("a row in front has shifted a stable page from %s to %s", was, got)
	}
	answerOf(t, writer, "alter table feed add column extra int")
	eventually(t, "the page is what OFFSET gives", func() bool {
		return ask() == answerOf(t, dial(t, backend), "select at from feed order by at desc limit 3 offset 500")
	})
}
