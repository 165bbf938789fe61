package proxy_test

import (
	"context"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Sessions that move between loops all the time notice nothing, and neither do
// the cancel requests for them.
func TestSessionsMove(t *testing.T) {
	certs := newCertificates(t, "postgres")
	p := startProxy(t, plain(t), func(cfg *proxy.Config) {
		cfg.TLS = proxy.TLSConfig{Mode: "allow", CertFile: certs.serverCert, KeyFile: certs.serverKey}
	})
	stop := make(chan struct{})
	var moving, working sync.WaitGroup
	moving.Go(func() {
		idle := client(t, p.addr)
		for {
			select {
			case <-stop:
				return
			default:
			}
			p.server.MoveSessions()
			if got := value(t, idle, "select 'alive'"); got != "alive" {
				t.Errorf("got %q", got)
				return
			}
			if err := idle.Cancel(p.addr); err != nil {
				t.Error(err)
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	for i := range 20 {
		working.Go(func() {
			url := p.url("sslmode=" + []string{"disable", "require"}[i%2] + "&default_query_exec_mode=cache_describe")
			if err := addManyTimes(ctx, url, i); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	working.Wait()
	close(stop)
	moving.Wait()
}
