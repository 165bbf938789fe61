//go:build linux

package main

import (
	"fmt"
	"strconv"
)

// connect measures how often a second a client can connect, ask one query and
// leave (pgbench -C).
func (b *bench) connect() error {
	if err := b.startProxies(); err != nil {
		return err
	}
	r := results{}
	const clients = 16
	for round := range b.options.rounds {
		subjects := b.subjects(clients)
		for i := range subjects {
			s := subjects[(i+round)%len(subjects)]
			m, err := b.pgbench(s, "-C", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(b.options.seconds))
			if err != nil {
				return err
			}
			c := cell{"connect", clients, s.name}
			r[c] = append(r[c], m)
		}
	}
	fmt.Printf("\nconnect, query, close (pgbench -C -S, %d clients)\n", clients)
	fmt.Printf("per second: direct, pgbouncer, pgjay, ratio        %s\n",
		r.row("connect", clients, func(s sample) float64 { return s.tps }, "%.0f", "direct", "pgbouncer", "pgjay"))
	fmt.Printf("CPU us per connection: pgbouncer, pgjay, ratio              %s\n",
		r.row("connect", clients, func(s sample) float64 { return s.cpu }, "%.1f", "pgbouncer", "pgjay"))
	return nil
}
