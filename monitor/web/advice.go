package web

import (
	"net/http"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
)

// Advice is something to be done. Durations are in seconds.
type Advice struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Database   string    `json:"database"`
	Statement  string    `json:"statement"` // its number; empty: of several
	Text       string    `json:"text"`
	Table      string    `json:"table"`
	Extension  string    `json:"extension"` // to be created before; empty: none
	DDL        string    `json:"ddl"`
	Why        string    `json:"why"`
	Cost       string    `json:"cost"`
	CostBefore float64   `json:"cost_before"`
	CostAfter  float64   `json:"cost_after"`
	Saved      float64   `json:"saved"` // in an hour
	Before     float64   `json:"before"`
	After      float64   `json:"after"`
	Seen       int       `json:"seen"`
	Last       time.Time `json:"last"`
}

// titles are the kinds of advice in words.
var titles = map[advice.Kind]string{
	advice.Index:     "An index is missing",
	advice.Redundant: "An index is there twice",
	advice.PlanFlip:  "The plan has changed",
	advice.NPlusOne:  "One statement again and again (N+1)",
	advice.Repeated:  "The same is asked again and again",
	advice.Unbounded: "Many rows without a LIMIT",
	advice.WideRows:  "All columns of wide rows",
	advice.Literals:  "Values in the text",
	advice.Conflicts: "Transactions in each other's way",
	advice.Storm:     "A storm of conflicts",
	advice.FirstRow:  "The first of many rows comes late",
	advice.Reader:    "Clients do not take the rows",
	advice.LongLocks: "Locks of applications, held for long",

	advice.IdleInTransaction: "Transactions wait for their client",
	advice.Chatty:            "Transactions of many round trips",
	advice.Churn:             "Connections are not kept",
	advice.Evictions:         "Prepared statements push each other out",
}

const maxAdvice = 100

func (d *Dashboard) advice(*http.Request) (any, error) {
	list := []Advice{}
	for _, a := range d.source.Monitor.Advice() {
		if a.State == advice.Refuted || len(list) == maxAdvice {
			continue
		}
		list = append(list, newAdvice(&a))
	}
	return map[string]any{"advice": list}, nil
}

func newAdvice(a *advice.Advice) Advice {
	title := titles[a.Kind]
	switch {
	case title == "":
		title = string(a.Kind)
	case a.Kind == advice.Index && a.DDL == "":
		title = "No index can help a condition"
	}
	if a.Table != "" {
		title += ": " + a.Table
	}
	return Advice{
		ID: a.ID, Title: title, Kind: string(a.Kind), State: string(a.State), Database: a.Database, Statement: a.Statement,
		Text: shorten(a.Text), Table: a.Table, Extension: a.Extension, DDL: a.DDL, Why: a.Why, Cost: a.Cost,
		CostBefore: finite(a.CostBefore), CostAfter: finite(a.CostAfter), Saved: a.Saved.Seconds(),
		Before: a.Before.Seconds(), After: a.After.Seconds(), Seen: a.Seen, Last: a.Last,
	}
}
