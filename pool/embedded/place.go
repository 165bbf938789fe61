package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	tempPattern = "pgjay-*"
	// maxSocketDir is what fits with the name of the socket into the 104 bytes
	// that macOS has for it; Linux has 108.
	maxSocketDir = 104 - len("/.s.PGSQL.65535") - 1
)

// place is where one server keeps everything.
type place struct {
	dir    string // has the data directory, the lock, and mostly the sockets
	socket string // dir, unless that is too long for a socket's name
	lock   *os.File
}

func (p *place) data() string { return filepath.Join(p.dir, "data") }

// newPlace makes the directories, for the account that will run the server.
func newPlace(dir string, a account) (*place, error) {
	p := &place{dir: dir}
	if err := p.make(a); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *place) make(a account) (err error) {
	if p.dir == "" {
		p.dir, err = tempDir(a)
	} else {
		p.dir, err = emptyDir(p.dir)
	}
	if err != nil {
		p.dir = "" // not ours to remove
		return err
	}
	if err := a.own(p.dir); err != nil {
		return err
	}
	if err := a.mayEnter(p.dir); err != nil {
		return err
	}
	if p.lock, err = lockDir(p.dir); err != nil {
		return err
	}
	p.socket = p.dir
	if len(p.dir) > maxSocketDir {
		if p.socket, err = os.MkdirTemp("/tmp", tempPattern); err != nil {
			return err
		}
	}
	return a.own(p.socket)
}

// tempDir makes a directory where the account can use it.
func tempDir(a account) (string, error) {
	parent := os.TempDir()
	if a.mayEnter(parent) != nil {
		parent = "/tmp"
	}
	sweep(parent, a)
	return os.MkdirTemp(parent, tempPattern)
}

// emptyDir makes dir, or makes sure that nothing is in it: it is removed later.
func emptyDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty: choose a directory that is, or that does not exist", dir)
	}
	return dir, nil
}

// remove removes all of it. It may be called again if that failed.
func (p *place) remove() error {
	var errs []error
	for _, dir := range []string{p.dir, p.socket} {
		if dir != "" {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
		p.lock = nil
	}
	return errors.Join(errs...)
}
