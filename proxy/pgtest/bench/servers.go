//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pgjay/pgjay/pool/embedded"
)

// bench is one run: the servers and where their files are.
type bench struct {
	ctx      context.Context
	options  *options
	dir      string
	postgres *embedded.Server
	proxies  []*server
	said     string   // by sayOnce
	workload []string // what pgbench is to do
}

// server is a process that pgbench can connect to.
type server struct {
	name  string
	port  int
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has ended
	log   string
	forks bool // it has a process for each client
}

const databaseUser = "postgres"

func newBench(ctx context.Context, o *options) (*bench, error) {
	dir, err := os.MkdirTemp("", "pgjay-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{ctx: ctx, options: o, dir: dir, workload: []string{"-S"}}
	if err := b.start(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) start() (err error) {
	if cred := unprivileged(); cred != nil { // PgBouncer reads its files there
		if err := os.Chown(b.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	b.postgres, err = embedded.Start(b.ctx, embedded.Options{Settings: map[string]string{
		"max_connections": "400", "shared_buffers": "512MB", "autovacuum": "off",
	}})
	if err != nil {
		return err
	}
	fmt.Printf("loading pgbench tables, scale %d\n", b.options.scale)
	return b.command(b.program("pgbench"), "-i", "-q", "-s", strconv.Itoa(b.options.scale),
		"-h", "127.0.0.1", "-p", strconv.Itoa(b.postgres.Port()), "-U", databaseUser, "postgres").Run()
}

// program finds one of PostgreSQL's programs.
func (b *bench) program(name string) string {
	if path := filepath.Join(b.postgres.BinDir(), name); exists(path) {
		return path
	}
	return name // along PATH
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// unprivileged is who PostgreSQL and PgBouncer run as: they refuse root.
func unprivileged() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// command prepares a program that ends when the bench does.
func (b *bench) command(path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, path, args...)
	cmd.Dir = b.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// sayOnce prints what is missing, not again for each part.
func (b *bench) sayOnce(text string) {
	if !strings.Contains(b.said, text) {
		fmt.Println(text)
		b.said += text
	}
}

// startPgBouncer returns nil and says so where PgBouncer is not installed.
func (b *bench) startPgBouncer() (*server, error) {
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		b.sayOnce("PgBouncer is not installed (Debian: apt-get install pgbouncer); its columns stay empty")
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	users, ini := filepath.Join(b.dir, "users.txt"), filepath.Join(b.dir, "pgbouncer.ini")
	config := fmt.Sprintf(`[databases]
postgres = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 15000
log_connections = 0
log_disconnections = 0
`, b.postgres.Port(), port, users, b.options.poolSize)
	err = errors.Join(os.WriteFile(users, []byte("\""+databaseUser+"\" \"\"\n"), 0o644), os.WriteFile(ini, []byte(config), 0o644))
	if err != nil {
		return nil, err
	}
	cmd := b.command(path, ini)
	cmd.SysProcAttr.Credential = unprivileged()
	return b.launch("pgbouncer", port, cmd)
}

// startPgJay returns nil and says so where it has not been built.
func (b *bench) startPgJay() (*server, error) { return b.launchPgJay("pgjay") }

// launchPgJay starts one with these settings.
func (b *bench) launchPgJay(name string, settings ...string) (*server, error) {
	path, err := filepath.Abs(b.options.pgjay)
	if err != nil {
		return nil, err
	}
	if !exists(path) {
		b.sayOnce(path + " is not there (make build); its columns stay empty")
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	admin, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := b.command(path, "serve", "--backend", fmt.Sprintf("postgres://127.0.0.1:%d", b.postgres.Port()),
		"--listen", fmt.Sprintf("127.0.0.1:%d", port), "--admin", fmt.Sprintf("127.0.0.1:%d", admin),
		"--set", "auth.method=trust", "--set", "pool.mode=transaction", "--set", "pool.overflow=0",
		"--set", fmt.Sprintf("pool.size=%d", b.options.poolSize),
		"--set", "limits.max_clients=15000", "--set", "limits.max_clients_per_address=15000")
	for _, setting := range settings {
		cmd.Args = append(cmd.Args, "--set", setting)
	}
	return b.launch(name, port, cmd)
}

// startProxies starts fresh processes of the proxies asked for.
func (b *bench) startProxies() error {
	b.stopProxies()
	starts := map[string]func() (*server, error){"pgbouncer": b.startPgBouncer, "pgjay": b.startPgJay}
	for _, name := range b.options.subjects {
		if starts[name] == nil {
			continue
		}
		s, err := starts[name]()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if s != nil {
			b.proxies = append(b.proxies, s)
		}
	}
	return nil
}

func (b *bench) stopProxies() {
	for _, s := range b.proxies {
		s.stop()
	}
	b.proxies = nil
}

// launch starts a server and waits until a client can log in.
func (b *bench) launch(name string, port int, cmd *exec.Cmd) (*server, error) {
	s := &server{name: name, port: port, cmd: cmd, done: make(chan struct{}), log: filepath.Join(b.dir, name+".log")}
	out, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(s.done) }()
	return s, s.ready()
}

func (s *server) ready() error {
	var last error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		select {
		case <-s.done:
			log, _ := os.ReadFile(s.log)
			return fmt.Errorf("%s ended:\n%s", s.name, log)
		case <-time.After(20 * time.Millisecond):
		}
		c, err := login(s.port)
		if err == nil {
			return c.Close()
		}
		last = err
	}
	s.stop()
	return fmt.Errorf("%s does not answer: %w", s.name, last)
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-s.done:
	case <-time.After(3 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

func (b *bench) close() {
	b.stopProxies()
	if b.postgres != nil {
		_ = b.postgres.Close()
	}
	_ = os.RemoveAll(b.dir)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
