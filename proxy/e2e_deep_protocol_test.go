package proxy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// deepParams are statements with parameters, and the types and values of these but for
// LIMIT and OFFSET, which are the last two.
var deepParams = []struct {
	sql    string
	values []string
}{
	{"select * from t order by n, id limit $1 offset $2", nil},
	{"select * from t order by maybe, id limit $1 offset $2", nil},
	{"select * from t order by maybe desc nulls last, id limit $1 offset $2", nil},
	{"select id, tz from t where status = $1 order by tz desc, id offset $3 rows fetch next $2 rows only", []string{"none"}},
	{"select u, id from t where n > $1 and note <> $2 order by u limit $3 offset $4", []string{"7", "x'y"}},
	{"select s, id from t where n > $1 order by s, id limit $2 offset $3", []string{"7"}},
	{"select num, id from t where d > $1 order by num, id limit $2 offset $3", []string{"2000-01-05"}},
	{"select * from t where status = $1 order by n, id limit $2 offset $3", []string{"lead"}},
	{"select note from t order by lower(note) limit $1 offset $2", nil},
}

// resultOf is everything that a client can see of an answer.
func resultOf(r *pgconn.Result) string {
	var out strings.Builder
	for _, f := range r.FieldDescriptions {
		fmt.Fprintf(&out, "%+v ", f)
	}
	fmt.Fprintf(&out, "%q %s %v", r.Rows, r.CommandTag, r.Err)
	return out.String()
}

func TestDeepParameters(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, binary := range []int16{0, 1} {
		p := startProxy(t, backend, withDeep)
		for _, test := range deepParams {
			t.Run(fmt.Sprint(test.sql, " ", binary), func(t *testing.T) {
				conn, direct := dial(t, p.addr), dial(t, backend)
				ctx := context.Background()
				for _, c := range []*pgconn.PgConn{conn, direct} {
					if _, err := c.Prepare(ctx, "s", test.sql, nil); err != nil {
						t.Fatal(err)
					}
				}
				ask := func(c *pgconn.PgConn, limit, offset int, named bool) string {
					var values [][]byte
					for _, v := range append(test.values[:len(test.values):len(test.values)], fmt.Sprint(limit), fmt.Sprint(offset)) {
						values = append(values, []byte(v))
					}
					if named {
						return resultOf(c.ExecPrepared(ctx, "s", values, nil, []int16{binary}).Read())
					}
					return resultOf(c.ExecParams(ctx, test.sql, values, nil, nil, []int16{binary}).Read())
				}
				samples := p.server.DeepSamples()
				eventually(t, "the list is counted through", func() bool {
					ask(conn, 10, 200+rng.IntN(1500), true)
					ask(conn, 10, 200+rng.IntN(1500), false)
					return p.server.DeepSamples() > samples
				})
				_, before, _ := p.server.DeepPages()
				for i := range 60 {
					limit, offset := 1+rng.IntN(60), rng.IntN(deepRows+100)
					if want, got := ask(direct, limit, offset, i%2 == 0), ask(conn, limit, offset, i%2 == 0); want != got {
						t.Fatalf("LIMIT %d OFFSET %d\nis\n%s\nwant\n%s", limit, offset, got, want)
					}
				}
				for _, odd := range [][2]string{{"-1", "500"}, {"5", "-1"}, {"0", "500"}, {"5", "x"}} {
					values := [][]byte{}
					for _, v := range append(test.values[:len(test.values):len(test.values)], odd[:]...) {
						values = append(values, []byte(v))
					}
					want, got := resultOf(direct.ExecPrepared(ctx, "s", values, nil, nil).Read()), resultOf(conn.ExecPrepared(ctx, "s", values, nil, nil).Read())
					if want != got {
						t.Errorf("LIMIT %s OFFSET %s\nis\n%s\nwant\n%s", odd[0], odd[1], got, want)
					}
				}
				if _, now, _ := p.server.DeepPages(); now < before+10 {
					t.Errorf("%d pages of 60 came from bookmarks", now-before)
				}
			})
		}
	}
}

// 5 to 8: messages come as they do directly, whatever is asked for.
func TestDeepMessages(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, withDeep)
	const sql = "select id, n, tz from t where status = $1 order by n, id limit $2 offset $3"
	const text = "select id, n, tz from t where status = 'none' order by n, id limit 7 offset 1500"
	bind := func(statement string, limit, offset string, formats ...int16) pgproto3.FrontendMessage {
		b := pgtest.Bind("", statement, "none", limit, offset)
		b.ResultFormatCodes = formats
		return b
	}
	script := &pgtest.Script{Name: "deep", Steps: []pgtest.Step{
		pgtest.Connect("a", "search_path", "c"),
		pgtest.Send(pgtest.Parse("", sql), bind("", "7", "1500"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), bind("", "7", "1500"), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), bind("", "7", "1500", 1, 0, 1), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.ClosePortal(""), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("p", sql), pgtest.DescribeStatement("p"), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(bind("p", "7", "1510", 1), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(bind("p", "7", "1520"), pgtest.Execute("", 3), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(bind("p", "7", "1530"), pgtest.Execute("", 0), bind("p", "7", "1540"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(bind("p", "7", "1550"), pgtest.Execute("", 0), pgtest.Sync, bind("p", "7", "1560"), pgtest.Execute("", 0), pgtest.Sync, pgtest.Query(text)).Expect("...", "Z I", "...", "Z I", "...", "Z I"),
		pgtest.Send(pgtest.Query(text), pgtest.Query("select 1"), pgtest.Query(text)).Expect("...", "Z I", "...", "Z I", "...", "Z I"),
		pgtest.Send(pgtest.Query("begin")).Expect("C BEGIN", "Z T"),
		pgtest.Send(pgtest.Query(text)).Expect("...", "Z T"),
		pgtest.Send(bind("p", "7", "1570"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z T"),
		pgtest.Send(pgtest.Query("delete from t where id < 100")).Expect("...", "Z T"),
		pgtest.Send(pgtest.Query(text)).Expect("...", "Z T"),
		pgtest.Send(bind("p", "7", "1580"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z T"),
		pgtest.Send(pgtest.Query("rollback")).Expect("...", "Z I"),
		pgtest.Send(bind("p", "7", "1590"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Query("begin isolation level repeatable read")).Expect("...", "Z T"),
		pgtest.Send(bind("p", "7", "1600"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z T"),
		pgtest.Send(pgtest.Query("commit")).Expect("...", "Z I"),
		pgtest.Send(bind("p", "x", "1610"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.CloseStatement("p"), bind("p", "7", "1620"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
	}}
	want := pgtest.Check(t, pgtest.Target{Address: backend, User: "postgres", Database: "postgres"}, script)
	eventually(t, "most of it comes from bookmarks", func() bool {
		_, marked, found := p.server.DeepPages()
		before := marked + found
		got := pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, script)
		if diff := pgtest.Diff(want, got); diff != "" {
			t.Fatalf("%s\ndirectly:\n%s\nthrough the proxy:\n%s", diff, want, got)
		}
		_, marked, found = p.server.DeepPages()
		return marked+found >= before+4
	})
}
