package monitor

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	maxScrapes    = 4 // at once
	scrapeTimeout = 10 * time.Second
)

const index = `PgJay
/metrics  for Prometheus
/healthz  200 while the process lives
/readyz   200 while it accepts clients, otherwise 503 and the reason
`

// Handler answers /metrics, /healthz and /readyz. It asks nobody who they are:
// listen on an address that only those who may know can reach.
func (m *Monitor) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.book.registry, promhttp.HandlerOpts{
		Registry:            m.book.registry,
		ErrorHandling:       promhttp.ContinueOnError, // what cannot be read must not hide the rest
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		Timeout:             scrapeTimeout,
		EnableOpenMetrics:   true,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", m.serveReady)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, index)
	})
	return mux
}

func (m *Monitor) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := m.ready(); err != nil {
		answer(w, http.StatusServiceUnavailable, fmt.Sprintf("not ready: %v\n", err))
		return
	}
	answer(w, http.StatusOK, "ready\n")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // who asked has gone if this fails
}
