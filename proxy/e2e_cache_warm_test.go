package proxy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
)

// Statements of the configuration are in the cache before anybody asks, and again after
// a write: as a Query and with parameters, for those with the same user and settings.
// Nobody has to prove who he is for that.
func TestCacheWarm(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	const read, bound = "select sum(v) from t", "select v from t where id = $1"
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Cache.Rules = nil // auto: it is kept the first time all the same
		c.Auth = proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: []proxy.User{{Name: "postgres", Password: "p"}}}
		as := cache.Warm{User: "postgres", Database: "postgres", Settings: []string{"search_path=c,public"}}
		for _, text := range []string{read, bound, "select now()", "select 1 from nowhere"} {
			w := as
			if w.Text = text; text == bound {
				w.Params = []string{"1"}
			}
			c.Cache.Warm = append(c.Cache.Warm, w)
		}
	})
	conn, err := pgconn.Connect(context.Background(), "postgres://postgres:p@"+p.addr+"/postgres?sslmode=disable&search_path=c,public")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	stat := func() cache.Stat { return p.server.Cache().Stat() }
	ask := func(text string) (answer string, hit bool) {
		before := stat().Hits()
		if text == read {
			answer = answerOf(t, conn, text)
		} else {
			r := conn.ExecParams(context.Background(), text, [][]byte{[]byte("1")}, nil, nil, []int16{0}).Read()
			answer = string(r.Rows[0][0])
		}
		return answer, stat().Hits() > before
	}
	// One may have been kept twice and the other not yet. Each round has a write, so that what
	// is asked in them is asked once, and not kept for that.
	kept := int64(0)
	for _, want := range []string{"0", "7"} {
		eventually(t, "both are answered from the cache, with "+want, func() bool {
			eventually(t, "they are warm", func() bool { return stat().Warmed[cache.WarmKept] >= kept+2 })
			warm := true
			for _, text := range []string{read, bound} {
				answer, hit := ask(text)
				warm = warm && hit && strings.Contains(answer, want)
			}
			kept = stat().Warmed[cache.WarmKept]
			answerOf(t, conn, "update t set v = 7 where id = 1")
			return warm
		})
	}
	if n := stat().Warmed; n[cache.WarmRefused] == 0 || n[cache.WarmFailed] == 0 {
		t.Errorf("%v: what cannot be warm is not counted", n)
	}
	kept = stat().Warmed[cache.WarmKept]
	p.reload(t, func(c *proxy.Config) { c.Cache.Warm = c.Cache.Warm[:1] })
	answerOf(t, conn, "update t set v = 8 where id = 1")
	eventually(t, "what stays in the configuration is warm", func() bool { return stat().Warmed[cache.WarmKept] > kept })
}
