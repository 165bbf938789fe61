package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// programs is the directory of PostgreSQL's programs, which are fetched if
// this machine has none.
func programs(ctx context.Context, cache string, log io.Writer) (string, error) {
	bin, err := Find()
	if !errors.Is(err, ErrNotFound) {
		return bin, err
	}
	if cache == "" {
		return "", err
	}
	dir := filepath.Join(cache, "postgresql-"+string(embeddedpostgres.V18))
	if bin := filepath.Join(dir, "bin"); hasPrograms(bin) {
		return bin, nil
	}
	fmt.Fprintf(log, "no PostgreSQL here: fetching version %s into %s\n", embeddedpostgres.V18, dir)
	if fetchErr := fetchOrCancel(ctx, cache, dir); fetchErr != nil {
		return "", fmt.Errorf("%w (fetching it failed: %w)", err, fetchErr)
	}
	return filepath.Join(dir, "bin"), nil
}

// fetchOrCancel lets a fetch that is not wanted any more run to its end by
// itself: the library cannot be interrupted.
func fetchOrCancel(ctx context.Context, cache, dir string) error {
	done := make(chan error, 1)
	go func() { done <- fetch(embeddedpostgres.DefaultConfig(), cache, dir) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fetch unpacks the programs into dir, which appears only when it is complete.
// The library has no function for that: it starts a server, with the programs
// fetched first, and we look only at those.
func fetch(c embeddedpostgres.Config, cache, dir string) error {
	temp, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	port, err := freePort()
	if err != nil {
		return err
	}
	unpacked := filepath.Join(temp, "programs")
	server := embeddedpostgres.NewDatabase(c.
		Version(embeddedpostgres.V18).
		Port(uint32(port)).
		Logger(io.Discard).
		CachePath(temp).
		RuntimePath(filepath.Join(temp, "run")).
		BinariesPath(unpacked))
	startErr := server.Start() // as root it fails, at initdb
	if startErr == nil {
		startErr = server.Stop()
	}
	if !hasPrograms(filepath.Join(unpacked, "bin")) {
		return cmp.Or(startErr, errors.New("the package has no initdb and postgres"))
	}
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return err
	}
	return publish(unpacked, dir)
}

// publish renames a directory that is now complete. Another process may have
// been faster with the same.
func publish(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}
