// Package claims measures what is claimed of PgJay, one claim a file, on a
// throw-away PostgreSQL.
package claims
