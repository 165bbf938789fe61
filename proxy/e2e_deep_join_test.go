package proxy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Without bookmarks, the rows of a page are found by their keys, where an index has all
// that is needed.
func TestDeepFound(t *testing.T) {
	backend := pgtest.NewServer(t, embedded.Options{}).Address()
	newDeepWorld(t, backend)
	direct := dial(t, backend)
	eventually(t, "all of the table is visible", func() bool {
		answerOf(t, direct, "vacuum (freeze) c.t")
		return answerOf(t, direct, "select relallvisible >= relpages * 0.9 from pg_class where oid = 'c.t'::regclass") == `?column? ["t"]`
	})
	p := startProxy(t, backend, func(c *proxy.Config) { withDeep(c); c.Rewrite.Offset.Sample = false })
	rng := rand.New(rand.NewPCG(9, 9))
	for _, test := range []struct {
		list  string
		found bool
	}{
		{"select * from t order by n, id", true},
		{"select * from t order by n desc, id", true},
		{"select x.note as what, x.* from t x order by x.small, x.id", true},
		{"select * from t where status = 'lead' and n > 10 order by n, id", true},
		{"select * from t where status = 'lead' or n is null order by n desc, id desc", true},
		{"select * from t where note <> 'x' order by n, id", false}, // not in the index
		{"select * from t order by n, s, id", false},                // neither
		{"select id, n from t order by n", false},                   // no total order
		{"select note as n, id from t order by n, id", false},       // by another column
		{"select * from t where n in (select id from o) order by n, id", false},
	} {
		t.Run(test.list, func(t *testing.T) {
			conn := dial(t, p.addr)
			_, _, before := p.server.DeepPages()
			if test.found {
				eventually(t, "a page is found", func() bool {
					answerOf(t, conn, page(test.list, 5, 100+rng.IntN(5000), 0))
					_, _, now := p.server.DeepPages()
					return now > before
				})
			}
			for i := range 30 {
				sql := page(test.list, 1+rng.IntN(40), rng.IntN(deepRows+50), i%3)
				if want, got := answerOf(t, direct, sql), answerOf(t, conn, sql); want != got && test.found {
					t.Fatalf("%s\nis\n%s\nwant\n%s", sql, got, want)
				}
				values := [][]byte{[]byte(fmt.Sprint(1 + rng.IntN(40))), []byte(fmt.Sprint(rng.IntN(deepRows + 50)))}
				text := test.list + " limit $1 offset $2"
				want := resultOf(direct.ExecParams(context.Background(), text, values, nil, nil, nil).Read())
				if got := resultOf(conn.ExecParams(context.Background(), text, values, nil, nil, nil).Read()); want != got && test.found {
					t.Fatalf("%s %q\nis\n%s\nwant\n%s", text, values, got, want)
				}
			}
			if _, _, now := p.server.DeepPages(); !test.found && now != before {
				t.Error("a page was found that must not be")
			}
		})
	}
}
