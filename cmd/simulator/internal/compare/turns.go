package compare

import "slices"

// InTurn is the order of a round. Over as many rounds as there are in the list, twice as many
// if that number is odd, each is as often at each place, and as often right after each
// other (a balanced Latin square): what the machine does meanwhile, and what one leaves to the
// next, concerns all alike. Two of them go forth and back (ABBA).
func InTurn[T any](list []T, round int) []T {
	n := len(list)
	order := make([]T, n)
	for place := range order {
		from := (place + 1) / 2 // 0, 1, n-1, 2, n-2...
		if place%2 == 0 {
			from = n - from
		}
		order[place] = list[(from+round)%n]
	}
	if n%2 == 1 && round/n%2 == 1 {
		slices.Reverse(order)
	}
	return order
}
