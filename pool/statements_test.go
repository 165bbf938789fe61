package pool

import (
	"fmt"
	"strings"
	"testing"
	"unique"
)

func keyOf(body string) StatementKey { return StatementKey{Body: unique.Make(body)} }

func TestStatements(t *testing.T) {
	var s Statements
	names := map[string]bool{}
	for i := range 10 {
		st := s.Add(keyOf(fmt.Sprint(i)), 100)
		if names[st.Name] || !strings.HasPrefix(st.Name, StatementPrefix) {
			t.Errorf("name %q", st.Name)
		}
		names[st.Name] = true
	}
	if s.Use(keyOf("0")) == nil || s.Use(keyOf("none")) != nil {
		t.Error("what is there and what is not")
	}
	if s.Over(10, 1000) || !s.Over(9, 1000) || !s.Over(10, 999) {
		t.Error("the bounds are not kept")
	}
	var gone []string
	for st := s.Excess(5, 300); st != nil; st = s.Excess(5, 300) {
		gone = append(gone, st.key.Body.Value())
		s.Remove(st) // again: nothing happens
	}
	if got := strings.Join(gone, ""); got != "1234567" {
		t.Errorf("%s went, which were not used for longest", got)
	}
	old := s.Use(keyOf("8"))
	again := s.Add(keyOf("8"), 1)
	s.Remove(old)
	if s.Use(keyOf("8")) != again || s.Body(again.Name) != keyOf("8").Body {
		t.Error("a statement was forgotten with the one in whose place it is")
	}
	s.Clear()
	if st := s.Add(keyOf("a"), 1); names[st.Name] || s.Over(1, 1) {
		t.Errorf("after Clear: %q", st.Name)
	}
}

// What is not known of results is no reason to refuse a statement.
func TestDescriptions(t *testing.T) {
	p := newWorld(t, 1, nil).set.Pool(key)
	of := func(epoch uint32) StatementKey { return StatementKey{Epoch: epoch} }
	other := func(a, b StatementKey) bool { return p.Description(a).OtherRows(p.Description(b)) }
	p.NoteDescription(of(1), Description{Rows: 7})
	p.NoteDescription(of(2), Description{Rows: 7})
	p.NoteDescription(of(3), Description{Rows: 8})
	if other(of(1), of(2)) || !other(of(1), of(3)) || other(of(1), of(4)) || other(of(4), of(1)) {
		t.Error("alike, not alike, not known: one of them is wrong")
	}
	for epoch := range uint32(maxDescribed) {
		p.NoteDescription(of(10+epoch), Description{Rows: 9})
	}
	if other(of(1), of(10+maxDescribed-1)) {
		t.Error("what was forgotten is known")
	}
}
