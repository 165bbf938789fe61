package proxy

import (
	"testing"
	"time"
)

func TestHabits(t *testing.T) {
	h, k := &habits{}, habitKey{hash: 1}
	text, now := []byte("select f()"), int64(time.Hour)
	asked := func(runs int) (asked int) {
		for range runs {
			if !h.trusted(k, text, now) {
				h.learn(k, text, false, now)
				asked++
			}
		}
		return asked
	}
	if h.trusted(k, text, now) {
		t.Error("a text is trusted that was never seen")
	}
	if n := asked(1000); n < 5 || n > 15 {
		t.Errorf("asked %d times in the first 1,000 runs", n)
	}
	if n := asked(10 * habitRuns); n < 10 || n > 20 {
		t.Errorf("asked %d times in 10 times %d runs", n, habitRuns)
	}
	if h.trusted(k, []byte("select g()"), now) {
		t.Error("another text with the same hash is trusted")
	}
	asked(1)
	now += int64(habitFor)
	if h.trusted(k, text, now) {
		t.Error("a text is trusted for ever")
	}
	h.learn(k, text, true, now)
	h.learn(k, text, false, now)
	if n := asked(100); n != 100 {
		t.Errorf("a text that has left something is trusted %d times", 100-n)
	}
}

// What a text with code in it may do to settings must be seen in it, as it is
// not asked for again.
func TestChangesSettings(t *testing.T) {
	for text, want := range map[string]bool{
		"select f($1)":                                         false,
		"do $$ begin update t set a = 1; end $$":               false,
		"do $$ begin set work_mem = 1; end $$":                 true,
		"do $$ begin perform set_config('a.b', v, false); end": true,
		"do 'set work_mem = 1'":                                true,
		"do $$ begin if x then reset all; end if; end $$":      true,
		"do $$ begin execute 'SET a.b = 1'; end $$":            true,
	} {
		if got := changesSettings.MatchString(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
