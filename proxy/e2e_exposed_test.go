package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A statement that cannot be prepared any more is nothing to a pipeline that does not
// execute it.
func TestPipelinesBehindWhatIsRefused(t *testing.T) {
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
		pgtest.Parse("", "execute p"), pgtest.Bind("", "q"), pgtest.Execute("", 0), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync, pgtest.Query("execute q"),
	); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "1", "2", "D q", "C SELECT 1", "1", "Z I", "1", "2", "D q", "C SELECT 1", "2", "E ERROR 42P01 *", "Z I", "T *", "D q", "C SELECT 1", "Z I")
}
