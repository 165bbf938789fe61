package pool

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool/embedded"
)

// testServer is a PostgreSQL server of a test's own, with a superuser ann whose
// password is acorn and a database crm.
type testServer struct {
	*embedded.Server
	t *testing.T
}

// needPasswords is a pg_hba.conf that trusts postgres only.
const needPasswords = `
host  all          postgres  127.0.0.1/32  trust
local all          all                     scram-sha-256
host  all          all       127.0.0.1/32  scram-sha-256
host  replication  all       127.0.0.1/32  scram-sha-256
`

func startServer(t *testing.T) *testServer {
	t.Helper()
	pg, err := embedded.Start(t.Context(), embedded.Options{SSL: true, HBA: needPasswords})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &testServer{pg, t}
	s.run("CREATE ROLE ann LOGIN SUPERUSER REPLICATION PASSWORD 'acorn'")
	s.run("CREATE DATABASE crm")
	return s
}

// url is without TLS.
func (s *testServer) url() string { return "postgres://" + s.Address() + "?sslmode=disable" }

func (s *testServer) socketURL() string {
	return fmt.Sprintf("host=%s port=%d", s.SocketDir(), s.Port())
}

func (s *testServer) run(sql string) {
	s.t.Helper()
	conn, err := pgconn.Connect(s.t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(s.t.Context(), sql).ReadAll(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testServer) stop() {
	s.t.Helper()
	if err := s.Stop(embedded.Immediate); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testServer) start() {
	s.t.Helper()
	if err := s.Restart(embedded.Immediate); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits for something that another process does.
func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
