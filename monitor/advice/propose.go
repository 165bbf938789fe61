package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/monitor/plan"
)

// Limits says from when on an index is worth a thought.
type Limits struct {
	Rows      float64 // of the table
	Share     float64 // of its rows that are wanted at most
	BRINBytes float64 // size of a table from which on a BRIN index is thought of
}

// DefaultLimits returns the built-in defaults.
func DefaultLimits() Limits { return Limits{Rows: 10_000, Share: 0.3, BRINBytes: 1 << 30} }

const (
	// maxKeys bounds the columns of an index.
	maxKeys = 3
	// fewRows is how few rows are left when another column is not worth it.
	fewRows = 50
	// fewValues is how few values make a column no good alone.
	fewValues = 3
	// rare is how seldom something must be to have an index of its own.
	rare = 0.2
	// covered bounds the columns of INCLUDE, coveredWidth their bytes on average.
	covered      = 3
	coveredWidth = 64
	// settled is the part of a table's pages that must be all visible for that.
	settled = 0.8
	// ordered is how closely the order of rows must follow a column for BRIN.
	ordered = 0.9

	trigrams     = "gin_trgm_ops"
	patternClass = "text_pattern_ops"
)

// prefixClasses are the operator classes for prefixes, by type. On other types, such as citext,
// LIKE uses no index.
var prefixClasses = map[string]string{"text": patternClass, "character varying": patternClass, "character": "bpchar_pattern_ops", "name": "name_ops"}

// Propose returns indexes that may help a plan, at most one for each step. tables has
// what is known, by plan.Node.Table.
func Propose(p *plan.Plan, tables map[string]*Table, l Limits) (list []Candidate) {
	for n := range p.Nodes() {
		t := tables[n.Table()]
		if t == nil || t.rows() < l.Rows {
			continue
		}
		c, ok := forScan(p, n, t, l)
		if !ok {
			c, ok = forJoin(p, n, t)
		}
		if ok && !c.Exists() && !c.Made() && !slices.ContainsFunc(list, c.same) {
			list = append(list, c)
		}
	}
	return list
}

// same reports whether another candidate is the same index, or is for another partition that
// the same step reads or that is to begin with the same key: one index is for all partitions.
func (c *Candidate) same(o Candidate) bool {
	if c.on() == o.on() && c.Table.Whole != nil {
		return c.Node.Parent == o.Node.Parent || c.Method == o.Method && c.Keys[0].String() == o.Keys[0].String()
	}
	return c.definition() == o.definition()
}

// forScan looks for an index that finds the rows that a scan filters out of many.
func forScan(p *plan.Plan, n *plan.Node, t *Table, l Limits) (c Candidate, ok bool) {
	if n.Filter == "" || !reads(n) {
		return c, false
	}
	wanted, read := wantedRows(p, n, t)
	if wanted > l.Share*read || read < l.Rows/10 {
		return c, false
	}
	c = Candidate{Table: t, Node: n, Method: "btree"}
	c.Why = fmt.Sprintf("%s: %.0f of %.0f rows are wanted, by %s", n.Label(), wanted, read, n.Filter)
	all := slices.DeleteFunc(predicates(n), t.unlike)
	for _, preds := range [][]predicate{slices.DeleteFunc(slices.Clone(all), t.unfit), all} {
		if c.special(preds) || c.ordinary(preds, wanted, l) {
			return c, true
		}
	}
	return c, false
}

// predicates are the conditions that the rows of a scan meet.
func predicates(n *plan.Node) []predicate {
	preds := append(conditions(n.IndexCond, n.Alias), conditions(n.Filter, n.Alias)...)
	if n.Type == "Bitmap Heap Scan" {
		preds = append(conditions(n.RecheckCond, n.Alias), preds...)
	}
	return preds
}

func reads(n *plan.Node) bool {
	return n.Type == "Seq Scan" || n.Type == "Index Scan" || n.Type == "Index Only Scan" || n.Type == "Bitmap Heap Scan"
}

