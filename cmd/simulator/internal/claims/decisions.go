package claims

// faster says whether something takes so many times less than a base, or even less.
// What was not measured does not.
func faster(base, other, least float64) bool {
	return base > 0 && other > 0 && base >= least*other
}

// freeJoins says whether a list with joins takes no longer than one without, both through
// PgJay. A fifth is what measurements differ by.
func freeJoins(joined, simple times) bool { return faster(1.2*simple.pgjay, joined.pgjay, 1) }
