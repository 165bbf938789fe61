package pool

// SequencesRead reports whether a session of the pool has ever asked for what
// nextval has left behind in it: then it matters who has called that on a backend.
func (p *Pool) SequencesRead() bool { return p.reads.Load() }

// NoteSequencesRead notes that one has.
func (p *Pool) NoteSequencesRead() { p.reads.Store(true) }
