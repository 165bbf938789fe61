package cache

import (
	"errors"
	"time"
)

// Policy says whether statements are cached.
type Policy string

// The policies.
const (
	Auto   Policy = "auto"   // if that is known to be right, and as long as it pays
	Never  Policy = "never"  // not even looked up
	Always Policy = "always" // if that is known to be right, whether it pays or not
)

// Config says what is remembered, and for how long.
type Config struct {
	// Enabled switches the cache on. No answer is older than the last write that
	// went through this pgjay to what it reads; writes from elsewhere are seen
	// when the time is up, so choose TTL by those.
	Enabled bool `yaml:"enabled"`
	// Size bounds the memory that answers take. Choose it so that what is asked
	// for again and again fits in; what SHOW CACHE counts as evicted did not.
	Size Bytes `yaml:"size"`
	// MaxEntry bounds one answer, before compression. A larger one is passed
	// through: it would push out many small ones that save more.
	MaxEntry Bytes `yaml:"max_entry"`
	// TTL is how long an answer is served where no rule says otherwise. It matters
	// only for writes that do not go through this pgjay: the longest time that
	// such a write may stay unseen.
	TTL time.Duration `yaml:"ttl"`
	// MaxTTL bounds what rules and hints may ask for, with the time in which an
	// answer may be served stale.
	MaxTTL time.Duration `yaml:"max_ttl"`
	// CompressOver is the length from which answers are kept compressed if that
	// saves 30 % or more. More fits in, and a hit takes about a millisecond
	// longer per megabyte; what is hit often is unpacked while half of the size
	// is free. 0: never.
	CompressOver Bytes `yaml:"compress_over"`
	// VerifySample runs one in this many hits on PostgreSQL too and compares. 0:
	// none. Choose 1000 to be sure of a new rule; it costs what it says.
	VerifySample int `yaml:"verify_sample"`
	// CoalesceMaxWait is how long a statement waits for an equal one that is being
	// executed, before it is executed too. Choose it above what the slowest
	// statement takes that many clients ask for at once. 0: no waiting.
	CoalesceMaxWait time.Duration `yaml:"coalesce_max_wait"`
	// Hints lets a comment at the start of a statement decide:
	// /* pgjay: ttl=30s */ and /* pgjay: nocache */. Rules can say otherwise for
	// some users. Leave it off if texts come from people you do not trust.
	Hints bool `yaml:"hints"`
	// Rules say otherwise for some statements. The first that matches wins.
	Rules []Rule `yaml:"rules"`
	// Warm are statements whose answers are to be there before anybody asks: they are
	// executed at the start, and again when what they read has changed. Choose few that
	// are slow and asked for often.
	Warm []Warm `yaml:"warm"`
}

// A Rule is for the statements that meet all its conditions: those that are
// given. One without conditions is for all.
type Rule struct {
	// Tables are name (in any schema), schema.name or schema.*. A rule with cache:
	// never is for statements that read any of them, another for those that read
	// nothing else.
	Tables []string `yaml:"tables"`
	// Users and Databases are names as clients give them.
	Users     []string `yaml:"users"`
	Databases []string `yaml:"databases"`
	// Fingerprint is that of a normalised text, as SHOW CACHE shows it: see the
	// function of this name.
	Fingerprint string `yaml:"fingerprint"`
	// Match is a regular expression (RE2) on the normalised text: without
	// comments, and with $1, $2 in place of literals.
	Match string `yaml:"match"`

	// Cache: auto, never or always.
	Cache Policy `yaml:"cache"`
	// TTL and MaxEntry are in place of the general ones.
	TTL      *time.Duration `yaml:"ttl"`
	MaxEntry *Bytes         `yaml:"max_entry"`
	// StaleWhileRevalidate is for how long beyond its TTL an answer is served while
	// one statement gets a new one. Choose it above what that takes.
	StaleWhileRevalidate time.Duration `yaml:"stale_while_revalidate"`
	// StaleIfError is for how long beyond its TTL an answer is served if PostgreSQL
	// cannot be reached. Clients do not learn that it could not be.
	StaleIfError time.Duration `yaml:"stale_if_error"`
	// Functions may be called by these statements though they are not known to
	// depend on their arguments alone.
	Functions []Function `yaml:"functions"`
	// Tags are names by which PURGE CACHE TAG forgets the answers.
	Tags []string `yaml:"tags"`
	// Hints is in place of the general one.
	Hints *bool `yaml:"hints"`
}

// Function declares that a STABLE function reads these tables and depends on
// nothing else but its arguments and the session's settings. Nobody checks that.
type Function struct {
	Name   string   `yaml:"name"`   // name or schema.name
	Tables []string `yaml:"tables"` // schema.name
}

// DefaultConfig returns the built-in defaults.
func DefaultConfig() Config {
	return Config{
		Size:            256 * MB,
		MaxEntry:        MB,
		TTL:             5 * time.Minute,
		MaxTTL:          time.Hour,
		CompressOver:    1000,
		CoalesceMaxWait: time.Second,
	}
}

func (cfg *Config) check() error {
	switch {
	case cfg.Size <= 0:
		return errors.New("size must be more than 0")
	case cfg.MaxEntry <= 0:
		return errors.New("max_entry must be more than 0")
	case cfg.TTL <= 0 || cfg.MaxTTL <= 0:
		return errors.New("ttl and max_ttl must be more than 0")
	}
	return nil
}
