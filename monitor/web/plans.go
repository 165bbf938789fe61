package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/monitor/plan"
)

// PlanLine is an explained statement in a list. Times are in milliseconds.
type PlanLine struct {
	Number   uint64    `json:"number"`
	At       time.Time `json:"at"`
	Shape    string    `json:"shape"`
	Text     string    `json:"text"`
	Database string    `json:"database"`
	User     string    `json:"user"`
	Observed float64   `json:"observed"`
	Analyzed bool      `json:"analyzed"`
	Source   string    `json:"source"` // explain or auto_explain
	Reason   string    `json:"reason"` // why not, or where it comes from
	Plan     string    `json:"plan"`   // its fingerprint; empty: there is none
	Flipped  bool      `json:"flipped"`
	Nodes    int       `json:"nodes_count"`
	Findings int       `json:"findings_count"`
	Worst    string    `json:"worst"` // severity of the worst of them
}

// Plan is one of them with its steps.
type Plan struct {
	PlanLine
	Planning    float64   `json:"planning"`
	Execution   float64   `json:"execution"`
	JIT         float64   `json:"jit"`
	GenericCost float64   `json:"generic_cost"`
	Nodes       []Node    `json:"nodes"` // in pre-order
	Findings    []Finding `json:"findings"`
}

// Node is a step of a plan.
type Node struct {
	ID        int      `json:"id"`
	Depth     int      `json:"depth"`
	Leaf      bool     `json:"leaf"`
	Label     string   `json:"label"`
	Details   []Detail `json:"details"`
	Exclusive float64  `json:"exclusive"` // without its children
	Total     float64  `json:"total"`
	Share     float64  `json:"share"` // of the whole that it takes without its children: time, or cost
	Rows      float64  `json:"rows"`
	PlanRows  float64  `json:"plan_rows"`
	RowsOff   float64  `json:"rows_off"` // by what factor the planner was wrong; 0: it is not known
	Loops     float64  `json:"loops"`
	Cost      float64  `json:"cost"`
}

// Detail is something more about a step.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Finding is what is wrong with a plan, or a step of it.
type Finding struct {
	Check    string  `json:"check"`
	Severity string  `json:"severity"`
	Node     int     `json:"node"` // 0: the whole plan
	Message  string  `json:"message"`
	Hint     string  `json:"hint"`
	Saved    float64 `json:"saved"`
}

func (d *Dashboard) plans(*http.Request) (any, error) {
	list := []PlanLine{}
	for _, r := range d.source.Monitor.Explainer().Results() {
		list = append(list, newPlanLine(r))
	}
	return map[string]any{"plans": list}, nil
}

var errNoPlan = errors.New("there is no such plan (any more)")

func (d *Dashboard) plan(r *http.Request) (any, error) {
	number, err := strconv.ParseUint(r.URL.Query().Get("number"), 10, 64)
	if err != nil {
		return nil, errNoPlan
	}
	result, ok := d.source.Monitor.Explainer().Result(number)
	if !ok {
		return nil, errNoPlan
	}
	return newPlan(result), nil
}

func newPlanLine(r *explain.Result) PlanLine {
	line := PlanLine{
		Number: r.Number, At: r.At, Shape: r.Shape.String(), Text: shorten(r.Text), Database: r.Database, User: r.User,
		Observed: inMS(r.Observed), Source: r.Source(), Reason: r.Reason, Flipped: r.Flipped, Findings: len(r.Findings),
	}
	if r.Plan != nil {
		line.Plan, line.Analyzed = r.Plan.ID, r.Plan.Analyzed
		for range r.Plan.Nodes() {
			line.Nodes++
		}
	}
	worst := plan.Severity(0)
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	line.Worst = worst.String()
	return line
}

func newPlan(r *explain.Result) Plan {
	out := Plan{PlanLine: newPlanLine(r), GenericCost: r.GenericCost, Nodes: []Node{}, Findings: []Finding{}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, Finding{f.Check, f.Severity.String(), f.Node, f.Message, f.Hint, f.Saved})
	}
	p := r.Plan
	if p == nil {
		return out
	}
	out.Planning, out.Execution, out.JIT = p.Planning, p.Execution, p.JIT
	depths := make(map[*plan.Node]int)
	for n := range p.Nodes() {
		if n.Parent != nil {
			depths[n] = depths[n.Parent] + 1
		}
		out.Nodes = append(out.Nodes, newNode(p, n, depths[n]))
	}
	return out
}

func newNode(p *plan.Plan, n *plan.Node, depth int) Node {
	out := Node{
		ID: n.ID, Depth: depth, Leaf: len(n.Children) == 0, Label: n.Label(), Details: details(n),
		Exclusive: n.Exclusive, Total: n.Total, Rows: n.Rows, PlanRows: n.PlanRows, Loops: n.Loops, Cost: n.TotalCost,
	}
	if p.Analyzed {
		out.Share = share(n.Exclusive, p.Root.Total)
		out.RowsOff = finite(n.Misestimate())
	} else {
		out.Share = share(n.ExclusiveCost, p.Root.TotalCost)
	}
	return out
}

// share returns a part of a whole, from 0 to 1.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Min(math.Max(part/whole, 0), 1)
}

// details are the conditions of a step, and where its memory ended.
func details(n *plan.Node) []Detail {
	out := []Detail{}
	add := func(name, value string) {
		if value != "" {
			out = append(out, Detail{name, shorten(value)})
		}
	}
	count := func(name string, f float64) {
		if f > 0 {
			add(name, strconv.FormatFloat(f, 'f', -1, 64))
		}
	}
	add("Join", n.JoinType)
	add("Subplan", n.Subplan)
	add("Index condition", n.IndexCond)
	add("Recheck", n.RecheckCond)
	add("Filter", n.Filter)
	add("Join filter", n.JoinFilter)
	add("Hash condition", n.HashCond)
	add("Merge condition", n.MergeCond)
	add("One-time filter", n.OneTime)
	add("Sort key", strings.Join(n.SortKey, ", "))
	add("Group key", strings.Join(n.GroupKey, ", "))
	count("Rows removed by the filter", n.RemovedByFilter)
	count("Rows removed by the join filter", n.RemovedByJoin)
	count("Heap fetches", n.HeapFetches)
	add("Sort method", n.SortMethod)
	count("Disk, kB", n.DiskUsage)
	count("Hash batches", n.HashBatches)
	count("Blocks read", n.SharedRead)
	return out
}
