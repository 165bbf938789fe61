//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cpu is the time a proxy has used so far, in microseconds: user and system, of all
// its threads and of the processes that it has started. PostgreSQL itself has none to
// report.
func (s *server) cpu() float64 {
	if s.name == "direct" {
		return 0
	}
	pid := s.cmd.Process.Pid
	total, _ := cpuOf(pid)
	if !s.forks {
		return total
	}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		other, _ := strconv.Atoi(filepath.Base(dir))
		if used, parent := cpuOf(other); parent == pid {
			total += used
		}
	}
	return total
}

// cpuOf returns the time that a process has used, in microseconds, and its parent.
func cpuOf(pid int) (used float64, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have spaces
	fields := strings.Fields(rest)
	const ppid, utime, stime, microsecondsPerTick = 1, 11, 12, 1e6 / 100
	u, _ := strconv.ParseFloat(fields[utime], 64)
	k, _ := strconv.ParseFloat(fields[stime], 64)
	parent, _ = strconv.Atoi(fields[ppid])
	return (u + k) * microsecondsPerTick, parent
}

// memory is the proportional set size in bytes, or the resident size where
// the kernel does not tell the former.
func (s *server) memory() float64 {
	pid := s.cmd.Process.Pid
	if n := kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:"); n > 0 {
		return n * 1024
	}
	return kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:") * 1024
}

func kilobytes(file, key string) float64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}
