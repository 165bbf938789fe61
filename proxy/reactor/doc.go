// Package reactor runs event loops: sockets, timers and mailboxes.
//
// A Loop is one goroutine. Everything that is attached to it (Conns, Timers)
// is touched by that goroutine only, one event at a time; other goroutines
// reach it through Post. On Linux a loop is locked to its thread and has an
// epoll set; elsewhere each socket has a goroutine that feeds the loop. What a
// Handler sees is the same.
//
// An event costs one read, and one write for each Conn that was written to: the
// bytes are collected while the handler runs and written when it returns. A
// Conn has a buffer only while the kernel does not take what it has to say.
//
// The package knows nothing of PostgreSQL.
package reactor
