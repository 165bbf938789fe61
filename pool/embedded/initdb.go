package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// installation is a PostgreSQL, and who runs it.
type installation struct {
	bin   string // the directory of its programs
	cache string // the directory of what is kept for later; "" is none
	account
}

// newInstallation finds out all of it.
func newInstallation(ctx context.Context, o Options) (*installation, error) {
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	cache := cacheDir(a)
	bin, err := programs(ctx, cache, o.Log)
	if err != nil {
		return nil, err
	}
	return &installation{bin: bin, cache: cache, account: a}, nil
}

// cacheDir is a directory that only we can write to, or "".
func cacheDir(a account) string {
	parent, mode := "/var/cache", os.FileMode(0o755) // the account reads it, in which root's own cache is hidden
	if !a.other {
		var err error
		if parent, err = os.UserCacheDir(); err != nil {
			return ""
		}
		mode = 0o700
	}
	dir := filepath.Join(parent, "pgjay")
	if os.MkdirAll(dir, mode) != nil {
		return ""
	}
	return dir
}

// makeData makes a data directory: a copy of one that initdb made earlier, if
// such can be kept.
func (in *installation) makeData(ctx context.Context, superuser, dir string) error {
	template, err := in.template(ctx, superuser)
	if err != nil {
		return err
	}
	if template == "" {
		return in.initdb(ctx, superuser, dir)
	}
	return in.copyTree(template, dir)
}

// template returns a data directory as initdb makes it, and makes it first if
// need be. It appears under its name only when it is complete.
func (in *installation) template(ctx context.Context, superuser string) (string, error) {
	if in.cache == "" {
		return "", nil
	}
	dir := filepath.Join(in.cache, "data-"+in.fingerprint(superuser))
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err == nil {
		return dir, nil
	}
	temp, err := os.MkdirTemp(in.cache, "initdb-")
	if err != nil {
		return "", nil // it cannot be kept
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := in.own(temp); err != nil {
		return "", err
	}
	made := filepath.Join(temp, "data")
	if err := in.initdb(ctx, superuser, made); err != nil {
		return "", err
	}
	return dir, publish(made, dir)
}

// fingerprint is another one when initdb could make something else.
func (in *installation) fingerprint(superuser string) string {
	h := sha256.New()
	for _, name := range []string{"postgres", "initdb"} {
		file := filepath.Join(in.bin, name)
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintln(h, file, info.Size(), info.ModTime().UnixNano())
		}
	}
	fmt.Fprintln(h, in.uid, initdbArgs(superuser))
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func initdbArgs(superuser string) []string {
	return []string{"--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--wal-segsize", "1"}
}

func (in *installation) initdb(ctx context.Context, superuser, dir string) error {
	// The child dies with the thread that starts it; see process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := in.command("initdb", append(initdbArgs(superuser), "--pgdata", dir)...)
	cmd.Dir = filepath.Dir(dir)
	cmd.SysProcAttr = attributes(in.credential(), syscall.SIGKILL)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second // for children that keep the output open
	if err := cmd.Start(); err != nil {
		return in.startError(cmd, err)
	}
	// It lets its child finish, which would not remove its shared memory.
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	err := cmd.Wait()
	if !stop() {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out.Bytes())
	}
	return nil
}

// command is for one of the programs, with nothing in its environment that
// PostgreSQL would obey.
func (in *installation) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(in.bin, program), args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "TZ=UTC")
	return cmd
}

func (in *installation) startError(cmd *exec.Cmd, err error) error {
	if os.IsPermission(err) {
		return fmt.Errorf("user %s may not run %s: %w; set PGBIN to a directory that it can read", in.name, cmd.Path, err)
	}
	return err
}
