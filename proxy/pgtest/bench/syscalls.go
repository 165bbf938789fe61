//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// syscalls counts system calls per query with strace. Its runs are separate:
// strace slows a process down many times.
func (b *bench) syscalls() error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		fmt.Println("\nstrace is not installed: no count of system calls")
		return nil
	}
	if err := b.startProxies(); err != nil {
		return err
	}
	fmt.Printf("\nsystem calls per query (strace -c -f, pgbench -S -M simple)\n")
	for _, clients := range []int{1, 16, 64} {
		for _, s := range b.proxies {
			counts, err := b.trace(strace, s, clients)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			fmt.Printf("%3d clients  %-10s %s\n", clients, s.name, counts)
		}
	}
	return nil
}

// trace runs a fixed number of queries under strace.
func (b *bench) trace(strace string, s *server, clients int) (string, error) {
	const queries = 12800
	cmd := b.command(strace, "-c", "-f", "-p", strconv.Itoa(s.cmd.Process.Pid))
	var report bytes.Buffer
	cmd.Stderr = &report
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer cmd.Wait()
	if err := waitTraced(s); err != nil {
		return "", err
	}
	_, err := b.pgbench(s, "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)), "-t", strconv.Itoa(queries/clients))
	if err != nil {
		return "", err
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		return "", err
	}
	_ = cmd.Wait() // strace ends by the signal
	return perQuery(report.String(), queries), nil
}

// waitTraced waits until strace has attached to the process.
func waitTraced(s *server) error {
	for range 500 {
		if kilobytes(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid), "TracerPid:") > 0 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("strace did not attach")
}

// perQuery turns strace's table into calls per query, the most frequent first.
func perQuery(report string, queries float64) string {
	type count struct {
		name  string
		calls float64
	}
	var counts []count
	total := 0.0
	for line := range strings.Lines(report) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		calls, err := strconv.ParseFloat(f[3], 64)
		if name := f[len(f)-1]; err == nil && name != "total" {
			counts = append(counts, count{name, calls / queries})
			total += calls / queries
		}
	}
	sort.Slice(counts, func(i, j int) bool { return counts[i].calls > counts[j].calls })
	text := fmt.Sprintf("%6.2f:", total)
	for _, c := range counts {
		if c.calls >= 0.01 {
			text += fmt.Sprintf("  %s %.2f", c.name, c.calls)
		}
	}
	return text
}
