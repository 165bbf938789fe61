package proxy

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
)

// knowledge is what a backend says of its database, as far as it matters to what
// sessions leave.
type knowledge struct {
	hidden     []string // the names that askHidden has found
	setters    bool     // askSetters has found some
	leavers    bool     // askLeavers has found some
	namers     bool     // askNamers has found some
	suspects   bool     // askSuspects has found some
	doors      doorNames
	unreadable bool
}

// askDatabase is the part of the question that is about the database. It is not compiled:
// that takes longer, the more so if the client has forbidden some kinds of plans.
var askDatabase = "SET LOCAL jit TO off; SELECT NULL, NULL, NULL WHERE false" + askHidden + askSetters + askLeavers + askNamers

// take takes a row of the answer.
func (k *knowledge) take(kind string, name, value []byte) {
	switch kind {
	case "hidden":
		k.hidden = append(k.hidden, string(name))
	case "setters":
		k.setters = true
	case "leavers":
		k.leavers = true
	case "namers":
		k.namers = true
	case "suspects":
		k.suspects = true
	case "door":
		k.unreadable = !k.doors.add(name, value) || k.unreadable
	}
}

// learn takes what the answer to askDatabase says of the database of a pool.
func (h *hidden) learn(k pool.Key, answer *knowledge, now int64) {
	h.put(k, hiddenNames{answer.hidden, answer.setters, answer.leavers, answer.namers, now})
}

// mayHaveDoors reports whether by the answer to askDatabase and askSuspects the database
// is to be asked for its doors, too.
func (k *knowledge) mayHaveDoors() bool { return k.suspects || k.setters || k.leavers }

// ask has a connection that has just logged in say what is not known of its database,
// so that the first clients need not wait for that. If it does not, they will.
func (h *hidden) ask(ctx context.Context, k pool.Key, conn *pgconn.PgConn) {
	d := h.doorsOf(k)
	if !d.seek(reactor.Monotonic()) {
		return
	}
	generation := d.generation.Load()
	var answer knowledge
	if !answer.read(ctx, conn, askDatabase+askSuspects) {
		return
	}
	h.learn(k, &answer, reactor.Monotonic())
	if !answer.mayHaveDoors() || answer.read(ctx, conn, askDoors) {
		d.put(&answer.doors, generation, reactor.Monotonic())
	}
}

// read reports whether the answer could be read.
func (k *knowledge) read(ctx context.Context, conn *pgconn.PgConn, sql string) bool {
	results, err := conn.Exec(ctx, unhurt+sql).ReadAll()
	for _, result := range results {
		for _, row := range result.Rows {
			k.take(string(row[0]), row[1], row[2])
		}
	}
	return err == nil && !k.unreadable
}
