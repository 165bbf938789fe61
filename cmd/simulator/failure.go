package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// proxyError is an error on the path through the PgJay that --proxy names.
type proxyError struct {
	proxy *url.URL
	err   error
}

func (e *proxyError) Error() string { return e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }

// failed prints why a command failed, and what to do about it. u is the database
// that it used, or nil.
func failed(stderr io.Writer, command string, err error, u *url.URL) int {
	all := reasons(err)
	if len(all) == 0 || errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "simulator %s: stopped\n", command)
	}
	for _, err := range all {
		fmt.Fprintf(stderr, "simulator %s: %v\n", command, err)
	}
	if hint := advise(command, errors.Join(all...), u); hint != "" {
		fmt.Fprintln(stderr, hint)
	}
	return exitFailed
}

// reasons are what is left of an error without what says that it was stopped: such as
// what then went wrong with cleaning up.
func reasons(err error) []error {
	if !errors.Is(err, context.Canceled) {
		return []error{err}
	}
	switch wrapped := err.(type) {
	case *pgconn.ConnectError: // of several ways to connect, tried in turn until it was stopped
		return nil
	case interface{ Unwrap() error }:
		return reasons(wrapped.Unwrap())
	case interface{ Unwrap() []error }:
		var all []error
		for _, err := range wrapped.Unwrap() {
			all = append(all, reasons(err)...)
		}
		return all
	}
	return nil
}

// advise is what to do about an error, or "".
func advise(command string, err error, u *url.URL) string {
	if u == nil {
		return ""
	}
	flag, server := "--dsn", "PostgreSQL"
	var through *proxyError
	if errors.As(err, &through) {
		u, flag, server = through.proxy, "--proxy", "PgJay"
	}
	place, database := servers.Redacted(u), strings.TrimPrefix(u.Path, "/")
	switch {
	case errors.Is(err, seed.ErrNotSeeded):
		return "Fill it first: simulator seed --dsn " + place
	case errors.Is(err, seed.ErrUnfinished), code(err) == "42P01":
		return "Fill it again: simulator seed --replace --dsn " + place
	case code(err) == "3D000":
		return fmt.Sprintf("Create the database %s first (createdb %[1]s), or correct the end of %s", database, place)
	case code(err) == "28P01", code(err) == "28000":
		return "The server does not let this user in: correct user and password of " + place
	case code(err) == "42501" && command == "compare":
		return "This user may not make the copies of the database: give one that may create databases, and owns or may read " + place
	case code(err) == "55006":
		return "No copy is made of a database to which others are connected, such as a PgJay with its idle connections: end these, or ask a copy of your own"
	case code(err) == "53300":
		return "The server has no connection left: " + fewer(command) + ", or a greater max_connections there"
	case unreached(err) != "":
		return fmt.Sprintf("Nobody listens at %s: start %s there, or correct %s", unreached(err), server, flag)
	case lost(err):
		return fmt.Sprintf("The server at %s went away while it was asked: see its log, and begin again when it is back", u.Host)
	}
	return ""
}

// fewer says how a command takes fewer connections.
func fewer(command string) string {
	if command == "seed" {
		return "fewer --workers"
	}
	return "fewer --clients, or fewer --connections with --connect pool"
}

// unreached is the address at which nobody listened, or "".
func unreached(err error) string {
	var e *pgconn.ConnectError
	if !errors.As(err, &e) || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return ""
	}
	return net.JoinHostPort(e.Config.Host, strconv.Itoa(int(e.Config.Port)))
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
