package proxy

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/wire"
)

// Errors that the proxy itself sends. Each text begins with who speaks where
// PostgreSQL would not say the same.
var (
	errViolation = wire.Error{
		Severity: "FATAL", Code: "08P01",
		Message: "pgjay: the backend broke the protocol; its connection was closed",
	}
	errStatementMode = &wire.Error{
		Severity: "FATAL", Code: "0A000",
		Message: "pgjay: transactions of several statements are not allowed in pool mode \"statement\"",
		Hint:    "Set pool.mode to transaction for this database or user.",
	}
	errKilled = &wire.Error{
		Severity: "FATAL", Code: "57P01",
		Message: "terminating connection due to administrator command",
		Detail:  "It was ended from pgjay's console.",
	}
	errShutdown = &wire.Error{
		Severity: "FATAL", Code: "57P01",
		Message: "terminating connection due to administrator command",
		Detail:  "pgjay is shutting down.",
	}
	errTooManyClients = &wire.Error{
		Severity: "FATAL", Code: "53300",
		Message: "pgjay: sorry, too many clients already",
		Hint:    "limits.max_clients bounds the number of clients.",
	}
	errTooManyLogins = &wire.Error{
		Severity: "FATAL", Code: "53300",
		Message: "pgjay: too many connections from this address that have not logged in",
		Hint:    "limits.max_clients_per_address bounds them.",
	}
	errCanceled = &wire.Error{
		Severity: "ERROR", Code: "57014",
		Message: "canceling statement due to user request",
	}
)

// badFrontendFrame is the error for a byte that begins no frontend message, or
// a length that none has.
func badFrontendFrame(typ byte, length bool) *wire.Error {
	e := &wire.Error{Severity: "FATAL", Code: "08P01"}
	if length {
		e.Message = fmt.Sprintf("invalid message length for message type %d", typ)
	} else {
		e.Message = fmt.Sprintf("invalid frontend message type %d", typ)
	}
	return e
}

// leaseError turns a pool's error into what the client is told.
func leaseError(err error, severity string) *wire.Error {
	var own *wire.Error
	if errors.As(err, &own) {
		e := *own
		e.Severity = severity
		return &e
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		e := &wire.Error{
			Severity: severity, Code: server.Code, Message: server.Message,
			Detail: server.Detail, Hint: server.Hint,
		}
		if e.Code == "28P01" && e.Detail == "" {
			e.Detail = "PostgreSQL did not accept the password that pgjay has for it: backend_password of the user, or backend.password."
		}
		return e
	}
	return &wire.Error{
		Severity: severity, Code: "08006",
		Message: "pgjay: no connection to PostgreSQL", Detail: err.Error(),
	}
}

// backendLost is what the client is told when its backend has gone away.
func backendLost(cause *wire.Error) *wire.Error {
	if cause == nil {
		return &wire.Error{
			Severity: "ERROR", Code: "08006",
			Message: "pgjay: the connection to PostgreSQL was lost",
			Detail:  "The server process ended or the network failed while the statement was under way.",
		}
	}
	e := *cause
	e.Severity = "ERROR"
	return &e
}
