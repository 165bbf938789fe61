package servers

import (
	"strings"
	"testing"
)

// TestSecrets wants no error to have a password.
func TestSecrets(t *testing.T) {
	for _, bad := range []string{
		"postgres://u:hunter2@h:x/d",
		"postgres://u:hunter2@h/",
		"postgres://h/d?password=hunter2&sslpassword=hunter2",
		"postgres://u:hunter2@h/d?sslmode=wrong&password=hunter2",
		"mysql://u:hunter2@h/d",
		"user=u password=hunter2",
	} {
		if _, err := ParseURL(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	const good = "postgres://u:hunter2@h/d?password=hunter2&sslmode=disable"
	u, err := ParseURL(good)
	if err != nil || u.String() != good || strings.Contains(Redacted(u), "hunter2") || !strings.Contains(Redacted(u), "sslmode=disable") {
		t.Errorf("%s became %v, %v", good, u, err)
	}
}
