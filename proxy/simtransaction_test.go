package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// simTransaction is the transaction of a server process: in a block or, while
// status is I, that of the Query or the messages up to a Sync.
type simTransaction struct {
	status     byte
	undo       []func() // what takes it back, in this order from the end
	savepoints []simSavepoint
}

type simSavepoint struct {
	name string
	at   int // in undo
}

// transaction does one of the commands that begin, end or divide a transaction.
func (v *simServer) transaction(word, rest string) bool {
	name, to := strings.CutPrefix(rest, "TO ")
	name = strings.TrimPrefix(name, "SAVEPOINT ")
	switch {
	case word == "BEGIN":
		v.status = 'T'
		return v.complete(word)
	case word == "COMMIT", word == "ROLLBACK" && !to:
		return v.endTx(word)
	case v.status == 'I':
		return v.fail("25P01", word+" can only be used in transaction blocks")
	case word == "SAVEPOINT":
		v.savepoints = append(v.savepoints, simSavepoint{name, len(v.undo)})
		return v.complete(word)
	}
	i := len(v.savepoints) - 1
	for i >= 0 && v.savepoints[i].name != name {
		i--
	}
	switch {
	case i < 0:
		return v.fail("3B001", "savepoint does not exist")
	case word == "RELEASE":
		v.savepoints = v.savepoints[:i]
		return v.complete(word)
	}
	v.status = 'T'
	v.takeBack(v.savepoints[i].at)
	v.savepoints = v.savepoints[:i+1]
	return v.complete(word)
}

// takeBack undoes all that was done since undo was that long.
func (v *simServer) takeBack(to int) {
	for _, f := range slices.Backward(v.undo[to:]) {
		f()
	}
	v.undo = v.undo[:to]
}

// endTx ends the transaction, in a block or not.
func (v *simServer) endTx(word string) bool {
	if word == "ROLLBACK" || v.status == 'E' {
		v.takeBack(0)
		word = "ROLLBACK"
	}
	v.status = 'I'
	v.endImplicit()
	return v.complete(word)
}

// endImplicit commits what is not in a block.
func (v *simServer) endImplicit() {
	if v.status != 'I' {
		return
	}
	clear(v.portals)
	v.commitNotes()
	v.commitRows()
	for _, name := range sortedKeys(v.local, nil) {
		v.change(v.local, name, "")
	}
	v.undo, v.savepoints = v.undo[:0], v.savepoints[:0]
}

// abort is for an error. A block keeps its savepoints.
func (v *simServer) abort() {
	switch {
	case v.status == 'T':
		v.status = 'E'
	case v.status == 'I':
		v.takeBack(0)
	}
}

// transaction is a transaction block with savepoints, in either protocol.
func (w *scriptWriter) transaction() {
	w.step("BEGIN")
	if w.goes {
		w.step("EXECUTE " + w.name())
	}
	for range w.rng.IntN(8) {
		w.step(w.inTransaction())
	}
	if w.rng.IntN(4) != 0 {
		w.step([]string{"COMMIT", "ROLLBACK"}[w.rng.IntN(2)])
	}
}

func (w *scriptWriter) inTransaction() string {
	switch w.rng.IntN(9) {
	case 0, 1:
		return "SAVEPOINT " + w.savepoint()
	case 2, 3:
		return "ROLLBACK TO " + []string{"", "SAVEPOINT "}[w.rng.IntN(2)] + w.savepoint()
	case 4:
		return "RELEASE " + w.savepoint()
	case 5:
		return fmt.Sprintf("SET %swork_mem = '%dMB'", []string{"", "LOCAL "}[w.rng.IntN(2)], w.rng.IntN(3)+5)
	case 6:
		if w.keeps {
			return w.keeping()
		}
	}
	return w.statement()
}

func (w *scriptWriter) savepoint() string { return []string{"a", "b"}[w.rng.IntN(2)] }

// step is a statement of a conversation: on its own, with another, or in a
// pipeline that may have more.
func (w *scriptWriter) step(sql string) {
	switch w.rng.IntN(8) {
	case 0:
		w.pair(sql, w.statement())
	case 1:
		w.pair(w.statement(), sql)
	case 2, 3:
		name := []string{"", "named"}[w.rng.IntN(2)]
		if name != "" {
			w.out = wire.AppendEmpty(wire.AppendCloseStatement(w.out, name), wire.Sync)
		}
		w.out = wire.AppendParse(w.out, name, sql)
		w.out = wire.AppendExecute(wire.AppendBindText(w.out, name))
		if w.rng.IntN(4) == 0 {
			w.out = wire.AppendExecute(wire.AppendBindText(w.out, ""))
		}
		w.out = wire.AppendEmpty(w.out, wire.Sync)
	default:
		w.query(sql)
	}
}
