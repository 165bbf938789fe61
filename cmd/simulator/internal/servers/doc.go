// Package servers starts what is measured: a throw-away PostgreSQL, and PgJay as
// the program that its users start, before this PostgreSQL or one that is there.
package servers
