package servers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// PgJay is one that runs.
type PgJay struct {
	Address string // for clients
	Admin   string // of its metrics
	console string // its URL
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	dir     string        // its configuration and log
}

// StartPgJay starts the program before the server of u, trusting everybody, with
// these settings (key=value), and returns when it serves.
func StartPgJay(ctx context.Context, program string, u *url.URL, settings ...string) (*PgJay, error) {
	p := &PgJay{done: make(chan struct{})}
	err := p.start(ctx, program, u, settings)
	if err == nil {
		err = p.ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *PgJay) start(ctx context.Context, program string, u *url.URL, settings []string) (err error) {
	if p.dir, err = os.MkdirTemp("", "pgjay-simulator-"); err != nil {
		return err
	}
	if p.Address, err = freeAddress(); err != nil {
		return err
	}
	if p.Admin, err = freeAddress(); err != nil {
		return err
	}
	p.console = through(WithDatabase(u, "pgjay"), p.Address).String()
	// The password is in a file: what is on a command line, every user can see.
	config := filepath.Join(p.dir, "pgjay.yaml")
	server, password := backend(u)
	text := fmt.Sprintf("backend:\n  url: %q\n  password: %q\n", strings.ReplaceAll(server, "${", "$${"), strings.ReplaceAll(password, "${", "$${"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	args := []string{"serve", "--config", config, "--listen", p.Address, "--admin", p.Admin,
		"--set", "auth.method=trust", "--set", "timeouts.shutdown=1s", "--set", "limits.max_clients_per_address=5000"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = attributes()
	return p.launch(ctx, cmd)
}

// launch starts it from a goroutine that keeps its thread until the process has
// ended: where the kernel ends it with us, it does so when that thread ends.
func (p *PgJay) launch(ctx context.Context, cmd *exec.Cmd) error {
	log, err := os.Create(p.logFile())
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	started := make(chan error)
	go func() {
		defer log.Close()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd = cmd
	return ctx.Err()
}

func (p *PgJay) logFile() string { return filepath.Join(p.dir, "pgjay.log") }

// ready waits until it accepts clients.
func (p *PgJay) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if p.answers(ctx) {
				return nil
			}
		case <-p.done:
			return fmt.Errorf("PgJay ended:\n%s", p.Log())
		case <-ctx.Done():
			return fmt.Errorf("PgJay does not answer: %w\n%s", context.Cause(ctx), p.Log())
		}
	}
}

func (p *PgJay) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Admin+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// URL is a database of u's server through it.
func (p *PgJay) URL(u *url.URL) *url.URL { return through(u, p.Address) }

// PID is its process.
func (p *PgJay) PID() int { return p.cmd.Process.Pid }

// Log is what it has logged, the end of it if it is long.
func (p *PgJay) Log() string {
	const enough = 4000
	text, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// Close ends it and removes what it had.
func (p *PgJay) Close() error {
	var errs []error
	if p.cmd != nil {
		http.DefaultClient.CloseIdleConnections() // readyz was asked on one
		errs = append(errs, p.end())
	}
	if p.dir != "" {
		errs = append(errs, os.RemoveAll(p.dir))
	}
	return errors.Join(errs...)
}

func (p *PgJay) end() error {
	const grace = 10 * time.Second
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	err := p.cmd.Process.Kill()
	<-p.done
	return err
}
