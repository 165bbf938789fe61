//go:build linux

package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// cell names a place in the table.
type cell struct {
	mode    string
	clients int
	subject string
}

// results has the samples of all rounds.
type results map[cell][]sample

// median returns the median of one measure, and false if there is no sample.
func (r results) median(c cell, measure func(sample) float64) (float64, bool) {
	all := r[c]
	if len(all) == 0 {
		return 0, false
	}
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = measure(s)
	}
	return medianOf(values), true
}

// medianOf sorts the values, of which there is at least one.
func medianOf(values []float64) float64 {
	slices.Sort(values)
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}

// speed measures throughput, latency and CPU for each mode and client count.
func (b *bench) speed() error {
	if err := b.startProxies(); err != nil {
		return err
	}
	r := results{}
	for round := range b.options.rounds {
		for _, mode := range b.options.modes {
			for _, clients := range b.options.clients {
				b.measure(r, round, mode, clients)
			}
		}
	}
	fmt.Printf("\npgbench -S, scale %d, %d backends, median of %d rounds of %d s, %d cores\n",
		b.options.scale, b.options.poolSize, b.options.rounds, b.options.seconds, runtime.NumCPU())
	b.printSpeed(r)
	return nil
}

// measure runs all subjects once, in an order that changes with the round.
// What a subject cannot do (PgBouncer 1.18 knows no prepared statements) leaves
// its place in the table empty.
func (b *bench) measure(r results, round int, mode string, clients int) {
	subjects := b.subjects(clients)
	for i := range subjects {
		s := subjects[(i+round)%len(subjects)]
		m, err := b.pgbench(s, "-M", mode, "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)),
			"-T", strconv.Itoa(b.options.seconds))
		if err != nil {
			fmt.Printf("round %d  %-9s %5d clients  %-10s failed: %s\n", round+1, mode, clients, s.name, firstLine(err))
			continue
		}
		fmt.Printf("round %d  %-9s %5d clients  %-10s %8.0f tps  %8.3f ms  %6.1f us CPU/query\n",
			round+1, mode, clients, s.name, m.tps, m.latency, m.cpu)
		c := cell{mode, clients, s.name}
		r[c] = append(r[c], m)
	}
}

// firstLine is the first error that pgbench printed.
func firstLine(err error) string {
	for line := range strings.Lines(err.Error()) {
		if strings.Contains(line, "error:") {
			return strings.TrimSpace(line)
		}
	}
	return err.Error()
}

// subjects are the servers to ask with so many clients: PostgreSQL itself has
// max_connections=400.
func (b *bench) subjects(clients int) []*server {
	if clients > 256 || !slices.Contains(b.options.subjects, "direct") {
		return b.proxies
	}
	return append([]*server{{name: "direct", port: b.postgres.Port()}}, b.proxies...)
}

func (b *bench) printSpeed(r results) {
	fmt.Printf("%-9s %7s | %27s %6s | %29s %6s | %18s %6s\n", "", "", "tps", "", "average latency, ms", "", "CPU us/query", "")
	fmt.Printf("%-9s %7s | %8s %9s %8s %6s | %9s %9s %9s %6s | %9s %8s %6s\n", "mode", "clients",
		"direct", "pgbouncer", "pgjay", "ratio", "direct", "pgbouncer", "pgjay", "ratio", "pgbouncer", "pgjay", "ratio")
	for _, mode := range b.options.modes {
		for _, clients := range b.options.clients {
			row := func(measure func(sample) float64, format string, subjects ...string) string {
				return r.row(mode, clients, measure, format, subjects...)
			}
			fmt.Printf("%-9s %7d | %s | %s | %s\n", mode, clients,
				row(func(s sample) float64 { return s.tps }, "%.0f", "direct", "pgbouncer", "pgjay"),
				row(func(s sample) float64 { return s.latency }, "%.3f", "direct", "pgbouncer", "pgjay"),
				row(func(s sample) float64 { return s.cpu }, "%.1f", "pgbouncer", "pgjay"))
		}
	}
	fmt.Println("ratio: PgJay to PgBouncer. To reach: tps >= 1 at every count, latency at one client <= 1.1, CPU at 16 and 64 clients <= 1.1")
}

// row prints one measure of the subjects and the ratio of the last two.
func (r results) row(mode string, clients int, measure func(sample) float64, format string, subjects ...string) string {
	width := map[string]int{"direct": 8, "pgbouncer": 9, "pgjay": 8}
	if format == "%.3f" {
		width["direct"], width["pgjay"] = 9, 9
	}
	var out []string
	var last [2]float64
	for _, name := range subjects {
		text := "-"
		v, ok := r.median(cell{mode, clients, name}, measure)
		if ok {
			text = fmt.Sprintf(format, v)
		}
		last[0], last[1] = last[1], v
		out = append(out, fmt.Sprintf("%*s", width[name], text))
	}
	ratio := "-"
	if last[0] > 0 && last[1] > 0 {
		ratio = fmt.Sprintf("%.2f", last[1]/last[0])
	}
	return strings.Join(append(out, fmt.Sprintf("%6s", ratio)), " ")
}
