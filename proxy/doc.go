// Package proxy is the client side of PgJay: listeners, start-up,
// authentication, the session of each client and the route of each statement.
//
// # Words
//
// A client is an application's connection. A backend is one connection to
// PostgreSQL. A frontend message is sent by the client, a backend message by
// PostgreSQL. A session is one client from accept to close. An exchange is the
// frontend messages up to a Query or Sync and all replies up to the matching
// ReadyForQuery. A statement is analysed SQL text. Prepared statement, portal
// and transaction status (I, T, E) are as in the protocol documentation. A
// lease is a backend held by a session. A label is the session state (role,
// settings, search_path) that a backend currently has. A pin is a reason why a
// session must keep its backend beyond the transaction. A route is what is done
// with a statement and the sentence that says why.
//
// # Goroutines and ownership
//
// A session belongs to the event loop that its client's socket is attached to.
// All its methods run there; it has no lock and no goroutine. It touches no
// socket and no clock: the client is a clientConn, the backend a pool.Backend,
// time is what the loop says. Production gives it sockets, the simulator in
// sim_test.go gives it scripts. Work that can block runs in an ordinary
// goroutine and comes back through reactor.Loop.Post.
//
// # The life of a query
//
// startup.go, login.go and auth.go once; then frontend.go cuts the client's
// bytes into frames, simple.go or extended.go says what each one means for the
// session, lease.go gets a backend and gives it the session's label,
// exchange.go keeps the queue of expected replies, backend.go relays them, and
// at ReadyForQuery transaction.go decides whether the backend goes back.
// listen.go and notify.go are for sessions that listen.
// console.go is for clients of the console, which need no backend.
// leave.go cleans a backend up after a client that went away.
package proxy
