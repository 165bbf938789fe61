//go:build linux

package main

import (
	"fmt"
	"runtime"
	"strconv"
)

// What it costs to count statements: PgJay with monitor.max_statements against PgJay
// without, in turns. The ratio is taken of the two runs of each round, as what else the
// machine does changes from round to round.

const observeClients = 16

var observeModes = []string{"simple", "prepared"}

func (b *bench) observe() error {
	b.stopProxies()
	for _, s := range []struct{ name, shapes string }{{"counted", "5000"}, {"plain", "0"}} {
		p, err := b.launchPgJay(s.name, "monitor.max_statements="+s.shapes)
		if err != nil || p == nil {
			return err
		}
		b.proxies = append(b.proxies, p)
	}
	fmt.Printf("\nstatements counted (monitor.max_statements) to not counted, %d clients, %d rounds of %d s, %d cores\n",
		observeClients, b.options.rounds, b.options.seconds, runtime.NumCPU())
	for _, mode := range observeModes {
		var tps, cpu []float64
		for round := range b.options.rounds {
			m, err := b.observeRound(round, mode)
			if err != nil {
				return err
			}
			tps, cpu = append(tps, m["counted"].tps/m["plain"].tps), append(cpu, m["counted"].cpu/m["plain"].cpu)
		}
		fmt.Printf("%-9s tps %.3f, CPU per query %.3f\n", mode, medianOf(tps), medianOf(cpu))
	}
	fmt.Println("the median of the rounds. To reach: tps >= 0.98")
	return nil
}

// observeRound runs both once, each in front in every other round.
func (b *bench) observeRound(round int, mode string) (map[string]sample, error) {
	all := make(map[string]sample)
	for i := range b.proxies {
		s := b.proxies[(i+round)%len(b.proxies)]
		m, err := b.pgbench(s, "-M", mode, "-c", strconv.Itoa(observeClients), "-j", "2", "-T", strconv.Itoa(b.options.seconds))
		if err != nil {
			return nil, err
		}
		fmt.Printf("round %d  %-9s %-10s %8.0f tps  %6.1f us CPU/query\n", round+1, mode, s.name, m.tps, m.cpu)
		all[s.name] = m
	}
	return all, nil
}
