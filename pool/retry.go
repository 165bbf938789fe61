package pool

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = time.Second
)

// backoff returns how long to wait after so many failures in a row: doubling,
// less up to a fifth, so that pools do not knock all at once.
func (s *Set) backoff(failures int) int64 {
	d := maxBackoff
	if failures <= 5 {
		d = min(maxBackoff, firstBackoff<<(failures-1))
	}
	return int64(float64(d) * (1 - s.options.Rand()/5))
}

// DialError says which login failed and why. There is no password in it.
type DialError struct {
	Key  Key
	User string // as whom the backend was to be logged in
	Err  error
}

// Error names the login and the reasons in one line.
func (e *DialError) Error() string {
	return fmt.Sprintf("cannot log in to PostgreSQL for database %q as user %q: %s",
		e.Key.Database, e.User, strings.Join(e.reasons(), "; "))
}

// reasons has one for each host and way that was tried, each once: where TLS is
// preferred, a server that does not answer is asked twice.
func (e *DialError) reasons() []string {
	err := e.Err
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap() // without the user and database, which we name
	}
	var list []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// Unwrap returns the reason.
func (e *DialError) Unwrap() error { return e.Err }

// ConfigError is the reason of a login that the configuration makes impossible.
type ConfigError struct{ Err error }

// Error returns the reason.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

// final reports whether a login failed for a reason that waiting does not
// cure: who logs in, where to, or how. Everything else is tried again.
func final(err error) bool {
	var config *ConfigError
	if errors.As(err, &config) || untrusted(err) || withoutTLS(err) {
		return true
	}
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch {
	case strings.HasPrefix(server.Code, "28"): // invalid authorization
		return true
	case server.Code == "3D000": // no such database
		return true
	case server.Code == "42501": // no CONNECT privilege
		return true
	case server.Code == "42704", server.Code == "22023": // a parameter in the URL
		return true
	}
	return false
}

// full reports whether a login failed because the server has no connection left.
func full(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "53300"
}

// makeRoom closes an idle backend of another pool, the one with most of them, as p
// has clients that wait and cannot log in.
func (s *Set) makeRoom(p *Pool) {
	var giver *Pool
	most := 0
	for _, other := range s.all() {
		other.mu.Lock()
		idle := other.count[stateIdle]
		other.mu.Unlock()
		if other != p && idle > most {
			giver, most = other, idle
		}
	}
	if giver != nil {
		giver.closeIdle()
	}
}

// untrusted reports whether the server's certificate was not accepted.
func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError // sslmode=verify-ca is checked by pgconn itself
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &invalid)
}

// withoutTLS reports whether every server has said that it does not do TLS, and
// the URL demands it. pgconn has no name for that error.
func withoutTLS(err error) bool {
	var dial *DialError
	return errors.As(err, &dial) && !slices.ContainsFunc(dial.reasons(), func(reason string) bool {
		return !strings.HasSuffix(reason, "server refused TLS connection")
	})
}

// coverAtLocked has coverLocked called at this time, by the set's clock, or before.
func (p *Pool) coverAtLocked(at int64) {
	if p.dialing.alarm == 0 || at < p.dialing.alarm {
		p.dialing.alarm, p.later.arm = at, true
	}
}

// armRetry is a pool as the task that starts the retry timer.
type armRetry Pool

// Run starts the timer. The loop's clock need not be the set's.
func (r *armRetry) Run() {
	p := (*Pool)(r)
	p.mu.Lock()
	alarm, now := p.dialing.alarm, p.set.now()
	p.mu.Unlock()
	if alarm == 0 { // it has gone off already
		return
	}
	wait := alarm - now
	p.timer.Task = (*retry)(p)
	p.home.Schedule(&p.timer, p.home.Now()+max(0, wait))
}

// retry is a pool as the retry timer's task.
type retry Pool

// Run tries again, if anybody still waits.
func (r *retry) Run() {
	p := (*Pool)(r)
	p.mu.Lock()
	p.dialing.alarm = 0
	p.coverLocked()
	p.unlock()
}
