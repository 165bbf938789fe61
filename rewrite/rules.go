package rewrite

// Automatic returns the rules that apply by themselves, in the order in which they are
// tried: first those that are on by default, then those that have to show in shadow
// that they pay.
func Automatic() (on, shadow []Rule) {
	return []Rule{nullsOrder{}, anyContains, unusedLeftJoin, inDistinct, countExists, innerOrder, coalesceEquals, strposLike, orIn, limitInside, countColumn},
		[]Rule{fkJoin, notIn, orUnion, distinctUnique, distinctExists, nullsSplit, dateRange, leftLike, selfJoin, unionAll, looseScan, countDistinct,
			windowCount, existsOr, leftNull}
}

// costBlind are the rules of whose gain PostgreSQL's costs show nothing, or the opposite.
var costBlind = map[string]bool{"window_count": true, "count_distinct": true, "distinct_exists": true}
