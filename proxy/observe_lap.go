package proxy

// Several statements of one exchange are executed one after the other. When one is
// complete PostgreSQL says so; what several completions have in common that come in one
// event is divided among them.

// maxLaps bounds the executions that are told apart; what comes behind counts with the
// last.
const maxLaps = 64

// lap is how far an exchange has come.
type lap struct {
	order   [maxLaps / 4]uint8 // of the runs, as they were sent: two bits for each execution
	started int                // executions that were sent
	done    int                // that are complete
	counted int                // of these, whose time has been added up
	from    int64              // when the time began that has not been added up
	at      int64              // the event of the last completion
	told    uint64             // rows that have been added up
	whole   int                // executions that were sent up to the first Sync; 0: it was not sent
}

// begins notes that an execution of a run was sent.
func (x *observed) begins(i int) {
	if x.started < maxLaps {
		x.order[x.started/4] |= uint8(i) << (x.started % 4 * 2)
	}
	x.started++
}

// runAt returns the run of an execution.
func (x *observed) runAt(n int) int {
	n = min(n, x.started-1, maxLaps-1)
	return int(x.order[n/4] >> (n % 4 * 2) & 3)
}

// completed notes that the next execution is complete. sent is when the first was sent.
func (x *observed) completed(now, sent int64) {
	if x.started == 0 {
		return
	}
	if x.from == 0 {
		x.from = sent
	}
	if now != x.at {
		x.addUp()
		x.at = now
	}
	x.runs[x.runAt(x.done)].rows += x.rows - x.told
	x.told, x.fetched = x.rows, 0
	x.done++
}

// suspended notes that the next execution has come to the end of the rows that it was to have.
func (x *observed) suspended(now, sent int64) {
	x.rows += x.fetched
	x.completed(now, sent)
}

// synced notes that what is sent from now on is of another exchange.
func (x *observed) synced() {
	if x.whole == 0 {
		x.whole = x.started
	}
}

// dropSkipped takes back the executions behind the one that has failed: PostgreSQL skips what
// there is up to a Sync. Of those behind maxLaps it is known how many each run has only, so
// that the last runs lose theirs first.
func (x *observed) dropSkipped() {
	end := x.started
	if x.whole > 0 {
		end = x.whole
	}
	for n := x.done + 1; n < min(end, maxLaps); n++ {
		x.runs[x.runAt(n)].drop(1)
	}
	over := end - max(x.done+1, maxLaps)
	for i := x.n - 1; i >= 0 && over > 0; i-- {
		r := &x.runs[i]
		late := int(r.executions)
		for n := range min(x.started, maxLaps) {
			if x.runAt(n) == i && n <= x.done {
				late--
			}
		}
		late = min(late, over)
		r.drop(uint32(late))
		over -= late
	}
}

// drop takes executions back.
func (r *run) drop(n uint32) {
	r.executions -= n
	r.calls -= min(n, r.calls)
}

// addUp divides the time up to the last completion.
func (x *observed) addUp() {
	n := int64(x.done - x.counted)
	if n == 0 {
		return
	}
	for i := x.counted; i < x.done; i++ {
		x.runs[x.runAt(i)].took += max(x.at-x.from, 0) / n
	}
	x.counted, x.from = x.done, x.at
}

// ends adds up what is left when the exchange is over, and returns the run that has
// failed, if one has: the first that is not complete.
func (x *observed) ends(now int64) (failed int) {
	x.addUp()
	x.runs[0].rows += x.rows - x.told // of what has no completion of its own
	failed = x.runAt(x.done)
	if x.done < x.started && x.from > 0 {
		x.runs[failed].took += max(now-x.from, 0)
	}
	return failed
}

// shareOf is the part of the exchange's time that a run has: by what completions tell,
// or else by the number of executions. What there is besides BEGIN has all.
func (x *observed) shareOf(i, alone int) float64 {
	sum, executions := int64(0), uint32(0)
	r := &x.runs[i]
	switch alone {
	case i:
		return 1
	case -1:
	default:
		return 0
	}
	for i := range x.n {
		sum += x.runs[i].took
		executions += x.runs[i].executions
	}
	if sum == 0 {
		return float64(r.executions) / float64(executions)
	}
	return float64(r.took) / float64(sum)
}

// The SQLSTATEs of a statement whose client has gone: PgJay cancels it on its backend, or else
// nobody is there to be told how it ends.
var cancelled, unheard = [5]byte([]byte(timedOut)), [5]byte([]byte("08006"))

// recordAbandoned counts the exchange that is under way when its client goes.
func (s *session) recordAbandoned() {
	x := &s.sample
	if x.start == 0 || x.observed.n == 0 {
		return
	}
	if s.back.lease == nil && x.asked != 0 && x.sent == 0 {
		x.waited += s.loop.Now() - x.asked
	}
	code := &unheard
	if x.sent != 0 && s.back.lease != nil && !s.client.polite {
		code = &cancelled
	}
	x.setCode(code[:])
	s.record()
}

func part(ns int64, share float64) int64 { return int64(float64(ns) * share) }
