package configs

import (
	"errors"
	"io/fs"
	"os"
)

func (c check) spool() {
	const path = "pool.spool.directory"
	s := c.cfg.Pool.Spool
	c.atLeast("pool.spool.memory_mb", s.MemoryMB, 0)
	c.atLeast("pool.spool.size_mb", s.SizeMB, 0)
	if s.MemoryMB <= 0 || s.SizeMB <= 0 || c.errs.under(path) {
		return
	}
	f, err := os.CreateTemp(s.Directory, "pgjay-spool-")
	if err == nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return
	}
	name, fix := s.Directory, "give a directory that exists, or size_mb: 0 to use memory only"
	if name == "" {
		name = os.TempDir()
	}
	if errors.Is(err, fs.ErrPermission) {
		fix = "make it writable for the user pgjay runs as, or give another one"
	}
	c.wrong(path, "cannot make a file in "+c.quote(path, name)+": "+cause(err), fix, "pool.spool.memory_mb")
}
