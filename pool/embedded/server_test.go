package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The test binary is also the program that is killed in
// TestServerEndsWithProcess.
func TestMain(m *testing.M) {
	if os.Getenv("PGJAY_TEST_HOLD_SERVER") == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.PID(), s.place.dir)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAndCheck(t, s) })
	return s
}

// closeAndCheck closes a server and looks for what it has left.
func closeAndCheck(t *testing.T, s *Server) {
	t.Helper()
	segment, hasSegment := sharedMemory(s.DataDir())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if pids := append(processesIn(s.DataDir()), processesIn(s.DataDir()+" (deleted)")...); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
	for _, dir := range []string{s.place.dir, s.place.socket} {
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left (%v)", dir, err)
		}
	}
	if hasSegment && slices.Contains(unusedSegments(), fmt.Sprint(segment)) {
		t.Errorf("segment %d of shared memory is left", segment)
	}
	if s.PID() != 0 {
		t.Error("a closed server has a process")
	}
}

// unusedSegments lists the segments of shared memory that no process has.
func unusedSegments() (ids []string) {
	text, _ := os.ReadFile("/proc/sysvipc/shm")
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) > 6 && f[6] == "0" {
			ids = append(ids, f[1])
		}
	}
	return ids
}

// openDir is a temporary directory that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// ask returns the one value of a query, on a connection of its own.
func ask(t *testing.T, s *Server, sql string) (value string) {
	t.Helper()
	c := connect(t, s.URL("postgres", "postgres"))
	defer func() { _ = c.Close(context.Background()) }()
	if err := c.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// TestLife is start, stop, restart, kill -9, restart, close.
func TestLife(t *testing.T) {
	s := start(t, Options{})
	c := connect(t, s.URL("postgres", "postgres"))
	for _, sql := range []string{"create table kept as select 1 as x", "alter system set work_mem = '1234kB'"} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Stop(Fast); err != nil {
		t.Fatal(err)
	}
	if s.PID() != 0 {
		t.Error("a stopped server has a process")
	}
	for _, mode := range []Mode{Smart, Fast, Immediate, "killed"} {
		if mode == "killed" {
			busy := busyBackend(t, s)
			if err := s.Kill9(); err != nil {
				t.Fatal(err)
			}
			mode = Fast
			defer func() { <-busy }()
		}
		if err := s.Restart(mode); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, s, "select (select max(x) from kept) || current_setting('work_mem')"); got != "11234kB" {
			t.Errorf("restarted, the server has %s", got)
		}
	}
	if err := s.Stop("gently"); err == nil || !strings.Contains(err.Error(), `no stop mode "gently"`) {
		t.Errorf("stop mode gently: %v", err)
	}
	closeAndCheck(t, s)
	if err := s.Restart(Fast); err == nil {
		t.Error("a closed server restarts")
	}
}

// busyBackend leaves a query running that does not notice that its postmaster
// has died.
func busyBackend(t *testing.T, s *Server) (ended chan struct{}) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	pid := c.PgConn().PID()
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = c.Exec(context.Background(), "select count(*) from generate_series(1, 1000000000)")
		_ = c.Close(context.Background())
	}()
	for ask(t, s, fmt.Sprintf("select state from pg_stat_activity where pid = %d", pid)) != "active" {
	}
	return ended
}

func TestCloseAfterKill(t *testing.T) {
	s := start(t, Options{})
	busy := busyBackend(t, s)
	if err := s.Kill9(); err != nil {
		t.Fatal(err)
	}
	if _, ok := sharedMemory(s.DataDir()); !ok || len(processesIn(s.DataDir())) == 0 {
		t.Error("a killed server has left nothing: the test tests nothing")
	}
	closeAndCheck(t, s)
	<-busy
}

