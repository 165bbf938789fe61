package digest

import (
	"context"
	"log/slog"
	"time"
)

// Limits says from which duration on statements are slow, and which are explained. 0
// is never. The entry of a user wins over that of a database.
type Limits struct {
	Slow, Explain    time.Duration
	Databases, Users map[string]Override
}

// Override is for one database or user; nil keeps the general value.
type Override struct{ Slow, Explain *time.Duration }

func (l *Limits) apply(o *Owner) {
	slow, explain := l.Slow, l.Explain
	for _, entry := range []Override{l.Databases[o.Database], l.Users[o.User]} {
		if entry.Slow != nil {
			slow = *entry.Slow
		}
		if entry.Explain != nil {
			explain = *entry.Explain
		}
	}
	o.slow.Store(int64(slow))
	o.explain.Store(int64(explain))
}

// Tag is what a comment of a statement says of where it comes from.
type Tag struct{ Name, Value string }

// Slow is a slow statement. The first fields are what the loop adds, the others come
// from the Record.
type Slow struct {
	Session uint32 // number of the client's session in the log
	Tags    []Tag  // those that monitor.tags lets through

	At                      time.Time
	Shape                   ID
	Text                    string // without literals
	Database, User          string
	Total, Wait, Backend    time.Duration
	FirstRow, Stalled       time.Duration // as in a Record
	Rows, Bytes             uint64
	Code                    string // SQLSTATE; empty: it did not fail
	Calls                   uint32
	Cached, Rewritten, Fail bool
}

// maxSlow is how many slow statements are kept for the console, maxUnlogged how many
// may be logged in one go.
const (
	maxSlow     = 500
	maxUnlogged = 100
)

// slowRing has the latest slow statements.
type slowRing struct {
	entries  []*Slow // a ring once it is full
	next     int
	count    uint64
	unlogged []*Slow
	skipped  uint64
}

func (r *slowRing) add(rec *Record, now time.Time) {
	s, o := rec.Slow, rec.Shape.owner
	s.At, s.Shape, s.Text, s.Database, s.User = now, rec.Shape.id, rec.Shape.text, o.Database, o.User
	s.Total, s.Wait, s.Backend = time.Duration(rec.Duration), time.Duration(rec.Wait), time.Duration(rec.Backend)
	s.FirstRow, s.Stalled = time.Duration(rec.FirstRow), time.Duration(rec.Stalled)
	s.Rows, s.Bytes, s.Calls, s.Rewritten = rec.Rows, rec.Bytes, max(rec.Calls, 1), rec.Rewritten
	s.Cached = rec.Source == SourceCache || rec.Source == SourceCoalesced
	if s.Fail = rec.Code != [5]byte{}; s.Fail {
		s.Code = string(rec.Code[:])
	}
	r.count++
	if len(r.unlogged) < maxUnlogged {
		r.unlogged = append(r.unlogged, s)
	} else {
		r.skipped++
	}
	if len(r.entries) < maxSlow {
		r.entries = append(r.entries, s)
		return
	}
	r.entries[r.next] = s
	r.next = (r.next + 1) % maxSlow
}

// logUnlogged writes the log. The caller holds mu, which no loop ever waits for.
func (t *Table) logUnlogged() {
	if t.log != nil {
		for _, s := range t.slow.unlogged {
			t.log.LogAttrs(context.Background(), slog.LevelWarn, "slow statement", s.attributes()...)
		}
		if t.slow.skipped > 0 {
			t.log.Warn("more slow statements were not logged", "count", t.slow.skipped)
		}
	}
	t.slow.unlogged, t.slow.skipped = nil, 0
}

// maxLogged is how much of a text is logged, in bytes.
const maxLogged = 2000

func (s *Slow) attributes() []slog.Attr {
	text := s.Text
	if len(text) > maxLogged {
		text = text[:maxLogged] + "..."
	}
	list := []slog.Attr{
		slog.String("database", s.Database), slog.String("user", s.User), slog.Uint64("session", uint64(s.Session)),
		slog.Duration("duration", s.Total), slog.Duration("wait", s.Wait), slog.Duration("backend", s.Backend),
		slog.Uint64("rows", s.Rows), slog.Uint64("bytes", s.Bytes),
		slog.String("shape", s.Shape.String()), slog.String("statement", text),
	}
	if s.FirstRow > 0 {
		list = append(list, slog.Duration("first_row", s.FirstRow))
	}
	if s.Stalled > 0 {
		list = append(list, slog.Duration("stalled", s.Stalled))
	}
	if s.Calls > 1 {
		list = append(list, slog.Uint64("calls", uint64(s.Calls)))
	}
	if s.Code != "" {
		list = append(list, slog.String("code", s.Code))
	}
	for _, tag := range s.Tags {
		list = append(list, slog.String("tag_"+tag.Name, tag.Value))
	}
	return list
}

// Slow returns the latest slow statements, the newest first.
func (t *Table) Slow() []Slow {
	t.collect()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.slow
	list := make([]Slow, 0, len(r.entries))
	for i := range r.entries {
		at := (r.next - 1 - i + 2*len(r.entries)) % len(r.entries)
		list = append(list, *r.entries[at])
	}
	return list
}
