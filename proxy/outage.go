package proxy

import (
	"log/slog"
	"sync"
	"time"

	"github.com/pgjay/pgjay/pool"
)

// outages keeps failing logins from filling the log: a pool with waiting
// clients tries again each second, for the same reason. Its zero value is
// ready to use, on any goroutine.
type outages struct {
	mu   sync.Mutex
	said map[pool.Key]outage
}

// outage is what was last logged about the logins of a pool, and when.
type outage struct {
	reason string
	at     time.Time
}

const (
	sayAgainAfter = time.Minute
	mostOutages   = 1000 // under auth.method trust, clients make up names
)

// failed returns the level at which a failure is to be logged: warn for what
// is new, or was last said a minute ago.
func (o *outages) failed(k pool.Key, reason string, now time.Time) slog.Level {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last, ok := o.said[k]; ok && last.reason == reason && now.Sub(last.at) < sayAgainAfter {
		return slog.LevelDebug
	}
	if o.said == nil || len(o.said) >= mostOutages {
		o.said = make(map[pool.Key]outage)
	}
	o.said[k] = outage{reason, now}
	return slog.LevelWarn
}

// over reports whether a login that succeeds ends what was said of k.
func (o *outages) over(k pool.Key) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, was := o.said[k]
	delete(o.said, k)
	return was
}
