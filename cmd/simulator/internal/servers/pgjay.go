package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// PgJay is one that runs.
type PgJay struct {
	Address string // for clients
	Admin   string // of its metrics
	console string // its URL
	door    door
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	log     *os.File      // has no name: nothing of it stays, however we end
}

// StartPgJay starts the program before the server of u, for the user of u and with these
// settings (key=value), and returns when it serves.
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
	if p.door, err = doorTo(ctx, u); err != nil {
		return err
	}
	if p.Address, err = freeAddress(); err != nil {
		return err
	}
	if p.Admin, err = freeAddress(); err != nil {
		return err
	}
	p.console = p.door.through(WithDatabase(u, "pgjay"), p.Address).String()
	args := append([]string{"serve", "--listen", p.Address, "--admin", p.Admin,
		"--set", "timeouts.shutdown=1s", "--set", "limits.max_clients_per_address=5000"}, p.door.flags()...)
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), p.door.environment()...)
	cmd.SysProcAttr = attributes()
	return p.launch(ctx, cmd)
}

// launch starts it from a goroutine that keeps its thread until the process has
// ended: where the kernel ends it with us, it does so when that thread ends.
func (p *PgJay) launch(ctx context.Context, cmd *exec.Cmd) (err error) {
	if p.log, err = os.CreateTemp("", "pgjay-simulator-"); err != nil {
		return err
	}
	if err := os.Remove(p.log.Name()); err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	started := make(chan error)
	go func() {
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
func (p *PgJay) URL(u *url.URL) *url.URL { return p.door.through(u, p.Address) }

// PID is its process.
func (p *PgJay) PID() int { return p.cmd.Process.Pid }

// Log is what it has logged, the end of it if it is long.
func (p *PgJay) Log() string {
	const enough = 4000
	text, err := p.logged()
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// Logged says whether a text is anywhere in its log.
func (p *PgJay) Logged(text string) bool {
	log, err := p.logged()
	return err == nil && bytes.Contains(log, []byte(text))
}

func (p *PgJay) logged() ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(p.log, 0, math.MaxInt64))
}

// Close ends it; nothing of it stays.
func (p *PgJay) Close() error {
	var errs []error
	if p.cmd != nil {
		http.DefaultClient.CloseIdleConnections() // readyz was asked on one
		errs = append(errs, p.end())
	}
	if p.log != nil {
		errs = append(errs, p.log.Close())
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
