package compare

import "testing"

// TestInTurn wants each as often at each place, and as often after each other.
func TestInTurn(t *testing.T) {
	for n, rounds := range map[int]int{1: 2, 2: 2, 3: 6, 5: 10, 6: 6} {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		at, after := make(map[[2]int]int), make(map[[2]int]int)
		for round := range rounds {
			order := InTurn(list, round)
			for place, who := range order {
				at[[2]int{who, place}]++
				if place > 0 {
					after[[2]int{order[place-1], who}]++
				}
			}
		}
		if len(at) != n*n || len(after) != n*(n-1) {
			t.Errorf("%d in %d rounds: %d places and %d neighbours", n, rounds, len(at), len(after))
		}
		for _, counts := range []map[[2]int]int{at, after} {
			for who, count := range counts {
				if count != rounds/n {
					t.Errorf("%d in %d rounds: %v %d times, not %d", n, rounds, who, count, rounds/n)
				}
			}
		}
	}
}