func TestOptions(t *testing.T) {
	var log strings.Builder
	dir := filepath.Join(openDir(t), strings.Repeat("long", 30))
	s := start(t, Options{
		Dir:       dir,
		Settings:  map[string]string{"application_name": "it's", "max_connections": "17", "log_connections": "on"},
		HBA:       "hostssl all trusted 127.0.0.1/32 trust\nlocal all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
		SSL:       true,
		Log:       &log,
		Superuser: "trusted",
	})
	c := connect(t, s.URL("postgres", "trusted")+"?sslmode=verify-full&sslrootcert="+s.Certificate())
	var name, connections string
	if err := c.QueryRow(t.Context(), "select current_setting('max_connections'), current_setting('application_name')").Scan(&connections, &name); err != nil {
		t.Fatal(err)
	}
	if connections != "17" || name != "it's" {
		t.Errorf("the settings are max_connections %s, application_name %s", connections, name)
	}
	if _, err := pgx.Connect(t.Context(), s.URL("postgres", "stranger")); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("a stranger connects: %v", err)
	}
	connect(t, fmt.Sprintf("host=%s port=%d user=trusted dbname=postgres", s.SocketDir(), s.Port()))
	if !strings.HasPrefix(s.DataDir(), dir) || strings.HasPrefix(s.SocketDir(), dir) {
		t.Errorf("with the directory %s, data is in %s, the socket in %s", dir, s.DataDir(), s.SocketDir())
	}
	closeAndCheck(t, s)
	if !strings.Contains(log.String(), "connection authorized: user=trusted") {
		t.Errorf("the log is\n%s", log.String())
	}
}

// TestSeveral starts servers at once, which do not know of each other.
func TestSeveral(t *testing.T) {
	servers := make([]*Server, 3)
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() {
			var err error
			if servers[i], err = Start(t.Context(), Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ports := make(map[int]bool)
	for _, s := range servers {
		if s == nil {
			continue
		}
		defer closeAndCheck(t, s)
		ports[s.Port()] = true
		if got := ask(t, s, "select current_setting('data_directory')"); got != s.DataDir() {
			t.Errorf("the server at %s has its data in %s", s.DataDir(), got)
		}
	}
	if len(ports) != len(servers) {
		t.Errorf("%d servers have the ports %v", len(servers), ports)
	}
}

// TestStartCancelled cancels at several moments of a start, initdb among them.
func TestStartCancelled(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cause := errors.New("not wanted any more")
	before, segments := processCount(t), unusedSegments()
	for _, after := range []time.Duration{0, 30 * time.Millisecond, 100 * time.Millisecond} {
		dir := filepath.Join(openDir(t), "server")
		ctx, cancel := context.WithTimeoutCause(t.Context(), after, cause)
		// A superuser that no template is kept for.
		s, err := Start(ctx, Options{Dir: dir, Superuser: fmt.Sprintf("s%d", time.Now().UnixNano())})
		cancel()
		if err == nil {
			closeAndCheck(t, s)
			t.Fatalf("it started within %v", after)
		}
		if !errors.Is(err, cause) {
			t.Errorf("after %v: %v", after, err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after %v, %s is left", after, dir)
		}
	}
	if now := processCount(t); now != before {
		t.Errorf("there were %d children, now there are %d", before, now)
	}
	// Those of other packages' tests, which run now, come and go.
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		left := slices.DeleteFunc(unusedSegments(), func(id string) bool { return slices.Contains(segments, id) })
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("segments %v of shared memory are left", left)
		}
	}
}

// processCount counts our children.
func processCount(t *testing.T) int {
	t.Helper()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("no /proc")
	}
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	n := 0
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		n += len(strings.Fields(string(text)))
	}
	return n
}

func TestStartFails(t *testing.T) {
	taken := start(t, Options{})
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		fmt.Sprintf("port %d is in use: choose another", taken.Port()): {Port: taken.Port()},
		"is not empty: choose a directory":                             {Dir: full},
		`unrecognized configuration parameter "max_conections"`:        {Settings: map[string]string{"max_conections": "5"}},
	} {
		s, err := Start(t.Context(), o)
		if err == nil {
			closeAndCheck(t, s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := os.Stat(filepath.Join(full, "file")); err != nil {
		t.Errorf("a directory that was not ours is gone: %v", err)
	}
}

// TestServerEndsWithProcess kills a process that has a server. The next one
// removes its directory.
func TestServerEndsWithProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("only on Linux")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGJAY_TEST_HOLD_SERVER=1")
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	line, _ := bufio.NewReader(out).ReadString('\n')
	killErr := cmd.Process.Kill()
	_ = cmd.Wait()
	var pid int
	var dir string
	if n, _ := fmt.Sscan(line, &pid, &dir); n != 2 || killErr != nil {
		t.Fatalf("the process says %q (%v)", line, killErr)
	}
	for deadline := time.Now().Add(patience); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server lives on")
		}
	}
	start(t, Options{}) // or another test's server, in another process, has removed it
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left (%v)", dir, err)
	}
}
