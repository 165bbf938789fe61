package proxy_test

import (
	"context"
	"strings"
	"testing"
)

// TestDeepOutdated has a page come from a bookmark that a write makes wrong after the
// page was asked for and before PostgreSQL looks: it waits for a lock on another table
// meanwhile.
func TestDeepOutdated(t *testing.T) {
	backend := plain(t)
	if err := observer(t, backend).Exec(driftWorld + "; create table gate (id int primary key); insert into gate values (1)"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	const query = "select d.k, d.pad from c.drift d join c.gate g on g.id = 1 order by d.k limit 20 offset "
	const params = "select d.k, d.pad from c.drift d join c.gate g on g.id = 1 order by d.k limit $1 offset $2"
	for _, how := range []string{"Query", "Parse"} {
		t.Run(how, func(t *testing.T) {
			p := startProxy(t, backend, withDeep)
			reader, writer, direct, locker := dial(t, p.addr), dial(t, p.addr), dial(t, backend), dial(t, backend)
			ask := func() string {
				if how == "Query" {
					return answerOf(t, reader, query+"501")
				}
				return resultOf(reader.ExecParams(ctx, params, [][]byte{[]byte("20"), []byte("501")}, nil, nil, nil).Read())
			}
			plainly := func() string {
				if how == "Query" {
					return answerOf(t, direct, query+"501")
				}
				return resultOf(direct.ExecParams(ctx, params, [][]byte{[]byte("20"), []byte("501")}, nil, nil, nil).Read())
			}
			before := plainly()
			_, marked, _ := p.server.DeepPages()
			eventually(t, "the page comes from a bookmark", func() bool {
				ask()
				_, now, _ := p.server.DeepPages()
				return now > marked
			})
			answerOf(t, locker, "begin; lock table c.gate in access exclusive mode")
			got := make(chan string)
			go func() { got <- ask() }()
			eventually(t, "the page waits", func() bool {
				return strings.Contains(answerOf(t, direct, "select count(*) from pg_locks where relation = 'c.gate'::regclass and not granted"), `"1"`)
			})
			answerOf(t, writer, "delete from c.drift where k in (select min(k) from c.drift)")
			answerOf(t, locker, "commit")
			now, want := <-got, plainly()
			if now != want || want == before {
				t.Errorf("the page is\n%s\nwant\n%s", now, want)
			}
			if n := p.server.DeepDoubts()["changed"]; n != 1 {
				t.Errorf("%d pages were found to be outdated, want 1", n)
			}
		})
	}
}
