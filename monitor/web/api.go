package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/pgjay/pgjay/cache"
)

// documents are the JSON documents, by their name under /api.
func (d *Dashboard) documents() map[string]document {
	return map[string]document{
		"overview":   d.overview,
		"pools":      d.pools,
		"cache":      d.cache,
		"statements": d.statements,
		"plans":      d.plans,
		"plan":       d.plan,
		"advice":     d.advice,
		"rewrites":   d.rewrites,
	}
}

// Overview says how things are.
type Overview struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Ready   string    `json:"ready"` // empty: clients are accepted; else why not
	Verdict []Verdict `json:"verdict"`
	Cached  bool      `json:"cached"` // there is a cache
}

// Verdict is something to be told about how things are.
type Verdict struct {
	Level string `json:"level"` // ok, warning or error
	Text  string `json:"text"`
}

func (d *Dashboard) overview(*http.Request) (any, error) {
	m := d.source.Monitor
	o := Overview{Version: m.Version(), Started: m.Started(), Cached: m.Cache() != nil}
	if err := m.Ready(); err != nil {
		o.Ready = err.Error()
	}
	o.Verdict = d.verdict()
	return o, nil
}

// verdict says what is wrong, if anything is.
func (d *Dashboard) verdict() (all []Verdict) {
	note := func(level, text string) { all = append(all, Verdict{level, text}) }
	for _, p := range d.source.Monitor.Pools() {
		name := p.Key.Database + " as " + p.Key.User
		if p.LastError != nil {
			note("error", "No backend can be had for "+name+": "+p.LastError.Error())
		}
		if p.Waiting > 0 && p.OldestWait > time.Second {
			note("warning", "Clients wait for a backend of "+name+": the first for "+p.OldestWait.Round(100*time.Millisecond).String())
		}
	}
	if c := d.source.Monitor.Cache(); c != nil && c.Mismatches > 0 {
		note("error", "Answers of the cache were another than PostgreSQL's: see the log")
	}
	if all == nil {
		note("ok", "Every pool has its backends, and nobody waits for long")
	}
	return all
}

// Pool is one pool.
type Pool struct {
	Database  string  `json:"database"`
	User      string  `json:"user"`
	Mode      string  `json:"mode"`
	Size      int     `json:"size"`
	Overflow  int     `json:"overflow"`
	Active    int     `json:"active"`
	Idle      int     `json:"idle"`
	Login     int     `json:"login"`
	Testing   int     `json:"testing"`
	Dedicated int     `json:"dedicated"`
	Waiting   int     `json:"waiting"`
	Oldest    float64 `json:"oldest"` // seconds that the first in the queue has waited
	Leases    int64   `json:"leases"`
	Waits     int64   `json:"waits"`
	Waited    float64 `json:"waited"` // seconds in all
	Failures  int64   `json:"failures"`
	Error     string  `json:"error"`
}

// Client is one client that is logged in.
type Client struct {
	ID          uint32    `json:"id"`
	Database    string    `json:"database"`
	User        string    `json:"user"`
	Application string    `json:"application"`
	State       string    `json:"state"`
	Address     string    `json:"address"`
	Connected   time.Time `json:"connected"`
	Pin         string    `json:"pin"`       // why it keeps its backend; empty: it does not
	Held        float64   `json:"held"`      // seconds for which it has
	Statement   string    `json:"statement"` // to blame, without literals
}

// Pools is the document of pools and clients.
type Pools struct {
	Pools   []Pool         `json:"pools"`
	States  map[string]int `json:"states"`  // clients, by state
	Clients []Client       `json:"clients"` // the first maxClients
	Pinned  []Client       `json:"pinned"`
	Total   int            `json:"total"`
	Error   string         `json:"error"`
}

// maxClients bounds a document.
const maxClients = 500

