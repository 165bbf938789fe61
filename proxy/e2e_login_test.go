package proxy_test

import (
	"context"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// TestReloadInMidLogin: SCRAM is bound to the certificate that the client was
// shown, though another one is in force when it sends its StartupMessage.
func TestReloadInMidLogin(t *testing.T) {
	certs, next := newCertificates(t, "postgres"), newCertificates(t, "postgres")
	var cfg proxy.Config
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		c.Auth = proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: []proxy.User{{Name: "postgres", Password: "sesame"}}}
		c.TLS = proxy.TLSConfig{Mode: "require", CertFile: certs.serverCert, KeyFile: certs.serverKey}
		cfg = *c
	})
	for name, tls := range map[string]proxy.TLSConfig{
		"another certificate": {Mode: "require", CertFile: next.serverCert, KeyFile: next.serverKey},
		"no TLS":              {Mode: "disable"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := p.server.Reload(cfg); err != nil {
				t.Fatal(err)
			}
			config, err := pgconn.ParseConfig("postgres://postgres:sesame@" + p.addr + "/postgres?sslmode=require&channel_binding=require")
			if err != nil {
				t.Fatal(err)
			}
			config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend { // the handshake is done
				reloaded := cfg
				reloaded.TLS = tls
				if err := p.server.Reload(reloaded); err != nil {
					t.Error(err)
				}
				return pgproto3.NewFrontend(r, w)
			}
			ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
			defer cancel()
			c, err := pgconn.ConnectConfig(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close(ctx)
		})
	}
}

// A reload to trust lets nobody in who was asked for a password before.
func TestReloadToTrustInMidLogin(t *testing.T) {
	var cfg proxy.Config
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		c.Auth = proxy.AuthConfig{Method: proxy.AuthMD5, Users: []proxy.User{{Name: "postgres", Password: "sesame"}}}
		cfg = *c
	})
	c := begin(t, p.addr, "user", "postgres")
	expect(t, c, "R md5")
	cfg.Auth.Method = proxy.AuthTrust
	if err := p.server.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(pgtest.Raw("p\x00\x00\x00\x0anever")); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(pgtest.Raw("\x00")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "E FATAL 28P01 *", "EOF")
}

// begin connects and sends a StartupMessage.
func begin(t testing.TB, addr string, params ...string) *pgtest.Conn {
	t.Helper()
	c, err := pgtest.Dial(addr, "client", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Send(pgtest.Startup(pgproto3.ProtocolVersion30, params...)); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBadOptions: like PostgreSQL the proxy tells what is wrong with the
// start-up options to those only who have proved who they are.
func TestBadOptions(t *testing.T) {
	backend := plain(t)
	trusting := startProxy(t, backend, nil)
	asking := startProxy(t, backend, func(c *proxy.Config) {
		c.Auth = proxy.AuthConfig{Method: proxy.AuthMD5, Users: []proxy.User{{Name: "postgres", Password: "sesame"}}}
	})
	for params, want := range map[[2]string]string{
		{"options", "--nonsense"}:    "E FATAL 42601 *",
		{"options", "-c"}:            "E FATAL 42601 *",
		{"options", "stray"}:         "E FATAL 42601 *",
		{"options", "-c nonsense=1"}: "E FATAL 42704 *",
	} {
		for _, addr := range []string{backend, trusting.addr} {
			c := begin(t, addr, "user", "postgres", "database", "postgres", params[0], params[1])
			expect(t, c, "R ok", want, "EOF")
		}
		expect(t, begin(t, asking.addr, "user", "postgres", params[0], params[1]), "R md5")
	}
	for _, addr := range []string{backend, trusting.addr, asking.addr} {
		expect(t, begin(t, addr, "user", "postgres", "replication", "perhaps"), "E FATAL 22023 *", "EOF")
	}
}
