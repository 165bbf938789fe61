package proxy

// expectKind says which backend messages end an expected reply.
type expectKind uint8

const (
	// expectReply ends with ParseComplete, BindComplete, CloseComplete,
	// RowDescription, NoData, CommandComplete, EmptyQueryResponse or
	// PortalSuspended: what each message of the extended protocol but Flush
	// and Sync is answered with.
	expectReply expectKind = iota
	// expectChange is the expectReply of a Parse or Close that the backend gets
	// as the client means it.
	expectChange
	// expectLoad is the expectReply of our Parse of a shared statement.
	expectLoad
	// expectChangeLoad is the expectReply of a client's Parse that is the Parse
	// of a shared statement.
	expectChangeLoad
	// expectParsed and expectClosed are replies to the client that are made
	// here: ParseComplete and CloseComplete.
	expectParsed
	expectClosed
	// expectRowType is the expectReply of our Describe of what was just prepared.
	expectRowType
	// expectRefusal is the reply that stands for that to a message which names a
	// statement that PostgreSQL would refuse.
	expectRefusal
	// expectOurs is an expectReply of which an error does not matter.
	expectOurs
	// expectNamed is the expectOurs of a Describe.
	expectNamed
	// expectMeaning is the expectOurs of the Execute that asks for settings.
	expectMeaning
	// expectSpare is the expectReply of our Close of the oldest spare.
	expectSpare
	// expectSync is the ReadyForQuery owed to a Sync.
	expectSync
	// expectQuery is everything up to the ReadyForQuery that answers a Query.
	expectQuery
	// expectTuning is the same for the Query of ours that tunes the backend.
	expectTuning
	// expectCall is the same for a FunctionCall, expectBadSync for a Sync that has a
	// body: an error, then ReadyForQuery.
	expectCall
	expectBadSync
	// expectForget is the same for our DISCARD SEQUENCES, which must not fail.
	expectForget
	// expectCopyEnd is no reply: it marks the place of a CopyDone or CopyFail
	// among the messages sent.
	expectCopyEnd
	// expectFence is the reply to a Close and Sync that we sent to find out
	// which ReadyForQuery is the last one: CloseComplete, then ReadyForQuery.
	// A ReadyForQuery before it belongs to the client.
	expectFence
)

// ready reports whether the reply ends with ReadyForQuery, a fence's aside.
func (k expectKind) ready() bool {
	return k == expectSync || k == expectQuery || k == expectTuning || k == expectCall || k == expectBadSync || k == expectForget
}

// made reports whether the reply is not the backend's.
func (k expectKind) made() bool { return k == expectParsed || k == expectClosed }

// changes reports whether the reply is to a change of the client's statements.
func (k expectKind) changes() bool { return k == expectChange || k == expectChangeLoad || k.made() }

// loads reports whether the reply is to the Parse of a shared statement.
func (k expectKind) loads() bool { return k == expectLoad || k == expectChangeLoad }

// describes reports whether the reply is to a Describe of ours.
func (k expectKind) describes() bool { return k == expectRowType || k == expectNamed }

// ours reports whether an error in the place of the reply does not matter.
func (k expectKind) ours() bool { return k == expectOurs || k == expectNamed || k == expectMeaning }

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
	flushed int // entries before it were followed by something that flushes replies
}

func (q *expectations) empty() bool { return q.first == len(q.entries) }

// head returns the oldest entry; the queue must not be empty.
func (q *expectations) head() *expect { return &q.entries[q.first] }

