package monitor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const alertsFile = "../configs/alerts.yaml"

// others are metrics of the Go runtime, the process and Prometheus itself.
var others = []string{"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}

var (
	inExpression = regexp.MustCompile(`\b((?:pgjay|process|go)_\w+)(\{[^}]*\})?`)
	labelInIt    = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)\\?"`)
)

// Every metric of the alert rules and the Grafana dashboard exists, and has the labels
// that are asked for there.
func TestAlertsAndGrafanaNameMetricsThatExist(t *testing.T) {
	families := make(map[string]family)
	for _, f := range New(Options{}).book.families {
		families[f.name] = f
		if f.kind == "histogram" {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				families[f.name+suffix] = f
			}
		}
	}
	for _, path := range []string{alertsFile, grafanaFile} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, found := range inExpression.FindAllStringSubmatch(string(text), -1) {
			if slices.Contains(others, found[1]) {
				continue
			}
			f, there := families[found[1]]
			if !there {
				t.Errorf("%s has %s, which does not exist", path, found[1])
				continue
			}
			named++
			for _, label := range labelInIt.FindAllStringSubmatch(found[2], -1) {
				if label[1] != "instance" && !slices.Contains(f.labels, label[1]) {
					t.Errorf("%s asks for %s by %s, which it does not have", path, found[1], label[1])
				}
			}
		}
		if named < 15 {
			t.Errorf("%s has only %d metrics", path, named)
		}
	}
}

// promtool, of Debian's package prometheus, finds nothing wrong.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install prometheus")
	}
	rules := exec.Command(promtool, "check", "rules", alertsFile, grafanaRules(t))
	if out, err := rules.CombinedOutput(); err != nil {
		t.Errorf("check rules: %v\n%s", err, out)
	}
	metrics := exec.Command(promtool, "check", "metrics")
	metrics.Stdin = strings.NewReader(get(exercised(), "/metrics").Body.String())
	if out, err := metrics.CombinedOutput(); err != nil {
		t.Errorf("check metrics: %v\n%s", err, out)
	}
}

// grafanaRules writes the dashboard's expressions as rules, so that promtool reads them.
func grafanaRules(t *testing.T) string {
	t.Helper()
	var rules []string
	for _, row := range grafanaRows {
		for _, p := range row.panels {
			for _, q := range p.queries {
				expr := strings.ReplaceAll(q.expr, "$__rate_interval", "5m")
				rules = append(rules, fmt.Sprintf("  - {record: panel%d, expr: %q}\n", len(rules), expr))
			}
		}
	}
	path := filepath.Join(t.TempDir(), "grafana.yaml")
	if err := os.WriteFile(path, []byte("groups:\n- name: grafana\n  rules:\n"+strings.Join(rules, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
