package embedded

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const lockName = "lock"

// lockDir marks dir as being in use for as long as the returned file is open:
// at the latest until this process ends. The file gets its name when it is
// locked, so that nobody ever sees it unlocked while we live.
func lockDir(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "locking-")
	if err != nil {
		return nil, err
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, lockName))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// sweep removes the directories of processes that were killed before they
// could do it themselves. Their servers have ended with them. What cannot be
// removed is left for another time.
func sweep(parent string, a account) {
	locks, _ := filepath.Glob(filepath.Join(parent, tempPattern, lockName)) // the pattern is well-formed
	for _, lock := range locks {
		dir := filepath.Dir(lock)
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && a.owns(info) {
			removeAbandoned(dir, lock)
		}
	}
}

func removeAbandoned(dir, lock string) {
	f, err := os.OpenFile(lock, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.RemoveAll(dir)
	}
}
