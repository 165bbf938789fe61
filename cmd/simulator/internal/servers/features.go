package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Features is what a PgJay can be configured to do.
type Features struct {
	defaults map[string]any // the sections of its default configuration
}

// Find returns the program PgJay: the one beside this program, or along PATH.
func Find() (string, error) {
	self, err := os.Executable()
	if err == nil {
		if path := filepath.Join(filepath.Dir(self), "pgjay"); exists(path) {
			return path, nil
		}
	}
	path, err := exec.LookPath("pgjay")
	if err != nil {
		return "", errors.New("the program pgjay is neither beside this one nor along PATH: make build, or name it with --pgjay")
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// AskFeatures asks the program for its default configuration: what is no key
// there, it cannot do.
func AskFeatures(ctx context.Context, program string) (Features, error) {
	out, err := exec.CommandContext(ctx, program, "check", "--print-default").Output()
	if err != nil {
		return Features{}, fmt.Errorf("%s check --print-default: %w", program, err)
	}
	var f Features
	err = yaml.Unmarshal(out, &f.defaults)
	return f, err
}

// Has says whether there is such a key, in such a section.
func (f Features) Has(section, key string) bool {
	keys, ok := f.defaults[section].(map[string]any)
	if !ok {
		return false
	}
	_, ok = keys[key]
	return ok
}

// Rewriting are the settings that switch rewriting on, all that there is of it, and
// off. There are none where this PgJay does not rewrite.
func (f Features) Rewriting() (on, off []string) {
	if f.Has("rewrite", "mode") {
		on, off = append(on, "rewrite.mode=on"), append(off, "rewrite.mode=off")
	}
	if f.Has("rewrite", "offset") {
		on, off = append(on, "rewrite.offset.enabled=true"), append(off, "rewrite.offset.enabled=false")
	}
	return on, off
}

// Explaining are the settings under which statements that take longer than
// threshold are explained, one after the other.
func (f Features) Explaining(threshold string) []string {
	if !f.Has("monitor", "explain_threshold") {
		return nil
	}
	return []string{"monitor.explain=analyze", "monitor.explain_threshold=" + threshold, "monitor.explain_rate=600"}
}
