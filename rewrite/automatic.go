package rewrite

import "google.golang.org/protobuf/proto"

// automatic is a rule that applies wherever its preconditions hold. S is what it knows
// of a place where it may apply.
type automatic[S any] struct {
	name, about string
	// find returns the places whose form is that of the rule.
	find func(*work) []S
	// needs are the preconditions, in their order.
	needs []need[S]
	// rewrite makes the changes at a place.
	rewrite func(*work, S)
}

// need is a precondition: the sentence when it does not hold, and whether it does.
type need[S any] struct {
	otherwise string
	holds     func(*work, S) bool
}

func (r automatic[S]) Name() string  { return r.name }
func (r automatic[S]) About() string { return r.about }

// notFound is said where the form of a rule is nowhere in a statement.
const notFound = "there is nothing of that form in it"

// Match applies the rule to all places where it can be. A place that overlaps with one
// that has been changed stays for the next time.
func (r automatic[S]) Match(q *Query) Match {
	w := begin(q)
	if w == nil {
		return Match{Why: "it is not one statement that can be read for sure"}
	}
	best, why := -1, notFound
	for _, site := range r.find(w) {
		met := 0
		for met < len(r.needs) && r.needs[met].holds(w, site) {
			met++
		}
		if met < len(r.needs) {
			if met > best {
				best, why = met, r.needs[met].otherwise
			}
			continue
		}
		r.apply(w, site)
	}
	if edits, tree := w.finish(); len(edits) > 0 {
		return Match{Edits: edits, Tree: tree, Why: r.about, Literals: w.literals}
	}
	if w.failed {
		why = "the place of something in the text was not found"
	}
	return Match{Why: why, Literals: w.literals}
}

// apply makes the changes at a place on a copy, so that one which overlaps others can be
// left out.
func (r automatic[S]) apply(w *work, site S) {
	trial := &work{Query: w.Query, source: w.source, tree: w.tree, levels: w.levels}
	before := proto.Clone(w.tree)
	r.rewrite(trial, site)
	clash := trial.failed
	for _, e := range trial.edits {
		clash = clash || w.overlaps(span{e.From, e.To})
	}
	if clash {
		proto.Reset(w.tree)
		proto.Merge(w.tree, before)
		w.failed = w.failed || len(w.edits) == 0 && trial.failed
		return
	}
	w.literals = w.literals || trial.literals
	w.edits = append(w.edits, trial.edits...)
}
