package load

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options says how to ask.
type Options struct {
	URL         string
	Clients     int           // that ask at the same time
	Connect     Connect       // what connections they have
	Batch       int           // queries of one connection, with PerBatch
	Connections int           // of all clients together, with Pooled
	Pool        *pgxpool.Pool // that stays, with Pooled; nil: one for this run alone
	Protocol    Protocol
	Rate        float64 // queries a second begun, whether earlier ones have ended or not; 0: each client asks when it has its answer
	Every       int     // Progress is called after so many queries; 0: never
	Progress    func(done int)
}

// Connect is how the application holds its connections.
type Connect string

// The ways.
const (
	PerQuery Connect = "query" // one for each query
	PerBatch Connect = "batch" // one for each batch of queries
	Pooled   Connect = "pool"  // a pool of connections that stay
)

// Describe says it in words.
func (c Connect) Describe() string {
	switch c {
	case PerQuery:
		return "a connection for each query"
	case PerBatch:
		return "a connection for each batch"
	}
	return "a pool of connections"
}

// ParseConnect reads one.
func ParseConnect(text string) (Connect, error) {
	switch c := Connect(text); c {
	case PerQuery, PerBatch, Pooled:
		return c, nil
	}
	return "", fmt.Errorf("there is no way to connect %q; there are query, batch and pool", text)
}

// Protocol is which of PostgreSQL's protocols the driver speaks.
type Protocol string

// The protocols.
const (
	Simple   Protocol = "simple"
	Extended Protocol = "extended" // unnamed statements
	Prepared Protocol = "prepared" // named statements
)

// ParseProtocol reads one.
func ParseProtocol(text string) (Protocol, error) {
	switch p := Protocol(text); p {
	case Simple, Extended, Prepared:
		return p, nil
	}
	return "", fmt.Errorf("there is no protocol %q; there are simple, extended and prepared", text)
}

// mode is pgx's word for it.
func (p Protocol) mode() pgx.QueryExecMode {
	switch p {
	case Simple:
		return pgx.QueryExecModeSimpleProtocol
	case Prepared:
		return pgx.QueryExecModeCacheStatement
	}
	return pgx.QueryExecModeExec
}