// push appends one reply.
func (q *expectations) push(kind expectKind, act action) {
	if last := len(q.entries) - 1; last >= max(q.first, q.flushed) {
		if e := &q.entries[last]; e.kind == kind && e.act == act {
			e.n++
			return
		}
	}
	if q.first > 32 && q.first*2 > len(q.entries) {
		q.entries = q.entries[:copy(q.entries, q.entries[q.first:])]
		q.flushed = max(0, q.flushed-q.first)
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
	q.first, q.flushed = 0, 0
	q.entries = q.entries[:0]
	if cap(q.entries) > 64 {
		q.entries = nil
	}
}

// skipped counts what the backend will not do.
type skipped struct {
	changes int // of the client's statements
	loads   int // of shared statements
	rows    int // descriptions for us
	asked   int // for settings
	refused int // what stands for the client's messages
	spares  int // Closes of spares
}

// skipToSync drops what the backend will not answer because it skips messages
// after an error: everything before the next Sync. It reports whether that
// Sync was sent already, and what was among what was dropped.
func (q *expectations) skipToSync() (synced bool, dropped skipped) {
	for !q.empty() {
		e := q.head()
		if e.kind == expectSync || e.kind == expectBadSync {
			return true, dropped
		}
		if e.kind.changes() {
			dropped.changes += int(e.n)
		}
		if e.kind.loads() {
			dropped.loads += int(e.n)
		}
		if e.kind.describes() {
			dropped.rows += int(e.n)
		}
		if e.kind == expectMeaning {
			dropped.asked += int(e.n)
		}
		if e.kind == expectSpare {
			dropped.spares += int(e.n)
		}
		if e.kind == expectRefusal {
			dropped.refused += int(e.n)
		}
		q.first++
	}
	q.reset()
	return false, dropped
}

// beginCopyIn is called when the backend reads copy data on behalf of the
// head. The Syncs that it finds right there are ignored by it and will not be
// answered: they are removed. It returns how many. Any other message makes the
// copy fail, and a Sync after that is answered again.
func (q *expectations) beginCopyIn() (ignored uint32) {
	if q.head().n > 1 {
		return 0
	}
	for next := q.first + 1; next < len(q.entries) && q.entries[next].kind == expectSync; {
		ignored += q.entries[next].n
		q.remove(next)
	}
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
				q.remove(i)
			}
			return
		}
	}
}

func (q *expectations) remove(i int) {
	q.entries = append(q.entries[:i], q.entries[i+1:]...)
	if q.flushed > i {
		q.flushed--
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

// flush notes that PostgreSQL was asked to send what it owes: by a Flush, a
// Sync, a Query or a FunctionCall.
func (q *expectations) flush() { q.flushed = len(q.entries) }

// onlySync reports whether nothing is owed but the reply to one Sync.
func (q *expectations) onlySync() bool {
	return q.first+1 == len(q.entries) && q.head().kind == expectSync && q.head().n == 1
}

// headFlushed reports whether PostgreSQL was asked to send the reply at the head.
func (q *expectations) headFlushed() bool { return q.first < q.flushed }

// unflushed reports whether PostgreSQL may keep a reply to itself.
func (q *expectations) unflushed() bool { return max(q.first, q.flushed) < len(q.entries) }

// swallowUnflushed makes nothing reach the client of what PostgreSQL was not
// asked to send yet.
func (q *expectations) swallowUnflushed() {
	for i := max(q.first, q.flushed); i < len(q.entries); i++ {
		q.entries[i].act = swallow
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

// owesReady reports whether a ReadyForQuery is owed to the client.
func (q *expectations) owesReady() bool {
	for _, e := range q.entries[q.first:] {
		if e.act == forward && e.kind.ready() {
			return true
		}
	}
	return false
}

// owesQuery reports whether the reply to a Query of the client's is owed.
func (q *expectations) owesQuery() bool {
	for _, e := range q.entries[q.first:] {
		if e.act == forward && e.kind == expectQuery {
			return true
		}
	}
	return false
}

// oneExchange reports whether nothing is owed beyond one ReadyForQuery.
func (q *expectations) oneExchange() bool {
	for i, e := range q.entries[q.first:] {
		if e.kind.ready() {
			return e.n == 1 && q.first+i == len(q.entries)-1
		}
	}
	return true
}

// endsWithSync reports whether what is owed ends with the reply to the only Sync.
func (q *expectations) endsWithSync() bool {
	last := len(q.entries) - 1
	return last >= q.first && q.entries[last].kind == expectSync && q.entries[last].n == 1 && q.oneExchange()
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
