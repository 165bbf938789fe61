package cache

// Warm is a statement whose answer is to be there before anybody asks.
type Warm struct {
	// Text is the SQL as clients send it, Params are its parameters. Without any it is
	// for clients that send a Query; with some, for those that send text values of
	// types that they do not give, as libpq does.
	Text   string   `yaml:"text"`
	Params []string `yaml:"params"`
	// User and Database are names as clients give them, Settings what they send when
	// they connect, as name=value. Answers are for those with the same.
	User     string   `yaml:"user"`
	Database string   `yaml:"database"`
	Settings []string `yaml:"settings"`
	// Priority: the highest goes first.
	Priority int `yaml:"priority"`
}

// WarmResult is what became of a statement that was executed to be warm.
type WarmResult uint8

// The results.
const (
	WarmKept    WarmResult = iota
	WarmRefused            // its answer was not kept: see Shape.Why and the reasons
	WarmFailed             // there was no answer
	warmResults
)

// String is the label in metrics.
func (r WarmResult) String() string { return [warmResults]string{"kept", "refused", "failed"}[r] }

// Warm returns the statements of the configuration that are to be warm.
func (c *Cache) Warm() []Warm { return c.cfg.Load().Warm }

// CountWarm counts an execution.
func (c *Cache) CountWarm(r WarmResult) { c.warmed[r].Add(1) }

// FreshFor reports whether the answer is good, and not in the last part of its life: a
// tenth, if part is 10. A nil Entry is not.
func (e *Entry) FreshFor(now, part int64) bool {
	return e != nil && now < e.fresh-(e.fresh-e.made)/part && e.stamp.Current()
}
