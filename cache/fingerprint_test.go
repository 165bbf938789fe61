package cache

import "testing"

// Fingerprints are written into configurations: they must stay what they are.
func TestFingerprint(t *testing.T) {
	c := newCache(t)
	if got := c.NewShape("select $1").Stat().Fingerprint; got != Fingerprint("select $1") {
		t.Errorf("a shape's is %s", got)
	}
	for text, want := range map[string]string{"": "cbf29ce484222325", "a": "af63dc4c8601ec8c"} {
		if got := Fingerprint(text); got != want {
			t.Errorf("%q has %s, want %s", text, got, want)
		}
	}
}
