package cache

// Bypass says why a session's statement was not even looked up, whatever the statement.
type Bypass uint8

// The reasons.
const (
	NoBypass        Bypass = iota
	BypassSettings         // it is not known what its settings are, or what its transactions are by default
	BypassListens          // it listens: notifications have their place between the replies
	BypassPinned           // something of it is in its backend, which it keeps
	BypassMode             // its pool is in session mode, or its backend is outside of the pool
	BypassWrote            // its transaction has done more than read
	BypassFailed           // its transaction has failed
	BypassIsolation        // its transaction is above READ COMMITTED
	BypassBusy             // something of it is under way: it is in a pipeline
	bypasses
)

// String is the label in metrics.
func (b Bypass) String() string {
	return [bypasses]string{"", "settings", "listens", "pinned", "mode", "wrote", "failed", "isolation", "busy"}[b]
}

// Bypassed counts a statement that was not looked up. Callers with different numbers do
// not get into each other's way.
func (c *Cache) Bypassed(b Bypass, caller int) { c.stripes[caller%stripes].bypassed[b].Add(1) }
