package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestRewriteCommand(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	const rule = "backend: {url: 'postgres://ADDRESS'}\nauth: {method: trust}\nrewrite:\n  user_rules:\n    - name: mine\n      match: {template: SELECT $1}\n      replace: SELECT 0 + $1\n      tests: [{in: SELECT 3, out: SELECT OUT}]\n"
	for file, out := range map[string]string{good: "0 + 3", bad: "3"} {
		text := strings.NewReplacer("ADDRESS", pgtest.Server(t).Address(), "OUT", out).Replace(rule)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	who := []string{"rewrite", "explain", "--config", good, "--user", "postgres", "--database", "postgres"}
	for _, test := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"rewrite"}, exitUsage, "", "Usage: pgjay rewrite test"},
		{[]string{"rewrite", "--help"}, exitOK, "Usage: pgjay rewrite test", ""},
		{[]string{"rewrite", "test", "--config", good}, exitOK, "1 tests of 1 rules: ok", ""},
		{[]string{"rewrite", "test", "--config", bad}, exitFailed, "", "a test fails: mine: SELECT 3\n  becomes SELECT 0 + 3"},
		{[]string{"check", "--config", bad}, exitFailed, "", "a test fails: mine"},
		{[]string{"rewrite", "explain", "--config", good, "SELECT 1"}, exitUsage, "", "give --user and --database"},
		{who, exitUsage, "", "give one statement"},
		{append(who[:len(who):len(who)], "SELECT 7 AS n"), exitOK, "it is another statement", ""},
		{append(who[:len(who):len(who)], "SELECT 7"), exitOK, "shadow: it is that statement; 0 of 3 comparisons were equal so far\n    SELECT 0 + 7", ""},
		{append(who[:len(who):len(who)], "SELECT random()"), exitOK, "no rule may touch it: function random() is volatile", ""},
	} {
		var stdout, stderr bytes.Buffer
		if status := dispatch(context.Background(), test.args, &stdout, &stderr); status != test.status ||
			!strings.Contains(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
			t.Errorf("%q: %d\n%s\n%s", test.args, status, stdout.String(), stderr.String())
		}
	}
}