// wantedRows returns how many rows pass a scan and how many it reads.
func wantedRows(p *plan.Plan, n *plan.Node, t *Table) (wanted, read float64) {
	if !p.Analyzed || n.Loops == 0 {
		if n.Type != "Seq Scan" { // how many it would read is not said
			return 1, 0
		}
		return n.PlanRows, t.Rows
	}
	return n.Rows * n.Loops, (n.Rows + n.RemovedByFilter) * n.Loops
}

// special finds what takes another kind of index than btree.
func (c *Candidate) special(preds []predicate) bool {
	for _, p := range preds {
		key := Key{Column: p.column, Expression: p.expression}
		kind := c.Table.Columns[p.column].Type
		switch {
		case p.op == contains && kind == "jsonb":
			key.Class = "jsonb_path_ops"
		case (p.op == contains || p.op == overlaps) && strings.HasSuffix(kind, "[]"), p.op == hasKey && kind == "jsonb",
			p.op == searches && (kind == "tsvector" || p.expression != ""):
		case p.op == like && c.Node.Infix && (kind == "text" || kind == "character varying"):
			key.Class = trigrams
		default:
			continue
		}
		c.Method, c.Keys = "gin", []Key{key}
		return true
	}
	return false
}

// ordinary makes a btree index: columns that are compared for equality, those with most
// values first; then those of ORDER BY, or one with a range.
func (c *Candidate) ordinary(preds []predicate, wanted float64, l Limits) bool {
	left := c.Table.Rows
	preds = slices.DeleteFunc(slices.Clone(preds), c.Table.tooLong)
	for _, p := range c.equalities(preds) {
		if len(c.Keys) == maxKeys || len(c.Keys) > 0 && left < fewRows {
			break
		}
		c.Keys = append(c.Keys, Key{Column: p.column, Expression: p.expression})
		if p.column != "" {
			left /= max(c.Table.distinct(p.column), 1)
		}
	}
	equal := len(c.Keys)
	either := slices.ContainsFunc(preds, func(p predicate) bool { return p.either })
	if order := slices.DeleteFunc(c.sortKeys(), c.hasKey); !either && equal+len(order) <= maxKeys && len(order) > 0 {
		c.Keys = append(c.Keys, order...)
	} else if p, ok := c.oneRange(preds); ok && len(c.Keys) < maxKeys {
		c.Keys = append(c.Keys, p)
	}
	c.partial(preds)
	if len(c.Keys) == 0 {
		return false
	}
	if equal == 0 && c.Where == "" && !c.hasRange(preds) {
		return false // the order alone does not make fewer rows
	}
	if !either && !c.turnsBRIN(equal, l) { // the table is read after all values have been found
		c.cover()
	}
	return true
}

// equalities returns the columns and expressions that must have one value, those with
// most values first. Those with few values are of no use alone.
func (c *Candidate) equalities(preds []predicate) (list []predicate) {
	for _, p := range preds {
		known := func(o predicate) bool { return o.column == p.column && o.expression == p.expression }
		_, column := c.Table.Columns[p.column]
		if p.op != equals || !column && p.expression == "" || slices.ContainsFunc(list, known) {
			continue
		}
		list = append(list, p)
	}
	values := func(p predicate) float64 {
		if p.column == "" {
			return c.Table.Rows
		}
		return c.Table.distinct(p.column)
	}
	slices.SortStableFunc(list, func(a, b predicate) int { return cmp.Compare(values(b), values(a)) })
	if len(list) > 0 && values(list[0]) > fewValues {
		list = slices.DeleteFunc(list, func(p predicate) bool { return values(p) <= fewValues && values(p) > 0 })
	}
	return list
}

// oneRange returns the first key that is compared with < or >, or has a prefix.
func (c *Candidate) oneRange(preds []predicate) (k Key, ok bool) {
	for _, p := range preds {
		column, known := c.Table.Columns[p.column]
		switch {
		case !known && p.expression == "" || c.hasKey(Key{Column: p.column, Expression: p.expression}):
		case p.op == ranges:
			return Key{Column: p.column, Expression: p.expression}, true
		case p.op == like && !c.Node.Infix && (!known || prefixClasses[column.Type] != ""):
			k = Key{Column: p.column, Expression: p.expression}
			if !column.Plain {
				k.Class = cmp.Or(prefixClasses[column.Type], patternClass)
			}
			return k, true
		}
	}
	return k, false
}

