package main

import (
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// doors wants a PgJay that is started to let in nobody whom its server would not, and
// all ways to that server to be its ways too.
func doors(t *testing.T, program string) {
	t.Setenv("TMPDIR", t.TempDir())
	server := pgtest.NewServer(t, embedded.Options{HBA: `local all all trust
host all postgres 127.0.0.1/32 trust
host all keeper 127.0.0.1/32 scram-sha-256
`})
	open := server.URL("postgres", "postgres")
	const secret = "p${HOME}@: 's"
	err := seed.With(t.Context(), open, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), "create role keeper superuser login password 'p${HOME}@: ''s'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(os.TempDir())
	at := fmt.Sprintf("127.0.0.1:%d/postgres?sslmode=disable", server.Port())
	for _, c := range []struct {
		name, url string
		shut      bool
	}{
		{"no password", open, false},
		{"password", "postgres://" + url.UserPassword("keeper", secret).String() + "@" + at, true},
		{"password in the query", "postgres://keeper@" + at + "&password=" + url.PathEscape(secret), true},
		{"socket", fmt.Sprintf("postgres://postgres@/postgres?host=%s&port=%d", server.SocketDir(), server.Port()), true},
	} {
		t.Run(c.name, func(t *testing.T) { throughDoor(t, program, c.url, c.shut) })
	}
	if now, _ := os.ReadDir(os.TempDir()); len(now) != len(before) {
		t.Errorf("%v became %v", before, now)
	}
}

func throughDoor(t *testing.T, program, dsn string, shut bool) {
	u, err := servers.ParseURL(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p, err := servers.StartPgJay(t.Context(), program, u)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	if files, _ := os.ReadDir(os.TempDir()); shut && len(files) > 1 { // the server has one
		t.Errorf("there is something to read: %v", files)
	}
	if _, err := p.Show(t.Context(), "SHOW VERSION"); err != nil {
		t.Error(err)
	}
	ask := func(u *url.URL) error {
		return seed.With(t.Context(), u.String(), func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), "select 1")
			return err
		})
	}
	if err := ask(p.URL(u)); err != nil {
		t.Error(err)
	}
	stranger := *p.URL(u)
	stranger.User = url.User(u.User.Username())
	if err := ask(&stranger); (err != nil) != shut {
		t.Errorf("without a password: %v", err)
	}
}
