package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Plan is what EXPLAIN has said of a statement, without literals.
type Plan struct {
	// ID is the same for plans that do the same in the same order, whatever they cost.
	ID       string
	Root     *Node
	Analyzed bool    // it was executed: rows and times are known
	Planning float64 // ms
	// Execution is the time of all in ms, where Analyzed.
	Execution float64
	JIT       float64           // ms of it compiling; 0: none
	JITNodes  int               // functions that were compiled
	Settings  map[string]string // planner settings that are not the default
}

// Node is a step of a plan. Fields that a node of its type does not have are zero.
type Node struct {
	ID       int     `json:"-"` // its place in pre-order, from 1 on
	Parent   *Node   `json:"-"`
	Type     string  `json:"Node Type"`
	Children []*Node `json:"Plans"`

	Relationship string `json:"Parent Relationship"` // Outer, Inner, Member, InitPlan, SubPlan, Subquery
	Subplan      string `json:"Subplan Name"`
	Strategy     string `json:"Strategy"`
	PartialMode  string `json:"Partial Mode"`
	Operation    string `json:"Operation"` // of a ModifyTable
	JoinType     string `json:"Join Type"`
	Parallel     bool   `json:"Parallel Aware"`
	CTE          string `json:"CTE Name"`
	Function     string `json:"Function Name"`

	Relation
	Estimate
	Actual
	Conditions
	Spill
	Buffers

	// Infix is set when a LIKE or ILIKE in Filter looks for something that does not stand
	// at the beginning.
	Infix bool `json:"-"`
	// Exclusive is the time in ms that the node took without its children, and Total
	// the one with them, as the clock shows it. 0 where the plan was not executed.
	Exclusive, Total float64 `json:"-"`
	// ExclusiveCost is the cost without that of the children.
	ExclusiveCost float64 `json:"-"`
}

// Relation is what a node reads or changes.
type Relation struct {
	Schema    string `json:"Schema"`
	Name      string `json:"Relation Name"`
	Alias     string `json:"Alias"`
	Index     string `json:"Index Name"`
	Direction string `json:"Scan Direction"`
}

// Estimate is what the planner thought.
type Estimate struct {
	StartupCost float64 `json:"Startup Cost"`
	TotalCost   float64 `json:"Total Cost"`
	PlanRows    float64 `json:"Plan Rows"`
	PlanWidth   float64 `json:"Plan Width"`
	Planned     int     `json:"Workers Planned"`
}

// Actual is how it came out, where the plan was executed; but for Loops it is the
// average of one loop.
type Actual struct {
	StartupTime     float64  `json:"Actual Startup Time"` // ms
	TotalTime       float64  `json:"Actual Total Time"`   // ms
	Rows            float64  `json:"Actual Rows"`
	Loops           float64  `json:"Actual Loops"`
	RemovedByFilter float64  `json:"Rows Removed by Filter"`
	RemovedByJoin   float64  `json:"Rows Removed by Join Filter"`
	RemovedByIndex  float64  `json:"Rows Removed by Index Recheck"`
	HeapFetches     float64  `json:"Heap Fetches"`
	Launched        int      `json:"Workers Launched"`
	Workers         []Worker `json:"Workers"`
	SubplansRemoved int      `json:"Subplans Removed"`
}

// Worker is what one process of a parallel part did.
type Worker struct {
	Number int     `json:"Worker Number"`
	Time   float64 `json:"Actual Total Time"` // ms, of one loop
	Rows   float64 `json:"Actual Rows"`
	Loops  float64 `json:"Actual Loops"`
}

// Conditions are the expressions of a node, without literals.
type Conditions struct {
	Filter       string   `json:"Filter"`
	IndexCond    string   `json:"Index Cond"`
	RecheckCond  string   `json:"Recheck Cond"`
	HashCond     string   `json:"Hash Cond"`
	MergeCond    string   `json:"Merge Cond"`
	JoinFilter   string   `json:"Join Filter"`
	OneTime      string   `json:"One-Time Filter"`
	OrderBy      string   `json:"Order By"`
	TIDCond      string   `json:"TID Cond"`
	FunctionCall string   `json:"Function Call"`
	TableCall    string   `json:"Table Function Call"`
	Output       []string `json:"Output"`
	SortKey      []string `json:"Sort Key"`
	PresortedKey []string `json:"Presorted Key"`
	GroupKey     []string `json:"Group Key"`
	CacheKey     string   `json:"Cache Key"`
}

