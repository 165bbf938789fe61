package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// output is where a command prints. It keeps the first error, and when nobody reads any
// more it ends the command, which has servers and databases to remove.
type output struct {
	to  io.Writer
	end func()

	mu  sync.Mutex
	err error // guarded by mu
}

// Write writes.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if err == nil {
		return n, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	if errors.Is(err, syscall.EPIPE) {
		o.end()
	}
	return n, err
}

// failed is the first error.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// writable fails if one of these files could not be written: better before all is
// measured than after. Those without a name are not asked for. It writes nothing.
func writable(names ...string) error {
	var errs []error
	for _, name := range names {
		if name == "" {
			continue
		}
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) { // it will be made
			if file, err = os.CreateTemp(filepath.Dir(name), ".simulator-"); err == nil {
				err = os.Remove(file.Name())
			}
		}
		if err == nil {
			err = file.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// toFile writes a file, unless its name is empty.
func toFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
