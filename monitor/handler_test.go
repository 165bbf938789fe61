package monitor

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealthAndReadiness(t *testing.T) {
	m := New(Options{})
	expectAnswer(t, m, "/healthz", http.StatusOK, "ok\n")
	expectAnswer(t, m, "/readyz", http.StatusServiceUnavailable, "not ready: starting\n")
	var err error
	m.SetSources(nil, func() error { return err })
	expectAnswer(t, m, "/readyz", http.StatusOK, "ready\n")
	err = errors.New("shutting down")
	expectAnswer(t, m, "/readyz", http.StatusServiceUnavailable, "not ready: shutting down\n")
	expectAnswer(t, m, "/healthz", http.StatusOK, "ok\n")
}

func TestIndex(t *testing.T) {
	m := New(Options{})
	expectAnswer(t, m, "/", http.StatusOK, index)
	if code := get(m, "/nothing").Code; code != http.StatusNotFound {
		t.Errorf("/nothing: %d", code)
	}
	response := httptest.NewRecorder()
	m.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if response.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: %d", response.Code)
	}
}

func expectAnswer(t *testing.T, m *Monitor, path string, status int, body string) {
	t.Helper()
	response := get(m, path)
	if response.Code != status || response.Body.String() != body {
		t.Errorf("%s: %d %q, want %d %q", path, response.Code, response.Body, status, body)
	}
}
