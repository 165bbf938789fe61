package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a program that runs on a pseudo-terminal.
type terminal struct {
	master *os.File
	mu     sync.Mutex
	output bytes.Buffer // guarded by mu
}

func openTerminal(t testing.TB, cmd *exec.Cmd) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{master: master}
	go func() { _, _ = io.Copy(term, master) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return term
}

// Write takes what the program prints.
func (m *terminal) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.output.Write(p)
}

func (m *terminal) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.output.String()
}

func (m *terminal) typeIn(t testing.TB, keys string) {
	t.Helper()
	if _, err := m.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C in psql cancels the query, and the session lives on.
func TestCtrlCInPsql(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, nil)
	cmd := exec.Command(program(t, "psql"), "-X", "-n", "-q", "-P", "pager=off")
	cmd.Env = clientEnv(p.addr)
	psql := openTerminal(t, cmd)
	defer func() {
		if t.Failed() {
			t.Logf("psql's screen:\n%s", psql.text())
		}
	}()
	for _, mark := range []string{"ctrl 1", "ctrl 2"} {
		psql.typeIn(t, "set my.mark = 'kept';\n"+sleep(mark)+";\n")
		sleeping(t, admin, mark)
		psql.typeIn(t, "\x03")
		if err := admin.Await("select count(*) = 0 from pg_stat_activity where wait_event = 'PgSleep' and query like '%/* " + mark + " */%'"); err != nil {
			t.Fatal(err)
		}
		psql.typeIn(t, "select 'lives ' || 'on, ' || current_setting('my.mark') || '"+mark+"';\n")
		eventually(t, "psql answers again", func() bool { return bytes.Contains([]byte(psql.text()), []byte("lives on, kept"+mark)) })
	}
	if !bytes.Contains([]byte(psql.text()), []byte("canceling statement due to user request")) {
		t.Error("psql does not say that the statement was cancelled")
	}
}
