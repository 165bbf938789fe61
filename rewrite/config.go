package rewrite

import (
	"errors"
	"fmt"
	"slices"
)

// Mode says how far something may go.
type Mode string

// The modes.
const (
	ModeOff    Mode = "off"    // nothing
	ModeShadow Mode = "shadow" // it is run besides clients' statements and compared; they do not notice
	ModeCanary Mode = "canary" // a few statements are rewritten
	ModeOn     Mode = "on"     // what pays is rewritten
)

// state returns how far a guard may go.
func (m Mode) state() State {
	return [...]State{Off, Shadow, Canary, On}[max(slices.Index([]Mode{ModeOff, ModeShadow, ModeCanary, ModeOn}, m), 0)]
}

// Config says what is rewritten.
type Config struct {
	// Mode bounds what any rule may do. Choose shadow first, and look at SHOW
	// REWRITES after a day: what it found, and whether all comparisons were equal.
	Mode Mode `yaml:"mode"`
	// Force has each rule act whatever it costs, and without a trial. It is for tests.
	Force bool `yaml:"force"`
	// Rules say otherwise for some rules, databases and users. The first that
	// matches wins. It cannot go further than Mode.
	Rules []Switch `yaml:"rules"`
	// UserRules are rules of your own. They are tried before the built-in ones.
	UserRules []UserRule `yaml:"user_rules"`
	// Offset says how pages behind a large OFFSET are got, whatever Mode is. Rules
	// whose mode is not on, and that name OffsetRule or no rule, switch it off.
	Offset OffsetConfig `yaml:"offset"`
}

// Switch says how far rules may go, where all of its conditions are met that are given.
type Switch struct {
	// Names are those of rules, as SHOW REWRITES has them.
	Names []string `yaml:"names"`
	// Users and Databases are names as clients give them.
	Users     []string `yaml:"users"`
	Databases []string `yaml:"databases"`
	Mode      Mode     `yaml:"mode"`
	// Pages says what a deep page is, where OffsetRule is among the names.
	Pages Pages `yaml:"pages"`
}

// Pages says what a page behind a deep OFFSET is.
type Pages string

const (
	// PagesExact, the default: what plain OFFSET gives.
	PagesExact Pages = "exact"
	// PagesStable: what follows the page before, as a cursor has it, although rows before
	// that have come or gone.
	PagesStable Pages = "stable"
)

func (s *Switch) checkPages() error {
	switch {
	case s.Pages == "":
		return nil
	case s.Pages != PagesExact && s.Pages != PagesStable:
		return fmt.Errorf("pages is exact or stable, not %q", s.Pages)
	case !slices.Contains(s.Names, OffsetRule):
		return errors.New("pages is for rules with the name " + OffsetRule)
	}
	return nil
}

func (s *Switch) matches(rule, user, database string) bool {
	in := func(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
	return in(s.Names, rule) && in(s.Users, user) && in(s.Databases, database)
}

// DefaultConfig returns the built-in defaults.
func DefaultConfig() Config { return Config{Mode: ModeOff, Offset: DefaultOffsetConfig()} }

// Valid reports whether there is such a mode.
func (m Mode) Valid() bool {
	switch m {
	case ModeOff, ModeShadow, ModeCanary, ModeOn:
		return true
	}
	return false
}

func (cfg *Config) check(rules []listed) error {
	if !cfg.Mode.Valid() {
		return fmt.Errorf("there is no mode %q", cfg.Mode)
	}
	if err := cfg.Offset.check(); err != nil {
		return err
	}
	for i := range cfg.Rules {
		if !cfg.Rules[i].Mode.Valid() {
			return fmt.Errorf("rules[%d]: there is no mode %q", i, cfg.Rules[i].Mode)
		}
		if err := cfg.Rules[i].checkPages(); err != nil {
			return fmt.Errorf("rules[%d]: %w", i, err)
		}
		for _, name := range cfg.Rules[i].Names {
			if name != OffsetRule && !slices.ContainsFunc(rules, func(r listed) bool { return r.Name() == name }) {
				return fmt.Errorf("rules[%d]: there is no rule %q", i, name)
			}
		}
	}
	return nil
}

// OffsetRule is the name of what gets deep pages, among those of rules.
const OffsetRule = "deep_offset"

// Deep reports whether deep pages of a user in a database are looked after, and whether
// they are stable ones.
func (cfg *Config) Deep(user, database string) (on, stable bool) {
	for i := range cfg.Rules {
		if s := &cfg.Rules[i]; s.matches(OffsetRule, user, database) {
			return cfg.Offset.Enabled && s.Mode == ModeOn, s.Pages == PagesStable
		}
	}
	return cfg.Offset.Enabled, false
}

// Names are those of all rules of a configuration.
func (cfg *Config) Names() (names []string) {
	names = append(names, OffsetRule)
	for i := range cfg.UserRules {
		names = append(names, cfg.UserRules[i].Name)
	}
	for _, r := range builtin {
		names = append(names, r.Name())
	}
	return names
}
