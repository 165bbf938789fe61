package pool

import "fmt"

// Corrupt is the value of a panic that left a pool in the middle of a change:
// its lock is held and its lists may be wrong. It must not be recovered from.
type Corrupt struct{ Cause any }

// Error implements error, so that the runtime prints the cause.
func (c Corrupt) Error() string { return fmt.Sprintf("pool: broken by a panic: %v", c.Cause) }

// unbroken is deferred by what sessions call and what takes the pool's lock.
func unbroken() {
	if v := recover(); v != nil {
		panic(Corrupt{v})
	}
}
