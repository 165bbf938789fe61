package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// policy lets a page load what came with it, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard lets through who may see the dashboard:
//
//  1. with a password or token configured, who has it, from anywhere;
//  2. without, everybody who has reached a loopback address, by a name of that: a page
//     from elsewhere whose name was made to lead here is not let in;
//  3. nobody else.
func (d *Dashboard) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.source.Monitor.DashboardAsked()
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		cfg := d.config.Load()
		switch {
		case !cfg.Enabled:
			http.Error(w, "The dashboard is off (dashboard.enabled).", http.StatusNotFound)
		case cfg.login():
			if !cfg.admits(r) {
				h.Set("WWW-Authenticate", `Basic realm="PgJay", charset="UTF-8"`)
				http.Error(w, "Log in with dashboard.user and dashboard.password.", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		case !d.local:
			http.Error(w, "This address can be reached from other machines, so the dashboard needs a login: set dashboard.password.", http.StatusForbidden)
		case !isLoopback(r.Host):
			http.Error(w, "Without a login the dashboard answers to localhost only: "+
				"ask for http://localhost, or set dashboard.password.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// admits reports whether a request has the password or the token.
func (c *Config) admits(r *http.Request) bool {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return same(strings.TrimLeft(token, " "), c.Token)
	}
	user, password, ok := r.BasicAuth()
	return ok && same(user, c.User) && same(password, c.Password)
}

// same compares secrets in a time that tells nothing. An empty one is none.
func same(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// isLoopback reports whether a Host header names this machine's loopback interface.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
