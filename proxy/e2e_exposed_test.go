package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// What a pipeline has executed cannot be kept when PostgreSQL refuses to prepare a
// statement behind it: the client gets that error. What it sends behind this finds all
// that it has prepared before.
func TestNothingIsLostWhereAPipelineIsRefused(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(preparedFixture); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size, c.Pool.Overflow = 2, 0 })
	var crowd crowd
	defer crowd.leave()
	c := client(t, p.addr)
	if _, err := c.Query("prepare p as select a from prepared_gone"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec("drop table prepared_gone"); err != nil {
		t.Fatal(err)
	}
	crowd.push(t, p.addr, c, 0)
	if err := c.Send(
		pgtest.Parse("q", "select 'q'"), pgtest.Bind("", "q"), pgtest.Execute("", 0), pgtest.Parse("", "execute p"), pgtest.Sync,
		pgtest.Bind("", "q"), pgtest.Execute("", 0), pgtest.Sync, pgtest.Query("execute q"),
	); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "1", "2", "D q", "C SELECT 1", "E ERROR 42P01 *", "Z I", "2", "D q", "C SELECT 1", "Z I", "T *", "D q", "C SELECT 1", "Z I")
}
