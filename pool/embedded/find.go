package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotFound says that this machine has no PostgreSQL, and what to do.
var ErrNotFound = errors.New("found no PostgreSQL server programs: install package postgresql, " +
	"or set PGBIN to the directory that has initdb and postgres")

// Find returns the directory of PostgreSQL's programs. It looks into $PGBIN,
// along PATH, asks pg_config, and looks where Linux distributions and Homebrew
// put the server; of several versions there it takes the newest.
func Find() (bindir string, err error) {
	if dir := os.Getenv("PGBIN"); dir != "" {
		if !hasPrograms(dir) {
			return "", fmt.Errorf("PGBIN is %s, which does not have initdb and postgres", dir)
		}
		return dir, nil
	}
	for _, look := range []func() []string{alongPath, askConfig, usualPlaces} {
		for _, dir := range look() {
			if hasPrograms(dir) {
				return dir, nil
			}
		}
	}
	return "", ErrNotFound
}

// hasPrograms reports whether a server can be made and run from dir.
func hasPrograms(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// alongPath resolves links: initdb is beside the real postgres.
func alongPath() []string {
	file, err := exec.LookPath("postgres")
	if err != nil {
		return nil
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return nil
	}
	return []string{filepath.Dir(file)}
}

func askConfig() []string {
	out, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		return nil
	}
	return []string{strings.TrimSpace(string(out))}
}

func usualPlaces() []string {
	var dirs []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                      // Debian
		"/usr/pgsql-*/bin",                               // Red Hat, from postgresql.org
		"/usr/libexec/postgresql*",                       // Alpine
		"/opt/homebrew/opt/postgresql*/bin",              // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",                 // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin", // Homebrew on Linux
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, found...)
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
	return dirs
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

// versionIn is the last number in a path; 0 if there is none.
func versionIn(dir string) float64 {
	all := number.FindAllString(dir, -1)
	if len(all) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(all[len(all)-1], 64) // it is a number
	return v
}
