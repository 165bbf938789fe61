//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// What the cache brings: reads of 1,000 keys, over and over, and the same beside
// writes to these keys. Pgpool-II's cache of query results and Redis, which knows
// nothing of SQL, are there for comparison.

const (
	hotRead  = "\\set aid random(1, 1000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
	hotWrite = "\\set aid random(1, 1000)\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n"
)

var (
	cacheClients = []int{1, 16, 64}
	cacheModes   = []string{"simple", "prepared"}
	writeShares  = []int{1, 5, 10, 30} // per cent
)

// cache measures all that.
func (b *bench) cache() error {
	b.stopProxies()
	read, write := filepath.Join(b.dir, "read.sql"), filepath.Join(b.dir, "write.sql")
	err := errors.Join(os.WriteFile(read, []byte(hotRead), 0o644), os.WriteFile(write, []byte(hotWrite), 0o644), b.startCaches())
	if err != nil {
		return err
	}
	r := results{}
	for round := range b.options.rounds {
		b.workload = []string{"-f", read}
		for _, mode := range cacheModes {
			for _, clients := range cacheClients {
				b.measure(r, round, mode, clients)
			}
		}
		for _, share := range writeShares {
			b.workload = []string{"-f", fmt.Sprintf("%s@%d", read, 100-share), "-f", fmt.Sprintf("%s@%d", write, share)}
			b.measureWrites(r, round, share)
		}
	}
	b.workload = []string{"-S"}
	b.printCache(r)
	return b.redis()
}

// measureWrites compares the proxy with and without the cache.
func (b *bench) measureWrites(r results, round, share int) {
	const clients = 16
	for i := range b.proxies {
		s := b.proxies[(i+round)%len(b.proxies)]
		if s.name == "pgpool" {
			continue
		}
		m, err := b.pgbench(s, "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(b.options.seconds))
		if err != nil {
			fmt.Printf("round %d  %d%% writes  %-10s failed: %s\n", round+1, share, s.name, firstLine(err))
			continue
		}
		c := cell{writes(share), clients, s.name}
		r[c] = append(r[c], m)
	}
}

func writes(share int) string { return fmt.Sprintf("%d%% writes", share) }

// startCaches starts PgJay without and with the cache, and Pgpool-II.
func (b *bench) startCaches() error {
	for _, start := range []func() (*server, error){
		b.startPgpool, b.startPgJay, func() (*server, error) { return b.launchPgJay("cached", "cache.enabled=true") },
	} {
		s, err := start()
		if err != nil {
			return err
		}
		if s != nil {
			b.proxies = append(b.proxies, s)
		}
	}
	return nil
}

// startPgpool returns nil and says so where Pgpool-II is not installed.
func (b *bench) startPgpool() (*server, error) {
	path, err := exec.LookPath("pgpool")
	if err != nil {
		b.sayOnce("Pgpool-II is not installed (Debian: apt-get install pgpool2); its columns stay empty")
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(b.dir, "pgpool.conf")
	config := fmt.Sprintf(`listen_addresses = '127.0.0.1'
port = %d
unix_socket_directories = '%[2]s'
socket_dir = '%[2]s'
pcp_socket_dir = '%[2]s'
pid_file_name = '%[2]s/pgpool.pid'
logdir = '%[2]s'
backend_clustering_mode = 'raw'
backend_hostname0 = '127.0.0.1'
backend_port0 = %d
num_init_children = 128
max_pool = 1
load_balance_mode = off
memory_cache_enabled = on
memqcache_method = 'shmem'
memqcache_oiddir = '%[2]s/oiddir'
`, port, b.dir, b.postgres.Port())
	oids := filepath.Join(b.dir, "oiddir")
	err = errors.Join(os.WriteFile(conf, []byte(config), 0o644), os.WriteFile(filepath.Join(b.dir, "pcp.conf"), nil, 0o644), os.MkdirAll(oids, 0o777), os.Chmod(oids, 0o777))
	if err != nil {
		return nil, err
	}
	cmd := b.command(path, "-n", "-f", conf, "-F", filepath.Join(b.dir, "pcp.conf"))
	cmd.SysProcAttr.Credential = unprivileged()
	s, err := b.launch("pgpool", port, cmd)
	if err != nil {
		b.sayOnce("Pgpool-II does not start here; its columns stay empty: " + firstLine(err))
		return nil, nil
	}
	s.forks = true
	return s, nil
}

func (b *bench) printCache(r results) {
	fmt.Printf("\n1,000 hot keys, median of %d rounds of %d s\n", b.options.rounds, b.options.seconds)
	fmt.Printf("%-10s %7s | %s\n", "mode", "clients", "tps: direct, pgpool, pgjay without and with the cache; CPU us per query: pgpool, pgjay without and with")
	for _, mode := range cacheModes {
		for _, clients := range cacheClients {
			fmt.Printf("%-10s %7d | %s | %s\n", mode, clients, r.line(mode, clients, func(s sample) float64 { return s.tps }, "%.0f", "direct", "pgpool", "pgjay", "cached"),
				r.line(mode, clients, func(s sample) float64 { return s.cpu }, "%.1f", "pgpool", "pgjay", "cached"))
		}
	}
	for _, share := range writeShares {
		fmt.Printf("%-10s %7d | %s | %s\n", writes(share), 16, r.line(writes(share), 16, func(s sample) float64 { return s.tps }, "%.0f", "pgjay", "cached"),
			r.line(writes(share), 16, func(s sample) float64 { return s.cpu }, "%.1f", "pgjay", "cached"))
	}
	fmt.Println("To reach at 16 clients: 2.2 times direct simple, 1.4 times prepared; with writes not less than 0.98 of the same without the cache.")
}

// line is the medians of one measure.
func (r results) line(mode string, clients int, measure func(sample) float64, format string, subjects ...string) string {
	var out []string
	for _, name := range subjects {
		text := "-"
		if v, ok := r.median(cell{mode, clients, name}, measure); ok {
			text = fmt.Sprintf(format, v)
		}
		out = append(out, fmt.Sprintf("%8s", text))
	}
	return strings.Join(out, " ")
}

// redis measures GETs of as many keys by as many clients, where Redis is installed.
func (b *bench) redis() error {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		b.sayOnce("Redis is not installed (Debian: apt-get install redis-server); it is not measured")
		return nil
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	cmd := b.command(path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", b.dir)
	if err := cmd.Start(); err != nil {
		return err
	}
	s := &server{name: "redis", port: port, cmd: cmd, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(s.done) }()
	defer s.stop()
	ask := func(args ...string) (string, error) {
		out, err := b.command("redis-benchmark", append([]string{"-p", strconv.Itoa(port), "-r", "1000", "--csv"}, args...)...).Output()
		return string(out), err
	}
	if _, err := ask("-t", "set", "-n", "20000"); err != nil {
		return err
	}
	for _, clients := range cacheClients {
		const n = 200_000
		before := s.cpu()
		out, err := ask("-t", "get", "-n", strconv.Itoa(n), "-c", strconv.Itoa(clients))
		if err != nil {
			return err
		}
		fmt.Printf("Redis GET  %7d | %8.0f per second | %8.1f us CPU\n", clients, number(out, `"GET","([0-9.]+)"`), (s.cpu()-before)/n)
	}
	return nil
}
