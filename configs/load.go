package configs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Flag is one value given on the command line. It overrides the file.
type Flag struct {
	Text  string // the place to name in errors: the flag as it was written
	Path  string // the key, dotted: pool.size, auth.users.0.password
	Value string // a scalar as it is, or a YAML flow value: [a, b]
}

// Set makes the Flag of `--set path=value`. Without "=" its Value is missing
// and Path is all of it; LoadFlags reports that.
func Set(assignment string) Flag {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok {
		path = assignment
	}
	return Flag{Text: "--set " + assignment, Path: strings.TrimSpace(path), Value: value}
}

// Load reads the file at path, or no file if path is empty, applies sets
// (each "path=value") to it, and validates the result. Its error is an
// *Errors with everything that is wrong.
func Load(path string, sets []string) (*Config, error) {
	flags := make([]Flag, len(sets))
	for i, s := range sets {
		flags[i] = Set(s)
	}
	return LoadFlags(path, flags)
}

// LoadFlags is Load for values that come from several kinds of flags.
func LoadFlags(path string, flags []Flag) (*Config, error) {
	d := newDecoder(os.LookupEnv)
	if path != "" {
		text, bad := read(path)
		if bad != nil {
			d.errs.add(bad)
			return nil, d.errs
		}
		d.file(newFile(path, text))
	}
	for _, f := range flags {
		d.flag(f)
	}
	validate(d)
	if len(d.errs.List) > 0 {
		d.errs.sort()
		return nil, d.errs
	}
	return d.cfg, nil
}

// maxFile bounds a configuration file: what is larger is something else.
const maxFile = 1 << 20

// read reads a file that can be a configuration: text, and not too much of it.
func read(path string) ([]byte, *Error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(text) > maxFile || !isText(text) {
		return nil, &Error{
			File:    path,
			Message: "not a text file of at most 1 MiB",
			Fix:     "give the path of a configuration file, which is YAML in UTF-8",
		}
	}
	return text, nil
}

// isText reports whether all of b can be shown: an error quotes its line.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
	})
}

func unreadable(path string, err error) *Error {
	e := &Error{File: path, Message: "cannot read the file: " + cause(err)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Fix = "give the path of a configuration file; `pgjay check --print-default` prints one to start from"
	case errors.Is(err, syscall.EISDIR):
		e.Fix = "give the path of a file in it"
	default:
		e.Fix = "make it readable for the user pgjay runs as"
	}
	return e
}

// cause is err without the operation and path that an *fs.PathError repeats.
func cause(err error) string {
	if pe := new(fs.PathError); errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
