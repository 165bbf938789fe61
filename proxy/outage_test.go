package proxy

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pgjay/pgjay/pool"
)

func TestOutages(t *testing.T) {
	var o outages
	crm, other := pool.Key{Database: "crm", User: "ann"}, pool.Key{Database: "other", User: "ann"}
	begin := time.Now()
	for i, step := range []struct {
		key    pool.Key
		reason string
		after  time.Duration
		want   slog.Level
	}{
		{crm, "refused", 0, slog.LevelWarn},
		{crm, "refused", time.Second, slog.LevelDebug},
		{other, "refused", time.Second, slog.LevelWarn},
		{crm, "starting up", 2 * time.Second, slog.LevelWarn},
		{crm, "refused", 3 * time.Second, slog.LevelWarn},
		{crm, "refused", 62 * time.Second, slog.LevelDebug},
		{crm, "refused", 63 * time.Second, slog.LevelWarn},
	} {
		if got := o.failed(step.key, step.reason, begin.Add(step.after)); got != step.want {
			t.Errorf("step %d: %v, not %v", i, got, step.want)
		}
	}
	if !o.over(crm) || o.over(crm) {
		t.Error("an outage does not end once")
	}
	if o.failed(crm, "refused", begin.Add(64*time.Second)) != slog.LevelWarn {
		t.Error("a new outage is not said")
	}
}

func TestOutagesAreBounded(t *testing.T) {
	var o outages
	for i := range 3 * mostOutages {
		o.failed(pool.Key{Database: fmt.Sprint(i)}, "no such database", time.Now())
	}
	if n := len(o.said); n > mostOutages {
		t.Errorf("%d are remembered", n)
	}
}
