package rewrite

import (
	"fmt"
	"slices"
)

// listed is a rule with what its guard begins with.
type listed struct {
	Rule
	// shadow has it compared before it acts; blind is set where PostgreSQL's costs say
	// nothing about the gain.
	shadow, blind bool
	// user is set for a rule of the configuration.
	user *UserRule
	// least is how many times as cheap PostgreSQL must think what it makes; 0: any.
	least float64
	// audience is its bit; 0: it is for everybody.
	audience Audience
}

// builtin are the rules that are not of the configuration, in the order in which they
// are tried.
var builtin = func() []listed {
	var rules []listed
	on, shadow := Automatic()
	for _, r := range on {
		rules = append(rules, listed{Rule: r})
	}
	for _, r := range shadow {
		rules = append(rules, listed{Rule: r, shadow: true, blind: costBlind[r.Name()]})
	}
	return rules
}()

// all are the rules of a configuration.
func (cfg *Config) all() (rules []listed, err error) {
	for i := range cfg.UserRules {
		r := &cfg.UserRules[i]
		made, err := r.compile()
		if err != nil {
			return nil, fmt.Errorf("user_rules[%d]: %w", i, err)
		}
		rules = append(rules, listed{Rule: made, shadow: r.Mode != ModeOn, blind: r.Limits.CostRatio == 0, least: r.Limits.CostRatio, user: r})
	}
	slices.SortStableFunc(rules, func(a, b listed) int { return b.user.Priority - a.user.Priority })
	return append(rules, builtin...), nil
}
