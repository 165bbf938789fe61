package web

import (
	"math"
	"net/http"
)

// Rewrite is what a rule does to the statements of one shape. Times are in seconds.
type Rewrite struct {
	Rule     string  `json:"rule"`
	State    string  `json:"state"`
	Database string  `json:"database"`
	User     string  `json:"user"`
	Text     string  `json:"text"`    // without literals
	Becomes  string  `json:"becomes"` // the text that PostgreSQL is given, without literals; empty: not known
	Calls    uint64  `json:"calls"`
	Saved    float64 `json:"saved"`
	Before   float64 `json:"before"` // medians; 0: not known
	After    float64 `json:"after"`
	Ratio    float64 `json:"ratio"` // of the planner's costs, before to after; 0: not known
	Why      string  `json:"why"`
}

const maxRewrites = 200

func (d *Dashboard) rewrites(*http.Request) (any, error) {
	list := []Rewrite{}
	if d.source.Rewrites != nil {
		all := d.source.Rewrites()
		for _, r := range all[:min(len(all), maxRewrites)] {
			r.Text, r.Becomes, r.Ratio = shorten(r.Text), shorten(r.Becomes), finite(r.Ratio)
			list = append(list, r)
		}
	}
	return map[string]any{"rewrites": list}, nil
}

// finite replaces what JSON does not have.
func finite(f float64) float64 {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return 0
	}
	return f
}
