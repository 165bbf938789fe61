package main

import (
	"strings"
	"testing"
)

// TestClaimsFlags wants claims refused that could not be measured.
func TestClaimsFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--budget 0s", `"0s" is not a time above 0`},
		{"--budget -1m", `"-1m" is not a time above 0`},
		{"--docs . --only pages", "this is simulator claims --only pages"},
		{"--docs . --scenario small --seed 3", "this is simulator claims --scenario small --seed 3"},
		{"--docs . --set cache.enabled=false --budget 1m", "this is simulator claims --budget 1m0s --set cache.enabled=false"},
		{"--budget soon", `"soon" is not a time above 0`},
	} {
		status, output := simulate(t, append([]string{"claims", "--pgjay", "nothing"}, strings.Fields(c.args)...)...)
		if status != exitUsage || !strings.Contains(output, c.want) {
			t.Errorf("claims %s: status %d and\n%snot %q", c.args, status, output, c.want)
		}
	}
}
