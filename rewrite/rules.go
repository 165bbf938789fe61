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

// builtin are the automatic rules, in the order in which they are tried.
var builtin = []listed{
	{Rule: nullsOrder{}},
}

// all are the rules of a configuration.
func (cfg *Config) all() (rules []listed) {
	for i := range cfg.UserRules {
		rules = append(rules, listed{Rule: userRule{&cfg.UserRules[i]}, shadow: cfg.UserRules[i].Mode != ModeOn, blind: true, user: &cfg.UserRules[i]})
	}
	return append(rules, builtin...)
}
