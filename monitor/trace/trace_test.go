package trace

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

// What has no room is dropped, without waiting, and what the collector refuses is lost: both
// are counted.
func TestDropped(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer collector.Close()
	tracer, err := New(collector.URL, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	table := digest.NewTable(digest.Options{Loops: 1, Max: 10, Trace: tracer.Offer})
	rec := &digest.Record{Shape: table.Recorder(0).Find(table.Owner("d", "u"), []byte("select 1")), Trace: &digest.Trace{Ended: time.Now()}}
	const over = 3
	for range maxQueued + over {
		tracer.Offer(rec)
	}
	if sent, dropped := tracer.Counts(); sent != 0 || dropped != over {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
	for range maxQueued - 1 {
		<-tracer.queue
	}
	tracer.tell(new(<-tracer.queue))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tracer.Run(ended)
	if sent, dropped := tracer.Counts(); sent != 0 || dropped != over+1 {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

func TestTracesURL(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:4318":     "http://127.0.0.1:4318/v1/traces",
		"http://127.0.0.1:4318/":    "http://127.0.0.1:4318/v1/traces",
		"https://host/own/v1/trace": "https://host/own/v1/trace",
	} {
		if got := tracesURL(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
