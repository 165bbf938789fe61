package rewrite

import (
	"errors"
	"time"
)

// OffsetConfig says how pages behind a large OFFSET are got.
type OffsetConfig struct {
	// Enabled switches it on. Pages are exact as long as all that writes goes through
	// this pgjay: a write from elsewhere may shift pages for as long as MaxAge. Choose
	// it where clients go far into long lists.
	Enabled bool `yaml:"enabled"`
	// Min is the OFFSET from which on it pays to look. Below it PostgreSQL is as fast.
	Min int `yaml:"min"`
	// MemoryMB bounds what bookmarks take, of all lists together: 2,000,000 rows take
	// less than 1 MB. Lists that nobody pages through make room.
	MemoryMB int `yaml:"memory_mb"`
	// MaxAge is how long a bookmark is good if nothing is known to have changed.
	MaxAge time.Duration `yaml:"max_age"`
	// Sample lets a list that is paged through again and again be counted through once
	// in the background, so that any page of it is near a bookmark. It costs one pass
	// over the list's index.
	Sample bool `yaml:"sample"`
	// SampleTimeout bounds one such pass. Choose it above what the longest list takes,
	// about a second for two million rows.
	SampleTimeout time.Duration `yaml:"sample_timeout"`
	// Join lets the keys of a page's rows be found in an index before the rows are
	// read, where there are no bookmarks.
	Join bool `yaml:"join"`
}

// DefaultOffsetConfig returns the built-in defaults.
func DefaultOffsetConfig() OffsetConfig {
	return OffsetConfig{Min: 2000, MemoryMB: 64, MaxAge: 5 * time.Minute, Sample: true, SampleTimeout: 30 * time.Second, Join: true}
}

// Memory is what bookmarks may take, in bytes.
func (c *OffsetConfig) Memory() int64 { return int64(c.MemoryMB) << 20 }

func (c *OffsetConfig) check() error {
	switch {
	case !c.Enabled:
		return nil
	case c.Min < 1:
		return errors.New("offset.min must be 1 or more")
	case c.MemoryMB < 1:
		return errors.New("offset.memory_mb must be 1 or more")
	case c.MaxAge <= 0, c.SampleTimeout <= 0:
		return errors.New("offset.max_age and offset.sample_timeout must be more than 0")
	}
	return nil
}
