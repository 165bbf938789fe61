package rewrite

// listed is a rule with what its guard begins with.
type listed struct {
	Rule
	// shadow has it compared before it acts; blind is set where PostgreSQL's costs say
	// nothing about the gain.
	shadow, blind bool
	// user is set for a rule of the configuration.
	user *UserRule
}

// Automatic returns the rules that apply by themselves, in the order in which they are
// tried: first those that are on by default, then those that have to show in shadow
// that they pay.
func Automatic() (on, shadow []Rule) {
	return []Rule{nullsOrder{}, anyContains, unusedLeftJoin, inDistinct, countExists, innerOrder, coalesceEquals, strposLike, orIn, limitInside},
		[]Rule{}
}

// all are the rules of a configuration.
func (cfg *Config) all() (rules []listed) {
	for i := range cfg.UserRules {
		rules = append(rules, listed{Rule: userRule{&cfg.UserRules[i]}, shadow: cfg.UserRules[i].Mode != ModeOn, blind: true, user: &cfg.UserRules[i]})
	}
	on, shadow := Automatic()
	for _, r := range on {
		rules = append(rules, listed{Rule: r})
	}
	for _, r := range shadow {
		rules = append(rules, listed{Rule: r, shadow: true})
	}
	return rules
}
