package proxy

// pace is how the answer of the exchange that is under way comes and goes. Its times are
// those of events: nothing reads a clock for it.
type pace struct {
	first   int64 // when its first row came; 0: none has
	since   int64 // when its client has stopped taking it; 0: it takes what comes
	stalled int64 // ns for which it did not before that
}

// rowComes notes a row for the client.
func (p *pace) rowComes(now int64) {
	if p.first == 0 {
		p.first = now
	}
}

// stalls notes that the client does not take what there is for it.
func (p *pace) stalls(now int64) { p.since = now }

// goesOn ends what stalls began.
func (p *pace) goesOn(now int64) {
	if p.since != 0 {
		p.stalled += now - p.since
		p.since = 0
	}
}

// firstRow is how long the backend took for the first row, which got the statement when
// it was sent; 0: there was no row.
func (p *pace) firstRow(sent int64) int64 {
	if p.first == 0 || sent == 0 {
		return 0
	}
	return max(p.first-sent, 1)
}
