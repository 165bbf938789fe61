package proxy

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pgjay/pgjay/pool"
)

// hidden remembers, for each pool, the settings of applications that functions of
// the database name in their sources. It is safe for concurrent use.
type hidden struct {
	mu    sync.Mutex
	known map[pool.Key]hiddenNames // guarded by mu
	doors map[pool.Key]*doors      // guarded by mu
}

type hiddenNames struct {
	names   []string
	setters bool // some function changes settings
	leavers bool // some function may leave something else, or define something
	namers  bool // some function may name prepared statements
	at      int64
}

// hiddenFor is how long the names are good for: functions may be created that
// the proxy does not see. Those that it sees make it forget.
const hiddenFor = 10 * time.Second

// get returns the names. stale is set if they must be looked for again.
func (h *hidden) get(k pool.Key, now int64) (names []string, stale bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[k]
	return known.names, !ok || now-known.at > int64(hiddenFor)
}

// setters reports whether a function may change settings, as far as is known.
func (h *hidden) setters(k pool.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[k]
	return !ok || known.setters
}

// leavers reports whether a function may leave or define something: another time
// if not this time.
func (h *hidden) leavers(k pool.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[k]
	return !ok || known.leavers || known.setters
}

// doorsOf returns the doors of a pool's database.
func (h *hidden) doorsOf(k pool.Key) *doors {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.doors == nil {
		h.doors = make(map[pool.Key]*doors)
	}
	if h.doors[k] == nil {
		h.doors[k] = &doors{}
	}
	return h.doors[k]
}

// forgetDoors is called when objects that run code may have been made. feared is set if a
// backend cannot be asked for what that leaves.
func (h *hidden) forgetDoors(database string, feared bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, d := range h.doors {
		if k.Database == database {
			d.forget(feared)
		}
	}
}

// namers reports whether a function may name prepared statements.
func (h *hidden) namers(k pool.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[k]
	return !ok || known.namers
}

func (h *hidden) put(k pool.Key, found hiddenNames) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = make(map[pool.Key]hiddenNames)
	}
	h.known[k] = found
}

// forget is called when a database's functions may have changed.
func (h *hidden) forget(database string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.known {
		if k.Database == database {
			delete(h.known, k)
		}
	}
}

// namedSetting finds in a text what askHidden finds in the source of a function.
var namedSetting = regexp.MustCompile(`(?i)(?:set_config\s*\(\s*'|\bset\s+(?:session\s+)?)([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+)`)

// namedSettings returns the settings of applications that a text with code in it
// may set.
func namedSettings(text []byte) (names []string) {
	if bytes.IndexByte(text, '.') < 0 {
		return nil
	}
	for _, m := range namedSetting.FindAllSubmatch(text, -1) {
		names = append(names, strings.ToLower(string(m[1])))
	}
	return names
}
