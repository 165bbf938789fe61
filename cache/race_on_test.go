//go:build race

package cache

import "testing"

// skipUnderRace is for tests with one goroutine that take long, and for those that
// count allocations: sync.Pool forgets on purpose.
func skipUnderRace(t *testing.T) { t.Skip("nothing in it is concurrent") }
