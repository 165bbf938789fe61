package pgtest

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// inventory is what a process has: goroutines, child processes, and open files
// and sockets, each by a key with a description.
type inventory map[string]string

// takeInventory counts what the Go runtime opens for itself as being there.
func takeInventory() inventory {
	if r, w, err := os.Pipe(); err == nil { // now its poller is there
		_, _ = r.Close(), w.Close()
	}
	return current()
}

func current() inventory {
	all := inventory{}
	addGoroutines(all)
	addChildren(all)
	addFiles(all)
	return all
}

// leaks describes what is there and was not before. What is about to end may
// take as long as patience.
func (before inventory) leaks(patience time.Duration) string {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left := current()
		maps.DeleteFunc(left, func(key, _ string) bool { _, ok := before[key]; return ok })
		if len(left) == 0 {
			return ""
		}
		if time.Now().After(deadline) {
			return left.String()
		}
	}
}

func (i inventory) String() string {
	return strings.Join(slices.Sorted(maps.Values(i)), "\n")
}

// Goroutines of the runtime and of package testing, which come and go.
var ownGoroutine = regexp.MustCompile(`os/signal\.(loop|signal_recv)|runtime\.(ReadTrace|ensureSigM)|testing\.(\(\*M\)|\(\*F\)|runFuzz|tRunner)`)

func addGoroutines(to inventory) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		header, _, _ := strings.Cut(stack, " [")
		if i > 0 && !ownGoroutine.MatchString(stack) { // the first is this one
			to[header] = stack
		}
	}
}

func addChildren(to inventory) {
	lists, _ := filepath.Glob("/proc/self/task/*/children") // the pattern is well-formed
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for _, pid := range strings.Fields(string(pids)) {
			command, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
			to["child "+pid] = fmt.Sprintf("child process %s %q", pid, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
}

func addFiles(to inventory) {
	const own = "/proc/self/fd"
	entries, _ := os.ReadDir(own)
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(own, e.Name()))
		if err != nil || strings.HasPrefix(target, "/proc/") { // what this function has open
			continue
		}
		to["file "+e.Name()+" "+target] = fmt.Sprintf("open file %s: %s", e.Name(), target)
	}
}
