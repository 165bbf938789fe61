package pgtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Check runs a script and reports what is not as expected, with the conversation.
func Check(t testing.TB, to Target, s *Script) *Transcript {
	t.Helper()
	log, err := s.Run(to)
	if err != nil {
		t.Errorf("%s: %v\n%s", s.Name, err, log)
	}
	return log
}

// Compare runs a script on PostgreSQL and through the proxy and requires the
// same bytes from both, but for process numbers, cancel keys, the OIDs of
// tables made by the script, the order of parameters at start-up, and the line
// of PostgreSQL's source that refuses something in a failed transaction: for a
// Bind it may be that of the Parse that was sent ahead of it.
func Compare(t testing.TB, plain, proxied Target, s *Script) {
	t.Helper()
	want := Check(t, plain, s)
	got := Check(t, proxied, s)
	if t.Failed() {
		return
	}
	if diff := Diff(want, got); diff != "" {
		t.Errorf("%s: %s\ndirectly:\n%s\nthrough the proxy:\n%s", s.Name, diff, want, got)
	}
}

// Diff returns the first difference of two transcripts after normalisation,
// empty if there is none.
func Diff(want, got *Transcript) string {
	w, g := normalise(want), normalise(got)
	for conn, frames := range w {
		for i, f := range frames {
			if i >= len(g[conn]) {
				return fmt.Sprintf("%s: message %d is missing: %s", conn, i, f)
			}
			if o := g[conn][i]; o.Type != f.Type || !bytes.Equal(o.Body, f.Body) {
				return fmt.Sprintf("%s: message %d is %s (%q), directly %s (%q)", conn, i, o, o.Body, f, f.Body)
			}
		}
		if len(g[conn]) > len(frames) {
			return fmt.Sprintf("%s: one message too many: %s", conn, g[conn][len(frames)])
		}
	}
	return ""
}

// normalise returns what each connection received, without what may differ.
func normalise(t *Transcript) map[string][]Frame {
	all := map[string][]Frame{}
	tables := map[uint32]uint32{}
	for _, e := range t.Entries() {
		if e.Sent == "" {
			all[e.Conn] = append(all[e.Conn], normaliseFrame(e.Frame, tables))
		}
	}
	for _, frames := range all {
		sortParameters(frames)
	}
	return all
}

func normaliseFrame(f Frame, tables map[uint32]uint32) Frame {
	switch {
	case f.Type == 'K':
		f.Body = nil
	case f.Type == 'A' && len(f.Body) > 4:
		f.Body = f.Body[4:]
	case f.Type == 'T':
		f.Body = normaliseColumns(f.Body, tables)
	case f.ErrorCode() == "25P02":
		where := bytes.Index(f.Body, []byte("\x00L"))
		f.Body = append(slices.Clip(f.Body[:where+1]), 0)
	}
	return f
}

// normaliseColumns numbers the tables that are not PostgreSQL's own in the
// order in which they occur.
func normaliseColumns(body []byte, tables map[uint32]uint32) []byte {
	const firstNormalOID = 16384
	var m pgproto3.RowDescription
	if m.Decode(body) != nil {
		return body
	}
	for i := range m.Fields {
		oid := m.Fields[i].TableOID
		if oid < firstNormalOID {
			continue
		}
		if tables[oid] == 0 {
			tables[oid] = firstNormalOID + uint32(len(tables))
		}
		m.Fields[i].TableOID = tables[oid]
	}
	encoded, err := m.Encode(nil)
	if err != nil {
		return body
	}
	return encoded[5:]
}

// sortParameters sorts what comes between the authentication and the first
// ReadyForQuery: its order has no meaning.
func sortParameters(frames []Frame) {
	begin := slices.IndexFunc(frames, func(f Frame) bool { return f.Type == 'R' })
	end := slices.IndexFunc(frames, func(f Frame) bool { return f.Type == 'Z' })
	if begin < 0 || end < begin {
		return
	}
	slices.SortStableFunc(frames[begin:end], func(a, b Frame) int {
		if a.Type != b.Type {
			return int(a.Type) - int(b.Type)
		}
		if a.Type != 'S' {
			return 0
		}
		return bytes.Compare(a.Body, b.Body)
	})
}

// ErrorCode returns the SQLSTATE of an ErrorResponse, empty for other frames.
func (f Frame) ErrorCode() string {
	var m pgproto3.ErrorResponse
	if f.Type != 'E' || m.Decode(f.Body) != nil {
		return ""
	}
	return m.Code
}

// Value returns the first column of a DataRow, for tests that look at one value.
func (f Frame) Value() string {
	if f.Type != 'D' || len(f.Body) < 6 {
		return ""
	}
	n := int32(binary.BigEndian.Uint32(f.Body[2:]))
	if n < 0 {
		return ""
	}
	return string(f.Body[6 : 6+n])
}
