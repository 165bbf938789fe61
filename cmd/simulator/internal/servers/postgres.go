package servers

import (
	"context"

	"github.com/pgjay/pgjay/pool/embedded"
)

// User is the superuser of a throw-away PostgreSQL.
const User = "postgres"

// Postgres starts a throw-away PostgreSQL with room for the scenarios, which takes the
// care for what it commits that PostgreSQL takes by default: rows one by one and in
// batches differ in that.
func Postgres(ctx context.Context) (*embedded.Server, error) {
	return embedded.Start(ctx, embedded.Options{Settings: map[string]string{
		"max_connections":    "300",
		"shared_buffers":     "512MB",
		"max_wal_size":       "4GB",
		"autovacuum":         "off", // it would run beside one path and not the other
		"fsync":              "on",
		"synchronous_commit": "on",
		"full_page_writes":   "on",
	}})
}
