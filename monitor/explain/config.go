package explain

import (
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/plan"
)

// Config says what is explained and how carefully.
type Config struct {
	Mode Mode
	// Told is what PostgreSQL tells of plans by itself: off, plan or analyze.
	Told Mode
	// Rate is how many statements are explained in a minute at most, Cooldown how long a
	// shape is left alone after it was, RetryAfter after an error.
	Rate       int
	Cooldown   time.Duration
	RetryAfter time.Duration
	// MaxDuration and MaxCost are what a statement may have taken, or be expected to cost,
	// to be executed again. Timeout bounds each statement on the server.
	MaxDuration time.Duration
	MaxCost     float64
	Timeout     time.Duration
	Superuser   bool // what a superuser runs may be executed too
	Keep        int  // results
	Thresholds  plan.Thresholds
	Advice      advice.Thresholds
}
