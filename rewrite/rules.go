package rewrite

// Automatic returns the rules that apply by themselves, in the order in which they are
// tried: first those that are on by default, then those that have to show in shadow
// that they pay.
func Automatic() (on, shadow []Rule) {
	return []Rule{nullsOrder{}, anyContains, unusedLeftJoin, inDistinct, countExists, innerOrder, coalesceEquals, strposLike, orIn, limitInside},
		[]Rule{}
}
