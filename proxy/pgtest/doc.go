// Package pgtest is for tests only. It has what they need to hold PgJay against
// PostgreSQL:
//
//   - real servers: Server, which the tests of a package share, and NewServer,
//     which a test may restart or kill (server.go);
//   - Main, every package's TestMain that uses them: it fails the package if
//     goroutines, processes or files are left (leak.go);
//   - wire tables: scripts of what is sent and what must come back, which are
//     run on PostgreSQL first and then through the proxy (table.go, script_*.go),
//     and the raw client they use (conn.go, frame.go, message.go).
package pgtest
