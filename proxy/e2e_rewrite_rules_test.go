package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// withUserRules has rules act whatever they cost.
func withUserRules(rules ...rewrite.UserRule) func(*proxy.Config) {
	return func(c *proxy.Config) {
		c.Rewrite = rewrite.Config{Mode: rewrite.ModeOn, Force: true, UserRules: rules}
	}
}

const ruleQuery = "select n from t where id = 1"

// acting returns a rule whose statements have the answer that they had.
func acting(name string, applications, clients []string) rewrite.UserRule {
	return rewrite.UserRule{Name: name, Mode: rewrite.ModeOn, Match: rewrite.UserMatch{Template: "select n from t where id = $1"},
		Replace: "select n from t where id = $1 and true", Unsafe: true, Applications: applications, Clients: clients}
}

// used is how often each rule has acted.
func used(p *running) map[string]uint64 {
	n := map[string]uint64{}
	for _, st := range p.server.Rewrites() {
		n[st.Rule] += st.Used
	}
	return n
}

// A rule is for the applications and the clients that it names, at any time.
func TestRewriteAudience(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withUserRules(
		acting("apps", []string{"reports", "batch"}, nil),
		acting("here", []string{"near"}, []string{"10.0.0.0/8", "127.0.0.0/8"}),
		acting("there", []string{"far"}, []string{"10.0.0.0/8"})))
	conn := dialIn(t, p.addr, "&application_name=reports")
	for _, test := range []struct{ application, rule string }{{"reports", "apps"}, {"web", ""}, {"batch", "apps"}, {"near", "here"}, {"far", ""}, {"reports", "apps"}} {
		answerOf(t, conn, "set application_name = '"+test.application+"'")
		before := used(p)
		if test.rule == "" {
			for range 50 {
				answerOf(t, conn, ruleQuery)
			}
		} else {
			eventually(t, "the rule acts for "+test.application, func() bool {
				answerOf(t, conn, ruleQuery)
				return used(p)[test.rule] > before[test.rule]
			})
		}
		for rule, n := range used(p) {
			if rule != test.rule && n != before[rule] {
				t.Errorf("%s acts for %s", rule, test.application)
			}
		}
	}
}
