package explain

import (
	"testing"
	"time"

	"github.com/pgjay/pgjay/pool"
)

// Each gate, and each way out of the queue, is counted under a name of its own.
func TestSkips(t *testing.T) {
	w := newWorld(t, dangers)
	var ran []bool
	w.explainer.ran = func(analyzed bool, took time.Duration) { ran = append(ran, analyzed && took > 0) }
	config := w.cfg
	for _, tt := range []struct {
		want   Skip
		sql    string
		change func(*Request)
	}{
		{"", "SELECT * FROM t", nil},
		{SkipText, "INSERT INTO t VALUES (1)", nil},
		{SkipText, "LISTEN x", nil},
		{SkipMode, "SELECT 1", func(*Request) { w.cfg.Mode = Plan }},
		{SkipSession, "SELECT 1", func(r *Request) { r.Note = "temporary objects" }},
		{SkipSession, "SELECT 1", func(r *Request) { r.Unlike = "SET LOCAL" }},
		{SkipBusy, "SELECT 1", func(*Request) { w.explainer.SetConnect(w.connect, func(pool.Key) bool { return true }) }},
		{SkipDuration, "SELECT 1", func(r *Request) { r.Observed = time.Hour }},
		{SkipPlan, "SELECT * FROM t", func(*Request) { w.cfg.MaxCost = 0.001 }},
		{SkipFunction, "SELECT pg_advisory_lock(1)", nil},
		{SkipSuperuser, "SELECT 1", func(r *Request) { r.Key.User = "postgres" }},
		{SkipError, "SELECT * FROM nosuch", nil},
		{SkipError, "SELECT 1/(id - 1) FROM t", nil},
	} {
		w.cfg = config
		w.explainer.SetConnect(w.connect, nil)
		r := w.request(tt.sql)
		if tt.change != nil {
			tt.change(r)
		}
		before := w.explainer.Counts().Skips[tt.want]
		got := w.explainRequest(r)
		if got.Skip != tt.want || (got.Reason == "") != (tt.want == "") || tt.want != "" && w.explainer.Counts().Skips[tt.want] != before+1 {
			t.Errorf("%s: %q (%s), not %q; %v", tt.sql, got.Skip, got.Reason, tt.want, w.explainer.Counts().Skips)
		}
	}
	if len(ran) != 10 || !ran[0] || ran[1] {
		t.Errorf("it was told of %v", ran)
	}
}

func TestQueueSkips(t *testing.T) {
	w := newWorld(t, "SELECT 1")
	e := w.explainer
	first := w.request("select a")
	e.Offer(first)
	if e.Wants(first.Shape, time.Second) || e.Counts().Skips[SkipCooldown] != 1 {
		t.Errorf("what waits already: %v", e.Counts().Skips)
	}
	for i := range maxQueued {
		r := w.request("select b" + string(rune('A'+i%26)) + string(rune('A'+i/26)))
		r.Observed = time.Duration(10+i) * time.Second
		e.Offer(r)
	}
	if e.Counts().Skips[SkipQueue] != 1 || e.Counts().Queued != maxQueued {
		t.Errorf("what had to go: %v", e.Counts().Skips)
	}
	if e.Wants(first.Shape, time.Second) || e.Counts().Skips[SkipQueue] != 2 {
		t.Errorf("what is too fast: %v", e.Counts().Skips)
	}
	cfg := w.cfg
	cfg.Mode = Off
	e.Configure(cfg)
	if e.Counts().Queued != 0 {
		t.Error("what has waited is explained though that has been switched off")
	}
}
