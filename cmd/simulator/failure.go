package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// failed prints why a command failed, and what to do about it. u is the database
// that it used, or nil.
func failed(stderr io.Writer, command string, err error, u *url.URL) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "simulator %s: stopped\n", command)
		return exitFailed
	}
	fmt.Fprintf(stderr, "simulator %s: %v\n", command, err)
	if hint := advise(err, u); hint != "" {
		fmt.Fprintln(stderr, hint)
	}
	return exitFailed
}

// advise is what to do about an error, or "".
func advise(err error, u *url.URL) string {
	if u == nil {
		return ""
	}
	place, database := u.Redacted(), strings.TrimPrefix(u.Path, "/")
	switch {
	case errors.Is(err, seed.ErrNotSeeded):
		return "Fill it first: simulator seed --dsn " + place
	case errors.Is(err, seed.ErrUnfinished), code(err) == "42P01":
		return "Fill it again: simulator seed --replace --dsn " + place
	case errors.Is(err, seed.ErrSeeded):
		return ""
	case code(err) == "3D000":
		return fmt.Sprintf("Create the database %s first (createdb %[1]s), or correct the end of %s", database, place)
	case code(err) == "28P01", code(err) == "28000":
		return "The server does not let this user in: correct user and password of " + place
	case code(err) == "53300":
		return "The server has no connection left: fewer --clients, or a greater max_connections there"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("Nobody listens at %s: start PostgreSQL there, or correct --dsn", u.Host)
	case lost(err):
		return fmt.Sprintf("The server at %s went away while it was asked: see its log, and begin again when it is back", u.Host)
	}
	return ""
}

// code is the SQLSTATE of an error, or "".
func code(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// lost says whether a connection that was there has ended.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || strings.HasPrefix(code(err), "57P")
}