// Spill is where a node's memory ended.
type Spill struct {
	SortMethod    string  `json:"Sort Method"`
	SortSpace     float64 `json:"Sort Space Used"` // kB
	SortType      string  `json:"Sort Space Type"` // Memory or Disk
	HashBatches   float64 `json:"Hash Batches"`
	HashOriginal  float64 `json:"Original Hash Batches"`
	AggBatches    float64 `json:"HashAgg Batches"`
	DiskUsage     float64 `json:"Disk Usage"`        // kB
	PeakMemory    float64 `json:"Peak Memory Usage"` // kB
	ExactBlocks   float64 `json:"Exact Heap Blocks"`
	LossyBlocks   float64 `json:"Lossy Heap Blocks"`
	CacheHits     float64 `json:"Cache Hits"`
	CacheMisses   float64 `json:"Cache Misses"`
	CacheEvicted  float64 `json:"Cache Evictions"`
	CacheOverflow float64 `json:"Cache Overflows"`
}

// Buffers are blocks of 8 kB, with those of the children.
type Buffers struct {
	SharedHit     float64 `json:"Shared Hit Blocks"`
	SharedRead    float64 `json:"Shared Read Blocks"`
	SharedDirtied float64 `json:"Shared Dirtied Blocks"`
	SharedWritten float64 `json:"Shared Written Blocks"`
	TempRead      float64 `json:"Temp Read Blocks"`
	TempWritten   float64 `json:"Temp Written Blocks"`
}

// explained is the JSON of EXPLAIN.
type explained struct {
	Plan      *Node             `json:"Plan"`
	Planning  float64           `json:"Planning Time"`
	Execution *float64          `json:"Execution Time"`
	Settings  map[string]string `json:"Settings"`
	JIT       *struct {
		Functions int `json:"Functions"`
		Timing    struct {
			Total float64 `json:"Total"`
		} `json:"Timing"`
	} `json:"JIT"`
}

var errNoPlan = errors.New("no plan in it")

// Parse reads what EXPLAIN (FORMAT JSON) has said.
func Parse(text []byte) (*Plan, error) {
	var all []explained
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("reading a plan: %w", err)
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("reading a plan: %w", errNoPlan)
	}
	return all[0].plan()
}

// ParseTold reads what auto_explain has said of a statement that took so long.
func ParseTold(text []byte, took time.Duration) (*Plan, error) {
	var e explained
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("reading a plan: %w", err)
	}
	if e.Plan != nil && e.Plan.Loops > 0 {
		e.Execution = new(took.Seconds() * 1000)
	}
	return e.plan()
}

// plan checks the plan, takes the literals out and adds it up.
func (e *explained) plan() (*Plan, error) {
	if e.Plan == nil {
		return nil, fmt.Errorf("reading a plan: %w", errNoPlan)
	}
	p := &Plan{Root: e.Plan, Planning: e.Planning, Settings: e.Settings}
	if e.Execution != nil {
		p.Analyzed, p.Execution = true, *e.Execution
	}
	if e.JIT != nil {
		p.JIT, p.JITNodes = e.JIT.Timing.Total, e.JIT.Functions
	}
	n := 0
	if !p.Root.link(nil, &n) {
		return nil, fmt.Errorf("reading a plan: %w", errNoPlan)
	}
	for node := range p.Nodes() {
		node.redact()
	}
	p.measure()
	p.ID = p.fingerprint()
	return p, nil
}

// link numbers the nodes in pre-order. It returns false if one of them is none.
func (n *Node) link(parent *Node, count *int) bool {
	if n == nil {
		return false
	}
	*count++
	n.ID, n.Parent = *count, parent
	for _, child := range n.Children {
		if !child.link(n, count) {
			return false
		}
	}
	return true
}

// Nodes yields all nodes in pre-order.
func (p *Plan) Nodes() func(yield func(*Node) bool) {
	return func(yield func(*Node) bool) { p.Root.walk(yield) }
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, child := range n.Children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// Table is schema and name of what the node reads, empty if that is no table.
func (n *Node) Table() string {
	if n.Name == "" {
		return ""
	}
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// child returns the first child with this relationship.
func (n *Node) child(relationship string) *Node {
	for _, c := range n.Children {
		if c.Relationship == relationship {
			return c
		}
	}
	return nil
}
