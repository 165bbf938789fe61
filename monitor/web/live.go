package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// maxStreams bounds the browsers that watch at once.
const maxStreams = 32

// streamPatience is how long a browser may take for what it is sent.
const streamPatience = 30 * time.Second

// serveLive sends the figures of each second, as server-sent events: those of the last
// quarter of an hour as one, then each as it comes.
func (d *Dashboard) serveLive(w http.ResponseWriter, r *http.Request) {
	if d.streams.Add(1) > maxStreams {
		d.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many browsers watch", http.StatusServiceUnavailable)
		return
	}
	defer d.streams.Add(-1)
	d.source.Monitor.DashboardWatched(1)
	defer d.source.Monitor.DashboardWatched(-1)
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil {
		http.Error(w, "no stream is possible here", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	moments, end := d.source.Monitor.Watch()
	defer end()
	tell := func(event string, v any) bool {
		body, err := json.Marshal(v)
		if err == nil {
			err = control.SetWriteDeadline(time.Now().Add(streamPatience))
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, body)
		}
		return err == nil && control.Flush() == nil
	}
	if _, err := fmt.Fprint(w, "retry: 2000\n\n"); err != nil || !tell("past", d.source.Monitor.Moments()) {
		return
	}
	for {
		select {
		case moment := <-moments:
			if !tell("moment", moment) {
				return
			}
		case <-r.Context().Done():
			return
		case <-d.ended:
			return
		}
	}
}
