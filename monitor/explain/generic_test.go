package explain

import (
	"context"
	"strings"
	"testing"
)

func TestGateGeneric(t *testing.T) {
	part, _, _ := gateText([]byte("SELECT * FROM t WHERE id = $1"))
	for version, want := range map[string]bool{
		"15.20 (Debian 15.20-0+deb12u1)": false, "9.6.24": false, "16": true, "16beta1": true, "17.2": true, "100.1": true, "": false, "unknown": false,
	} {
		if why := gateGeneric(part, version); (why == "") != want {
			t.Errorf("%q: %q", version, why)
		}
	}
	if why := gateGeneric(nil, "17.2"); !strings.Contains(why, "read for sure") {
		t.Errorf("a text that may be two statements: %q", why)
	}
}

// Without values there is a generic plan where PostgreSQL has one, and a reason elsewhere.
func TestUnknownParameters(t *testing.T) {
	w := newWorld(t, dangers)
	r := w.request("SELECT * FROM t WHERE id = $1")
	r.Unknown = true
	got := w.explainRequest(r)
	if majorVersion(w.value("SHOW server_version")) >= genericSince {
		if got.Plan == nil || got.Plan.Analyzed || !strings.Contains(got.Reason, "generic plan") {
			t.Errorf("it is %+v, %q", got.Plan, got.Reason)
		}
	} else if got.Plan != nil || !strings.Contains(got.Reason, "before version 16") {
		t.Errorf("it is %+v, %q", got.Plan, got.Reason)
	}
	if got.Skip != SkipParameters {
		t.Errorf("it is skipped for %q", got.Skip)
	}
	if r := w.explain("SELECT 1"); r.Plan == nil {
		t.Errorf("the next one: %q", r.Reason)
	}
}

// The gate is what keeps older servers from what they refuse.
func TestGenericIsNewer(t *testing.T) {
	w := newWorld(t, dangers)
	if majorVersion(w.value("SHOW server_version")) >= genericSince {
		t.Skip("this server knows it")
	}
	x := &explanation{Request: w.request("SELECT * FROM t WHERE id = $1"), conn: w.admin}
	if _, err := x.askGeneric(context.Background()); err == nil {
		t.Error("it knows it")
	}
}
