package proxy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
)

func withCache(c *proxy.Config) { c.Cache = cache.DefaultConfig(); c.Cache.Enabled = true }

func TestCacheSmoke(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for _, sql := range []string{"drop table if exists things", "create table things (id int primary key, name text)", "insert into things select i, 'n' || i from generate_series(1, 100) i"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	p := startProxy(t, backend, withCache)
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec} {
		conn, err := pgx.Connect(context.Background(), "postgres://postgres@"+p.addr+"/postgres?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			var name string
			if err := conn.QueryRow(context.Background(), "select name from things where id = $1", mode, 7).Scan(&name); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint("x", i/5*5-1); i < 5 && name != "n7" || i >= 5 && name != want {
				t.Errorf("round %d: %s", i, name)
			}
			time.Sleep(50 * time.Millisecond)
			if i%5 == 4 {
				if _, err := conn.Exec(context.Background(), "update things set name = $1 where id = 7", mode, fmt.Sprint("x", i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		conn.Exec(context.Background(), "update things set name = 'n7' where id = 7")
		conn.Close(context.Background())
	}
	for _, s := range p.server.Cache().Shapes() {
		t.Logf("%+v", s)
	}
}
