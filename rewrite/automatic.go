package rewrite

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
	skip := map[int]bool{}
	for {
		w := begin(q)
		if w == nil {
			return Match{Why: "it is not one statement that can be read for sure"}
		}
		why, clash := r.try(w, skip)
		if clash < 0 {
			return w.finish(r.about, why)
		}
		skip[clash] = true
	}
}

// try applies the rule to the places that are not to be skipped. It returns the number
// of the first that overlaps with one before it, or whose place in the text is not found.
func (r automatic[S]) try(w *work, skip map[int]bool) (why string, clash int) {
	best, why := -1, notFound
	for k, site := range r.find(w) {
		met := 0
		for met < len(r.needs) && r.needs[met].holds(w, site) {
			met++
		}
		switch {
		case met < len(r.needs):
			if met > best {
				best, why = met, r.needs[met].otherwise
			}
		case skip[k]:
			best, why = met, "the place of something in the text was not found"
		default:
			edits, copied := len(w.edits), len(w.copied)
			if r.rewrite(w, site); w.failed || w.clashes(edits, copied) {
				return "", k
			}
		}
	}
	return why, -1
}