func (d *Dashboard) pools(*http.Request) (any, error) {
	out := Pools{Pools: []Pool{}, States: make(map[string]int), Clients: []Client{}, Pinned: []Client{}}
	for _, p := range d.source.Monitor.Pools() {
		line := Pool{
			Database: p.Key.Database, User: p.Key.User, Mode: string(p.Settings.Mode), Size: p.Settings.Size, Overflow: p.Settings.Overflow,
			Active: p.Active, Idle: p.Idle, Login: p.Login, Testing: p.Testing, Dedicated: p.Dedicated,
			Waiting: p.Waiting, Oldest: p.OldestWait.Seconds(), Leases: p.Leases, Waits: p.Waits,
			Waited: time.Duration(p.WaitNS).Seconds(), Failures: p.ConnectFailures,
		}
		if p.LastError != nil {
			line.Error = p.LastError.Error()
		}
		out.Pools = append(out.Pools, line)
	}
	if d.source.Clients == nil {
		return out, nil
	}
	clients, err := d.source.Clients()
	if err != nil {
		out.Error = err.Error()
	}
	out.Total = len(clients)
	for _, c := range clients {
		out.States[c.State]++
		if c.Pin != "" && len(out.Pinned) < maxClients {
			out.Pinned = append(out.Pinned, c)
		}
	}
	out.Clients = append(out.Clients, clients[:min(len(clients), maxClients)]...)
	return out, nil
}

// Cached is the document of the cache.
type Cached struct {
	Enabled    bool             `json:"enabled"`
	Hits       int64            `json:"hits"`
	Misses     int64            `json:"misses"`
	Saved      float64          `json:"saved"` // seconds
	Entries    int64            `json:"entries"`
	Bytes      int64            `json:"bytes"`
	Limit      int64            `json:"limit"`
	Evicted    int64            `json:"evicted"`
	Verified   int64            `json:"verified"`
	Mismatches int64            `json:"mismatches"`
	Outcomes   map[string]int64 `json:"outcomes"`
	Refusals   map[string]int64 `json:"refusals"`
	Shapes     []Shape          `json:"shapes"` // those that have saved most
}

// Shape is what became of the statements of one shape.
type Shape struct {
	Fingerprint string  `json:"fingerprint"`
	Text        string  `json:"text"`
	Hits        int64   `json:"hits"`
	Misses      int64   `json:"misses"`
	Entries     int64   `json:"entries"`
	Bytes       int64   `json:"bytes"`
	Saved       float64 `json:"saved"`
	HitMS       float64 `json:"hit_ms"`
	OriginMS    float64 `json:"origin_ms"`
	Off         bool    `json:"off"`
	Why         string  `json:"why"`
}

const (
	maxShapes = 100
	maxText   = 4000 // of a statement, in bytes
)

func (d *Dashboard) cache(*http.Request) (any, error) {
	out := Cached{Outcomes: make(map[string]int64), Refusals: make(map[string]int64), Shapes: []Shape{}}
	stat := d.source.Monitor.Cache()
	if stat == nil {
		return out, nil
	}
	out.Enabled, out.Hits, out.Misses = true, stat.Hits(), stat.Misses()
	out.Saved = time.Duration(stat.SavedNS).Seconds()
	out.Entries, out.Bytes, out.Limit = stat.Entries, stat.Bytes, int64(stat.Limit)
	out.Evicted, out.Verified, out.Mismatches = stat.Evicted, stat.Verified, stat.Mismatches
	for o, n := range stat.Outcomes {
		out.Outcomes[cache.Outcome(o).String()] = n
	}
	for r, n := range stat.Refused {
		if reason := cache.Reason(r); reason != cache.NoReason && n > 0 {
			out.Refusals[reason.String()] = n
		}
	}
	if d.source.Shapes != nil {
		out.Shapes = topShapes(d.source.Shapes())
	}
	return out, nil
}

// topShapes returns the shapes that have saved most, or were asked for most.
func topShapes(stats []cache.ShapeStat) []Shape {
	slices.SortStableFunc(stats, func(a, b cache.ShapeStat) int {
		return cmp.Or(cmp.Compare(b.SavedNS, a.SavedNS), cmp.Compare(b.Hits()+b.Misses(), a.Hits()+a.Misses()))
	})
	shapes := make([]Shape, 0, maxShapes)
	for _, s := range stats[:min(len(stats), maxShapes)] {
		shapes = append(shapes, Shape{
			Fingerprint: s.Fingerprint, Text: shorten(s.Name), Hits: s.Hits(), Misses: s.Misses(), Entries: s.Entries, Bytes: s.Bytes,
			Saved: time.Duration(s.SavedNS).Seconds(), HitMS: milliseconds(s.HitNS), OriginMS: milliseconds(s.OriginNS), Off: s.Off, Why: s.Why,
		})
	}
	return shapes
}

func milliseconds(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

func shorten(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "..."
	}
	return text
}
