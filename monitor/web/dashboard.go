package web

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
)

// Source is whom the dashboard asks. A nil function: there is nothing of the kind.
type Source struct {
	Monitor *monitor.Monitor
	Shapes  func() []cache.ShapeStat // of the cache
	Clients func() ([]Client, error) // that are logged in
	// Rewrites are the statements that others are sent for.
	Rewrites func() []Rewrite
}

// Dashboard answers to what comes to the admin address.
type Dashboard struct {
	source Source
	local  bool // only this machine can reach the address
	config atomic.Pointer[Config]
	mux    *http.ServeMux

	streams atomic.Int32
	ending  sync.Once
	ended   chan struct{} // closed by Close
}

// New makes the dashboard. local says that only this machine can reach the address
// that it is served on.
func New(c Config, local bool, s Source) *Dashboard {
	d := &Dashboard{source: s, local: local, mux: http.NewServeMux(), ended: make(chan struct{})}
	d.Configure(c)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		d.mux.Handle(path, s.Monitor.Handler())
	}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /", serveFile)
	pages.HandleFunc("GET /api/live", d.serveLive)
	for name, document := range d.documents() {
		pages.HandleFunc("GET /api/"+name, serveJSON(document))
	}
	d.mux.Handle("/", d.guard(pages))
	return d
}

// Configure says anew who may see it.
func (d *Dashboard) Configure(c Config) { d.config.Store(&c) }

// ServeHTTP implements http.Handler.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// Close ends the streams of live figures.
func (d *Dashboard) Close() { d.ending.Do(func() { close(d.ended) }) }

// document makes one of the JSON documents. Its error is about the request: there is
// no such thing.
type document func(*http.Request) (any, error)

func serveJSON(make document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		v, err := make(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		body, err := json.Marshal(v)
		if err != nil {
			http.Error(w, "this cannot be shown", http.StatusInternalServerError)
			return
		}
		h.Set("Content-Type", "application/json")
		send(w, r, body, nil)
	}
}
