package claims

// faster says whether something takes so many times less than a base, or even less.
// What was not measured does not.
func faster(base, other, least float64) bool {
	return base > 0 && other > 0 && base >= least*other
}
