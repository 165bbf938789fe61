package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A postmaster that was killed leaves its children, which end soon but not if
// they are busy, and a segment of System V shared memory.

// endChildren kills what still runs in the data directory, and waits for it.
func endChildren(dataDir string) error {
	const patience = 10 * time.Second
	deadline := time.Now().Add(patience)
	for {
		pids := processesIn(dataDir)
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v in %s do not end", pids, dataDir)
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
		}
		time.Sleep(time.Millisecond) // the interval of the poll
	}
}

// processesIn lists the processes whose working directory is dir: all of a
// server, and nothing else. Where there is no /proc it finds none.
func processesIn(dir string) []int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is well-formed
	var pids []int
	for _, link := range links {
		at, err := os.Readlink(link)
		if err != nil || at != dir {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// lockFile has the lines of postmaster.pid; PostgreSQL's pidfile.h explains
// them.
func lockFile(dataDir string) []string {
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\n")
}

// accepts reports whether the postmaster pid accepts connections.
func accepts(dataDir string, pid int) bool {
	const pidLine, statusLine = 0, 7
	lines := lockFile(dataDir)
	return len(lines) > statusLine && lines[pidLine] == strconv.Itoa(pid) &&
		strings.TrimSpace(lines[statusLine]) == "ready"
}

// sharedMemory is the number of the segment that a postmaster which did not
// end in order has left.
func sharedMemory(dataDir string) (id int, ok bool) {
	const memoryLine = 6
	lines := lockFile(dataDir)
	if len(lines) <= memoryLine {
		return 0, false
	}
	var key int
	n, _ := fmt.Sscan(lines[memoryLine], &key, &id)
	return id, n == 2
}
