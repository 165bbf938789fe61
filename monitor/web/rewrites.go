package web

import (
	"net/http"
	"time"
)

// Rewrite is a statement that another one is sent for. Times are in seconds.
type Rewrite struct {
	ID       string    `json:"id"`
	Rule     string    `json:"rule"`
	State    string    `json:"state"`
	Database string    `json:"database"`
	Calls    uint64    `json:"calls"`
	Last     time.Time `json:"last"`
	BeforeS  float64   `json:"before_s"`
	AfterS   float64   `json:"after_s"`
	Why      string    `json:"why"`
	Before   string    `json:"before"` // without literals, as After
	After    string    `json:"after"`
}

func (d *Dashboard) rewrites(*http.Request) (any, error) {
	list := []Rewrite{}
	if d.source.Rewrites != nil {
		list = append(list, d.source.Rewrites()...)
	}
	return map[string]any{"enabled": d.source.Rewrites != nil, "rewrites": list}, nil
}
