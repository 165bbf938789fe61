package rewrite

import (
	"strings"
	"unique"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Plan is what is done with the statements of a shape, as of one state of the schema
// and of the guards. It is never changed.
type Plan struct {
	// Why says why nothing is rewritten, where that is the same for all rules.
	Why string
	// Exact is set where it is about this text only: what rules do depends on the
	// values of literals.
	Exact bool

	version uint64
	subject *Subject
	// steady has the rules that are on; canary those as well that are on trial; trial
	// those that are on and in the shadow. nil: there are no such rules.
	steady, canary, trial *Variant
}

// Variant is a way in which statements are rewritten.
type Variant struct {
	text     unique.Handle[string] // of the text that was looked at
	template *template             // nil: it is the only one
	guards   []*Guard
	// origins are what the client is to be told of where columns come from; nil: what
	// PostgreSQL says.
	origins []Column
	share   uint64 // one in so many statements is compared
}

// Current reports whether a plan is of the guards' states as they are.
func (p *Plan) Current(s *Shape) bool { return p.version == s.changes.Load() }

// Idle reports whether there is nothing to do with the statements.
func (p *Plan) Idle() bool { return p.steady == nil && p.canary == nil && p.trial == nil }

// Choice is what is done with one statement.
type Choice struct {
	// Variant is to be used; nil: the original.
	Variant *Variant
	// Compare is to be compared with the original, besides; nil: none.
	Compare *Variant
}

// Choose decides about the next statement. One in a transaction that is open is
// rewritten by rules that are on only: an error would end it.
func (p *Plan) Choose(s *Shape, open, force bool) (c Choice) {
	n := s.runs.Add(1)
	best := p.trial
	if best == nil {
		best = p.canary
	}
	if best == nil {
		best = p.steady
	}
	if n <= comparisons || n%best.share == 0 || n%compareSoon == 0 && best.uncompared() {
		c.Compare = best
	}
	switch {
	case force:
		c.Variant = p.steady
	case n%keepOriginal == 0:
	case p.canary != nil && !open && (n%canaryShare == 0 || s.original.count() >= enough && p.canary.tried() < enough):
		c.Variant = p.canary
	default:
		c.Variant = p.steady
	}
	return c
}

// tried is how often the rule on trial has been timed.
func (v *Variant) tried() uint64 { return v.guards[len(v.guards)-1].times.count() }

// uncompared reports whether it has not been compared often enough.
func (v *Variant) uncompared() bool {
	g := v.guards[len(v.guards)-1]
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.compared < comparisons
}

// Rules names the rules of a variant.
func (v *Variant) Rules() string {
	names := make([]string, len(v.guards))
	for i, g := range v.guards {
		names[i] = g.rule
	}
	return strings.Join(names, ", ")
}

// Origins are what RowDescription is to say of where columns come from; nil: what
// PostgreSQL says.
func (v *Variant) Origins() []Column { return v.origins }

// Handle returns the new text of the text that was looked at.
func (v *Variant) Handle() unique.Handle[string] { return v.text }

// AppendText appends the new text of another one with the same pattern, or of the same
// one. It allocates nothing if the buffers are large enough.
func (v *Variant) AppendText(buf, text []byte, spans []sqlparse.Span) ([]byte, bool) {
	if v.template == nil {
		return append(buf, v.text.Value()...), true
	}
	spans, ok := sqlparse.AppendSpans(spans[:0], text)
	if !ok {
		return buf, false
	}
	return v.template.appendText(buf, text, spans)
}

// Position returns where in the original text a place in the new one is, as error
// messages count: in characters, from 1 on.
func (v *Variant) Position(text []byte, position int) int {
	spans, ok := sqlparse.AppendSpans(nil, text)
	made, made2 := v.AppendText(nil, text, nil)
	if !ok || !made2 || v.template == nil || position < 1 {
		return 0
	}
	place := len(string(firstRunes(made, position-1)))
	at := v.template.origin(text, spans, place)
	return len([]rune(string(text[:min(at, len(text))]))) + 1
}

// firstRunes returns the first n characters of a text.
func firstRunes(text []byte, n int) []byte {
	for i := range string(text) {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// Ran notes how long a statement took that this variant was used for.
func (v *Variant) Ran(s *Shape, ns int64) {
	for _, g := range v.guards {
		g.Ran(ns, &s.original)
	}
}

// Equal notes a comparison without a difference.
func (v *Variant) Equal() {
	for _, g := range v.guards {
		g.Compared()
	}
}

// Trip stops the rules: they gave another answer, or failed.
func (v *Variant) Trip(why string) {
	for _, g := range v.guards {
		g.Trip(why)
	}
}
