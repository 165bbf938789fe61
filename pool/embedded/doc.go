// Package embedded runs throw-away PostgreSQL servers, for pgjay demo and for
// the tests. A server has a directory and a port of its own, forgets everything
// at Close, and ends with the process that started it (on Linux also when that
// is killed). It trades durability for speed: keep nothing in it.
//
// The programs are those of an installed PostgreSQL (see [Find]), or are fetched
// where there is none. As root, which PostgreSQL refuses, a server runs as the
// system's user postgres or nobody.
//
// What is kept from one server to the next is in the user's cache directory
// (/var/cache for root), folder pgjay: a fresh data directory to copy, which is
// four times faster than initdb, and fetched programs. It may be removed at any
// time.
package embedded
