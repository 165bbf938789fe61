package sqlparse

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// server is a throw-away PostgreSQL on a unix socket, one for all tests.
var server struct {
	once sync.Once
	dir  string // empty: there is none
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.dir != "" {
		stop := postgres("pg_ctl", "stop", "-m", "immediate", "-D", filepath.Join(server.dir, "data"))
		if out, err := stop.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "stopping PostgreSQL: %v\n%s", err, out)
			code = 1
		}
		os.RemoveAll(server.dir)
	}
	os.Exit(code)
}

// connect returns a connection to the server, or skips the test where
// PostgreSQL's programs are not installed.
func connect(t *testing.T) *pgconn.PgConn {
	t.Helper()
	if _, err := programDir(); err != nil {
		t.Skip(err)
	}
	server.once.Do(func() { server.err = startServer() })
	if server.err != nil {
		t.Fatal(server.err)
	}
	return dial(t, "host="+server.dir+" user=postgres dbname=postgres")
}

var servers = flag.String("servers", "", "more servers to look at, connection strings divided by semicolons")

// connections returns connections to our server and to those of -servers.
func connections(t *testing.T) []*pgconn.PgConn {
	t.Helper()
	conns := []*pgconn.PgConn{connect(t)}
	if *servers != "" {
		for dsn := range strings.SplitSeq(*servers, ";") {
			conns = append(conns, dial(t, dsn))
		}
	}
	return conns
}

func dial(t *testing.T, dsn string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func startServer() error {
	dir, err := os.MkdirTemp("", "sqlparse")
	if err != nil {
		return err
	}
	server.dir = dir
	if attr := credential(); attr != nil {
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := postgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	options := "-c listen_addresses='' -c fsync=off -c max_prepared_transactions=5 -c wal_level=logical -k " + dir
	start := postgres("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", filepath.Join(dir, "log"))
	if err := start.Run(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("pg_ctl: %w\n%s", err, log)
	}
	return nil
}

// postgres returns one of PostgreSQL's programs, to be run by a user that is
// not root: it refuses to be.
func postgres(program string, args ...string) *exec.Cmd {
	dir, err := programDir()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(filepath.Join(dir, program), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = credential()
	return cmd
}

func credential() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		}
	}
	return nil
}

// programDir finds initdb: in $PGBIN, on the PATH, or where Debian puts it.
func programDir() (string, error) {
	dirs := append([]string{os.Getenv("PGBIN")}, filepath.SplitList(os.Getenv("PATH"))...)
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(dirs, debian...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); dir != "" && err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL is not installed")
}

// query returns the rows of a statement, columns joined by bars.
func query(t *testing.T, conn *pgconn.PgConn, sql string) (rows []string) {
	t.Helper()
	results, err := conn.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, result := range results {
		for _, row := range result.Rows {
			values := make([]string, len(row))
			for i, v := range row {
				values[i] = string(v)
			}
			rows = append(rows, strings.Join(values, "|"))
		}
	}
	return rows
}
