package proxy

// expectKind says which backend messages end an expected reply.
type expectKind uint8

const (
	// expectReply ends with ParseComplete, BindComplete, CloseComplete,
	// RowDescription, NoData, CommandComplete, EmptyQueryResponse or
	// PortalSuspended: what each message of the extended protocol but Flush
	// and Sync is answered with.
	expectReply expectKind = iota
	// expectUnnamed is the expectReply of a Parse of the unnamed statement.
	expectUnnamed
	// expectSync is the ReadyForQuery owed to a Sync.
	expectSync
	// expectQuery is everything up to the ReadyForQuery that answers a Query
	// or FunctionCall.
	expectQuery
	// expectCopyEnd is no reply: it marks the place of a CopyDone or CopyFail
	// among the messages sent.
	expectCopyEnd
	// expectFence is the reply to an empty Query that we sent to find out
	// which ReadyForQuery is the last one: EmptyQueryResponse, then
	// ReadyForQuery. A ReadyForQuery before it belongs to the client.
	expectFence
)

// action says what to do with an expected reply.
type action uint8

const (
	forward action = iota // the client asked for it
	swallow               // we asked for it
)

// expect is a run of n equal replies that the backend owes.
type expect struct {
	kind expectKind
	act  action
	n    uint32
}

// expectations is the queue of replies that a backend owes, oldest first.
// Equal neighbours are one entry, so a pipeline of any depth without a Sync in
// it takes constant space. The zero value is an empty queue.
type expectations struct {
	entries []expect
	first   int // entries before it are done
}

func (q *expectations) empty() bool { return q.first == len(q.entries) }

// head returns the oldest entry; the queue must not be empty.
func (q *expectations) head() *expect { return &q.entries[q.first] }

// push appends one reply.
func (q *expectations) push(kind expectKind, act action) {
	if last := len(q.entries) - 1; last >= q.first {
		if e := &q.entries[last]; e.kind == kind && e.act == act {
			e.n++
			return
		}
	}
	if q.first > 32 && q.first*2 > len(q.entries) {
		q.entries = q.entries[:copy(q.entries, q.entries[q.first:])]
		q.first = 0
	}
	q.entries = append(q.entries, expect{kind: kind, act: act, n: 1})
}

// pop takes one reply off the head.
func (q *expectations) pop() {
	e := q.head()
	if e.n--; e.n == 0 {
		q.first++
	}
	if q.empty() {
		q.reset()
	}
}

// reset forgets everything. A large array is given back.
func (q *expectations) reset() {
	q.first = 0
	q.entries = q.entries[:0]
	if cap(q.entries) > 64 {
		q.entries = nil
	}
}

// skipToSync drops what the backend will not answer because it skips messages
// after an error: everything before the next Sync. It reports whether that
// Sync was sent already, and whether a Parse of the unnamed statement was
// among what was dropped.
func (q *expectations) skipToSync() (synced, unnamed bool) {
	for !q.empty() {
		e := q.head()
		if e.kind == expectSync {
			return true, unnamed
		}
		unnamed = unnamed || e.kind == expectUnnamed
		q.first++
	}
	q.reset()
	return false, unnamed
}

// beginCopyIn is called when the backend reads copy data on behalf of the
// head. The Syncs that it finds right there are ignored by it and will not be
// answered: they are removed. It returns how many. Any other message makes the
// copy fail, and a Sync after that is answered again.
func (q *expectations) beginCopyIn() (ignored uint32) {
	next := q.first + 1
	if q.head().n > 1 || next == len(q.entries) || q.entries[next].kind != expectSync {
		return 0
	}
	ignored = q.entries[next].n
	q.entries = append(q.entries[:next], q.entries[next+1:]...)
	return ignored
}

// onlyHead reports whether nothing was sent after the message that is being
// answered.
func (q *expectations) onlyHead() bool {
	return q.first+1 == len(q.entries) && q.head().n == 1
}

// endCopyIn removes the mark of the copy's end that follows the head.
func (q *expectations) endCopyIn() {
	for i := q.first + 1; i < len(q.entries); i++ {
		if e := &q.entries[i]; e.kind == expectCopyEnd {
			if e.n--; e.n == 0 {
				q.entries = append(q.entries[:i], q.entries[i+1:]...)
			}
			return
		}
	}
}

// skipMarks drops marks of copy ends at the head: their copy never was.
func (q *expectations) skipMarks() {
	for !q.empty() && q.head().kind == expectCopyEnd {
		q.first++
	}
	if q.empty() {
		q.reset()
	}
}

// swallowAll makes nothing of what is owed reach the client.
func (q *expectations) swallowAll() {
	for i := q.first; i < len(q.entries); i++ {
		q.entries[i].act = swallow
	}
}

// owesClient reports whether a reply is owed that the client asked for.
func (q *expectations) owesClient() bool {
	for _, e := range q.entries[q.first:] {
		if e.act == forward {
			return true
		}
	}
	return false
}

// owesUnnamed reports whether the reply to a Parse or Close of the unnamed
// statement is owed.
func (q *expectations) owesUnnamed() bool {
	for _, e := range q.entries[q.first:] {
		if e.kind == expectUnnamed {
			return true
		}
	}
	return false
}

// replacesUnnamed reports whether what is owed includes the reply to something
// that replaces the unnamed statement.
func (q *expectations) replacesUnnamed() bool {
	for _, e := range q.entries[q.first:] {
		if e.kind == expectUnnamed || e.kind == expectQuery {
			return true
		}
	}
	return false
}

// copyEndQueued reports whether the end of the head's copy data was sent.
func (q *expectations) copyEndQueued() bool {
	for i := q.first + 1; i < len(q.entries); i++ {
		if q.entries[i].kind == expectCopyEnd {
			return true
		}
	}
	return false
}
