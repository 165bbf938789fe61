package configs

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "1", "B_2": "two", "EMPTY": "", "YAML": "[x, {y: z}] # \n- *a", "REF": "${A}"}
	tests := []struct{ text, want, problem string }{
		{"plain", "plain", ""},
		{"${A}", "1", ""},
		{"x${A}y${B_2}z", "x1ytwoz", ""},
		{"${EMPTY}", "", ""},
		{"${YAML}", env["YAML"], ""},
		{"${REF}", "${A}", ""},
		{"$A $ $$ $}", "$A $ $$ $}", ""},
		{"$${A} $$${A}", "${A} $${A}", ""},
		{"${MISSING}", "", "MISSING is not set"},
		{"${A", "", "does not start the name"},
		{"${}", "", "does not start the name"},
		{"${A-B}", "", "does not start the name"},
		{"${1}", "", "does not start the name"},
	}
	for _, tt := range tests {
		got, problem, fix := expand(tt.text, func(n string) (string, bool) { v, ok := env[n]; return v, ok })
		if !strings.Contains(problem, tt.problem) || (problem == "") != (tt.problem == "") || (problem == "") != (fix == "") {
			t.Errorf("%q: problem %q, fix %q", tt.text, problem, fix)
		}
		if problem == "" && got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.text, got, tt.want)
		}
	}
}

// A value from the environment may be a secret that was put at the wrong key.
func TestExpandedValuesAreNotQuoted(t *testing.T) {
	t.Setenv("PGJAY_TEST_VALUE", "s3cret")
	for _, key := range Keys() {
		if strings.Contains(key, "[]") {
			continue
		}
		_, err := Load("", []string{key + "=${PGJAY_TEST_VALUE}"})
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, fixed := range []string{"pool.mode", "pool.size", "pool.overflow", "auth.method", "admin", "auth.users", "auth.users[].password"} {
		if !slices.Contains(Keys(), fixed) {
			t.Errorf("no key %s", fixed)
		}
	}
	for _, key := range Keys() {
		secret := key == "dashboard.password" || key == "dashboard.token" || key == "backend.password" ||
			key == "auth.users[].password" || key == "auth.users[].backend_password"
		if secretKey(key) != secret {
			t.Errorf("secretKey(%s) is %v", key, !secret)
		}
	}
}
