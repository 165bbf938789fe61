package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMain lets the test binary be pgjay: serve_test.go runs it as a process of
// its own, to send it signals.
func TestMain(m *testing.M) {
	if os.Getenv("PGJAY_TEST_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// pgjay runs a command line in this process.
func pgjay(args ...string) (status int, stdout, stderr string) {
	var out, err strings.Builder
	status = dispatch(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for file, text := range map[string]string{
		good: "auth:\n  method: trust\n",
		bad:  "pool:\n  sise: 5\n  mode: x\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const nothing = `^$`
	tests := []struct {
		args           string
		status         int
		stdout, stderr string // regular expressions
	}{
		{"", exitUsage, nothing, `Usage: pgjay COMMAND`},
		{"help", exitOK, `Usage: pgjay COMMAND`, nothing},
		{"--help", exitOK, `Usage: pgjay COMMAND`, nothing},
		{"-h", exitOK, `Usage: pgjay COMMAND`, nothing},
		{"help serve", exitOK, `Usage: pgjay serve`, nothing},
		{"help srve", exitUsage, nothing, `no command "srve"`},
		{"srve", exitUsage, nothing, `no command "srve"; the commands are serve, check, rewrite`},

		{"serve --help", exitOK, `(?s)Usage: pgjay serve.*--set KEY=VALUE`, nothing},
		{"serve -h", exitOK, `Usage: pgjay serve`, nothing},
		{"serve --prot 5", exitUsage, nothing, `^pgjay serve: there is no flag --prot\npgjay serve --help lists`},
		{"serve --config", exitUsage, nothing, `flag needs an argument: -+config`},
		{"serve --config=", exitUsage, nothing, `for flag --config: the name of the file is missing`},
		{"serve file.yaml", exitUsage, nothing, `unexpected argument "file.yaml"`},
		{"serve --config " + bad, exitFailed, nothing, `(?s)bad.yaml:2:3: pool: there is no key "sise".*2 errors`},
		{"serve --config /does/not/exist", exitFailed, nothing, `/does/not/exist: cannot read the file: no such file`},
		{"serve --backend postgres://u:s3cret@h:port", exitFailed, nothing, `--backend postgres://u:\*\*\*@h:port: backend.url: `},
		{"serve --listen 127.0.0.1:1 --listen x", exitFailed, nothing, `--listen 127.0.0.1:1 --listen x: listen.addresses\[1\]: "x" is not host:port`},
		{"serve --listen it's", exitFailed, nothing, `"it's" is not host:port`},
		{"serve --admin x --log-level loud --log-format xml", exitFailed, nothing, `(?s)--admin x: admin: .*--log-level loud: log.level: .*--log-format xml: log.format`},
		{"serve --set pool.size", exitFailed, nothing, `--set pool.size: not path=value`},

		{"check --help", exitOK, `Usage: pgjay check --config FILE`, nothing},
		{"check", exitUsage, nothing, `give --config FILE`},
		{"check --wat", exitUsage, nothing, `no flag --wat`},
		{"check " + good, exitUsage, nothing, `unexpected argument`},
		{"check --config " + good, exitOK, `^\S+good.yaml: ok\n$`, nothing},
		{"check --config " + good + " --listen 0.0.0.0:1", exitOK, `good.yaml: ok`, `^warning: auth.method is trust and 0.0.0.0:1`},
		{"check --config " + bad, exitFailed, nothing, `(?s)^\S+bad.yaml:2:3: .*2 \|   sise: 5\n      \|   \^\^\^\^\n  fix: .*3:9: pool.mode: .*\n2 errors\n$`},
		{"check --config " + good + " --set pool.size=x", exitFailed, nothing, `--set pool.size=x: pool.size: "x" is not a whole number`},
		{"check --set pool.size=5 --set auth.method=trust", exitOK, `^flags: ok\n$`, nothing},
		{"check --print-default", exitOK, `(?s)^# PgJay's configuration.*\npool:\n`, nothing},

		{"version", exitOK, `^pgjay \S+\ncommit .+\ngo1\.\d+.* \w+/\w+\n$`, nothing},
		{"--version", exitOK, `^pgjay \S+\n`, nothing},
		{"version --help", exitOK, `Usage: pgjay version`, nothing},
		{"version 2", exitUsage, nothing, `unexpected argument`},
	}
	for _, tt := range tests {
		status, stdout, stderr := pgjay(strings.Fields(tt.args)...)
		if status != tt.status || !matches(tt.stdout, stdout) || !matches(tt.stderr, stderr) {
			t.Errorf("pgjay %s: status %d, want %d\nstdout: %s\nstderr: %s", tt.args, status, tt.status, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, "s3cret") {
			t.Errorf("pgjay %s prints a secret: %s%s", tt.args, stdout, stderr)
		}
	}
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// TestHelpFits keeps the help texts on a terminal of 80 columns, and every flag
// in them.
func TestHelpFits(t *testing.T) {
	for name, text := range map[string]string{"pgjay": help, "serve": serveHelp, "check": checkHelp, "version": versionHelp} {
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 80 {
				t.Errorf("%s: %d characters: %s", name, len(line), line)
			}
		}
	}
	for _, flag := range []string{"config", "backend", "listen", "admin", "log-level", "log-format", "set"} {
		if newConfigFlags("serve").set.Lookup(flag) == nil || !strings.Contains(configFlagsHelp, "  --"+flag+" ") {
			t.Errorf("--%s is not both a flag and explained", flag)
		}
	}
}
