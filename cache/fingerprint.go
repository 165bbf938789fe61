package cache

import (
	"fmt"
	"hash/fnv"
)

// Fingerprint is a short name for a normalised text: 16 hexadecimal digits, the same
// in every process.
func Fingerprint(normal string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(normal)) // never fails
	return fmt.Sprintf("%016x", h.Sum64())
}
