package proxy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
	"github.com/pgjay/pgjay/rewrite"
)

// TestDeepSpeed prints what make bench-offset is for: the time of pages, p50 and p95.
// PGJAY_BENCH is the number of rows.
func TestDeepSpeed(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("PGJAY_BENCH"))
	if err != nil {
		t.Skip("PGJAY_BENCH is not set")
	}
	backend := pgtest.NewServer(t, embedded.Options{}).Address()
	load := fmt.Sprintf(`create table t (id int primary key, at timestamptz not null, name text not null, bio text not null);
		insert into t select i, timestamptz '2020-01-01' + (i / 2) * interval '1 minute', md5(i::text), repeat(md5(i::text), 8) from generate_series(1, %d) i order by md5(i::text);
		create index on t (at, id)`, rows)
	connect := func(addr string) *pgx.Conn { // with all the time that it takes
		conn, err := pgx.Connect(context.Background(), "postgres://postgres@"+addr+"/postgres?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	for _, sql := range []string{load, "vacuum (freeze, analyze) t"} {
		if _, err := connect(backend).Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(addr, what string, n int, offset func() int) {
		conn := connect(addr)
		var took []time.Duration
		for range n {
			at, began := offset(), time.Now()
			if _, err := conn.Exec(context.Background(), fmt.Sprintf("select * from t order by at, id limit 50 offset %d", at)); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-28s p50 %10v  p95 %10v", what, took[n/2], took[n*95/100])
	}
	withSamples := func(sample, join bool) func(*proxy.Config) {
		return func(c *proxy.Config) {
			c.Rewrite = rewrite.DefaultConfig()
			c.Rewrite.Offset.Enabled, c.Rewrite.Offset.Sample, c.Rewrite.Offset.Join = true, sample, join
		}
	}
	half, far := rows/2, rows*19/20
	cold, warm := startProxy(t, backend, withSamples(false, true)), startProxy(t, backend, withSamples(true, true))
	deep := rand.New(rand.NewPCG(1, 1))
	anywhere := func() int { return 2000 + deep.IntN(rows-2100) }
	pages(backend, "page one", 100, func() int { return 0 })
	pages(backend, "plain, half way", 7, func() int { return half })
	pages(backend, "plain, near the end", 7, func() int { return far })
	pages(cold.addr, "cold, near the end", 9, func() int { return far })
	eventually(t, "the list is counted through", func() bool {
		pages(warm.addr, "(warming up)", 1, anywhere)
		return warm.server.DeepSamples() > 0
	})
	pages(warm.addr, "warm, half way", 100, func() int { return half })
	pages(warm.addr, "warm, near the end", 100, func() int { return far })
	at := half
	pages(warm.addr, "warm, one after another", 200, func() int { at += 50; return at })
	pages(warm.addr, "warm, anywhere", 300, anywhere)
	t.Logf("bookmarks take %d KB", warm.server.OffsetStat().Bytes>>10)
}