// hasKey reports whether a column or expression is a key already.
func (c *Candidate) hasKey(k Key) bool {
	return slices.ContainsFunc(c.Keys, func(o Key) bool { return o.Column == k.Column && o.Expression == k.Expression })
}

func (c *Candidate) hasRange(preds []predicate) bool {
	return slices.ContainsFunc(preds, func(p predicate) bool {
		return (p.op == ranges || p.op == like) && c.hasKey(Key{Column: p.column, Expression: p.expression})
	})
}

// partial leaves rows out of the index that the statement never wants, if they are most.
func (c *Candidate) partial(preds []predicate) {
	for _, p := range preds {
		column, known := c.Table.Columns[p.column]
		if !known {
			continue
		}
		share, where := 1.0, ""
		switch p.op {
		case isNull:
			share, where = column.Nulls, quote(p.column)+" IS NULL"
		case notNull:
			share, where = 1-column.Nulls, quote(p.column)+" IS NOT NULL"
		case isTrue:
			share, where = column.Trues, quote(p.column)
		case isFalse:
			share, where = 1-column.Trues-column.Nulls, "NOT "+quote(p.column)
		}
		if (p.op == isTrue || p.op == isFalse) && column.Trues < 0 || share >= rare {
			continue
		}
		c.Where = where
		if len(c.Keys) == 0 {
			c.Keys = []Key{{Column: p.column}}
		}
		return
	}
}

// turnsBRIN makes it a BRIN index, which is a thousandth as large, where rows lie in the
// order of the column.
func (c *Candidate) turnsBRIN(equal int, l Limits) bool {
	if equal > 0 || len(c.Keys) != 1 || c.Keys[0].Column == "" || c.Where != "" || c.Table.Bytes < l.BRINBytes {
		return false
	}
	if correlation := c.Table.Columns[c.Keys[0].Column].Correlation; correlation < ordered && correlation > -ordered {
		return false
	}
	c.Method, c.Keys[0].Order = "brin", ""
	return true
}

// cover adds the few columns that the statement wants besides, so that the table need
// not be read.
func (c *Candidate) cover() {
	if c.Table.Visible < settled {
		return
	}
	var include []string
	width, longest := 0.0, 0.0
	columns, ok := c.needed()
	if !ok {
		return
	}
	for _, column := range columns {
		facts := c.Table.Columns[column]
		if slices.Contains(c.columns(), column) {
			continue
		}
		if facts.Longest == 0 {
			return
		}
		include = append(include, column)
		width += facts.Width
		longest += facts.Longest
	}
	if len(include) <= covered && width <= coveredWidth && longest <= coveredBytes && !slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Expression != "" }) {
		c.Include = include
	}
}

// sortKeys returns what the rows of a scan are sorted by right above it, as keys; nil if
// they are not, or not by columns of its alone that are fit for keys.
func (c *Candidate) sortKeys() (keys []Key) {
	n, up := c.Node, c.Node.Parent
	for up != nil && (up.Gathers() || up.Type == "Limit") {
		up = up.Parent
	}
	if up == nil || up.Type != "Sort" {
		return nil
	}
	for _, text := range up.SortKey {
		order := ""
		for _, suffix := range []string{" nulls first", " nulls last"} {
			if rest, found := strings.CutSuffix(text, suffix); found {
				text, order = rest, strings.ToUpper(suffix)
			}
		}
		if rest, found := strings.CutSuffix(text, " desc"); found {
			text, order = rest, " DESC"+order
		}
		p, ok := side(text, n.Alias, equals)
		if !ok || p.column == "" || c.Table.tooLong(p) || c.Table.unlike(p) {
			return nil
		}
		keys = append(keys, Key{Column: p.column, Order: strings.TrimSpace(order)})
	}
	return keys
}
