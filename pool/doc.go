// Package pool is the server side of PgJay: it logs in to PostgreSQL, keeps
// the backends of each database and user, leases them to sessions, and looks
// after their health.
//
// # Ownership
//
// A Backend is owned by its lessee while leased: only the lessee's loop touches
// its socket, Label, Params and UnnamedOwner. Otherwise the pool owns it, and
// its socket belongs to the loop that it was last on. The socket changes loops
// in two places only: Pool.Lease (an idle backend of another loop) and
// Waiter.Run (a hand-off), both on the loop that gets it. The old loop is kept
// off by Backend.Enter, which the reactor asks before each event.
//
// A Waiter is owned by the pool from the time Lease returns nil until its
// callback begins or Abandon returns true.
//
// A Listener is owned by one loop, and everything it knows with it: what others
// ask of it is posted there. A Subscription is owned by its session's loop; the
// two meet in its inbox.
//
// # Locks
//
// Pool.mu guards a pool: the states of its backends, the idle stacks, the wait
// queue, the counts. It is held for well under a microsecond; what takes
// longer, wakes another loop or needs another pool is noted in Pool.later and
// done by Pool.unlock. The order is Set.reload, Set.mu, Pool.mu, database.mu,
// each optional. No two Pool.mu are ever held together. Subscription.mu guards
// one inbox and is taken alone. Hooks and callbacks run without locks.
//
// # The way of a lease
//
// Lease takes an idle backend: equal label on the own loop, equal label
// elsewhere, any on the own loop, any elsewhere; the one used last first. When
// somebody waits already, or nothing is idle, the asker queues. Each waiter is
// covered by one login or one check of a stale backend, as far as the limits
// allow. Whatever comes free (released, logged in, checked) goes to the oldest
// waiter directly and never through the idle stacks: nobody overtakes.
//
// # The way of a notification
//
// All sessions of a database that listen share one backend. It runs LISTEN for
// the first session that subscribes to a channel and UNLISTEN after the last,
// in batches, one at a time; each batch ends with a ReadyForQuery, which is also
// a barrier: what was committed before has been sent (see batch). What comes is
// put into the inbox of each active member of the channel, and the courier of
// the subscription calls the session on its loop. When the backend is lost, all
// whose membership was active are told, as they may have missed something.
package pool
