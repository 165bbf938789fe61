package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the system's user that runs a server.
type account struct {
	name     string
	uid, gid int
	other    bool // not ourselves: files must be given to it
}

// serverAccount is ourselves, or who does it for root.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "uid " + strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		return account{name: name, uid: uid, gid: gid, other: true}, errors.Join(uerr, gerr)
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody: " +
		"create user postgres, or run as another user")
}

// credential is for starting a program as the account; nil is no change.
func (a account) credential() *syscall.Credential {
	if !a.other {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// own gives a file or directory to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// write makes a file that only the account can read.
func (a account) write(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return a.own(path)
}

// mayEnter says why the account cannot reach dir, an absolute path.
func (a account) mayEnter(dir string) error {
	if !a.other {
		return nil
	}
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return err
		}
		if !a.canSearch(info) {
			return fmt.Errorf("user %s, which runs PostgreSQL for root, cannot enter %s: "+
				"choose another directory, or chmod o+x that one", a.name, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

func (a account) canSearch(dir os.FileInfo) bool {
	bit := os.FileMode(0o001)
	if s, ok := dir.Sys().(*syscall.Stat_t); ok && int(s.Uid) == a.uid {
		bit = 0o100
	} else if ok && int(s.Gid) == a.gid {
		bit = 0o010
	}
	return dir.Mode()&bit != 0
}

// owns reports whether a file belongs to the account or to ourselves.
func (a account) owns(file os.FileInfo) bool {
	s, ok := file.Sys().(*syscall.Stat_t)
	return ok && (int(s.Uid) == a.uid || int(s.Uid) == os.Geteuid())
}
