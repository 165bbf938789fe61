//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sample is what one pgbench run measured.
type sample struct {
	tps, latency float64 // per second, milliseconds
	cpu          float64 // microseconds of the proxy per query; 0 without a proxy
}

// pgbench runs pgbench against s with the workload. The proxy's CPU is taken between the
// first and the last progress line, so that logins do not count.
func (b *bench) pgbench(s *server, args ...string) (sample, error) {
	common := []string{"-n", "-P", "1", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", databaseUser}
	args = slices.Concat(common, b.workload, args)
	cmd := b.command(b.program("pgbench"), append(args, "postgres")...)
	var out strings.Builder
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		return sample{}, err
	}
	before := s.cpu()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	m := meter{server: s}
	m.read(progress)
	if err := cmd.Wait(); err != nil {
		return sample{}, fmt.Errorf("pgbench through %s: %w\n%s%s", s.name, err, out.String(), m.errors)
	}
	return m.sample(out.String(), before), nil
}

// meter reads pgbench's progress lines and the proxy's CPU beside them.
type meter struct {
	server      *server
	first, last float64 // CPU microseconds at the first and the last line
	at          float64 // seconds at the line before
	queries     float64 // between them
	lines       int
	errors      string
}

var progressLine = regexp.MustCompile(`^progress: ([0-9.]+) s, ([0-9.]+) tps`)

func (m *meter) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		f := progressLine.FindStringSubmatch(lines.Text())
		if f == nil {
			m.errors += lines.Text() + "\n"
			continue
		}
		at, _ := strconv.ParseFloat(f[1], 64)
		tps, _ := strconv.ParseFloat(f[2], 64)
		m.last = m.server.cpu()
		if m.lines++; m.lines == 1 {
			m.first = m.last
		} else {
			m.queries += tps * (at - m.at)
		}
		m.at = at
	}
}

func (m *meter) sample(out string, before float64) sample {
	r := sample{tps: number(out, `tps = ([0-9.]+)`), latency: number(out, `latency average = ([0-9.]+)`)}
	switch {
	case m.queries > 0:
		r.cpu = (m.last - m.first) / m.queries
	default:
		r.cpu = (m.server.cpu() - before) / number(out, `actually processed: ([0-9]+)`)
	}
	return r
}

func number(text, pattern string) float64 {
	f := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if f == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(f[1], 64)
	return n
}
