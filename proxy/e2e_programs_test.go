package proxy_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// program finds one of PostgreSQL's client programs, or skips the test: the
// embedded server has none.
func program(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range []string{os.Getenv("PGBIN"), "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// runProgram runs a client program against addr and returns what it printed.
func runProgram(t testing.TB, addr, input, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.Env = clientEnv(addr)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func clientEnv(addr string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return append(os.Environ(), "PGHOST="+host, "PGPORT="+port, "PGUSER=postgres", "PGDATABASE=postgres",
		"PGSSLMODE=disable", "PGPASSFILE=/nonexistent", "PSQLRC=/nonexistent", "LC_ALL=C")
}

// mustRun is runProgram that must succeed.
func mustRun(t testing.TB, addr, input, name string, args ...string) string {
	t.Helper()
	out, errs, err := runProgram(t, addr, input, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, out, errs)
	}
	return out
}

const psqlScript = `
\set ECHO all
select 1 as one;
\d wire.item
\dt wire.*
\df wire.*
\dn+ wire
\l postgres
select 'create temp table made_by_gexec (id int)' \gexec
\copy (select id, name from wire.item order by id limit 5) to stdout
create temp table copied (id int, name text);
\copy copied from stdin
1	one
2	two
\.
select * from copied;
\set value 'it''s'
select :'value' as quoted;
begin;
select 1/0;
select 2;
rollback;
\echo :LAST_ERROR_SQLSTATE
select i, repeat('x', i) from generate_series(1,3) i \gx
prepare p(int) as select $1 * 2;
execute p(21);
\bind_is_unknown_to_old_psql
set application_name = 'psql script';
show application_name;
\set FETCH_COUNT 100
select count(*), sum(id) from (select id from wire.item) i;
select id from wire.item order by id;
listen psql_news;
notify psql_news, 'payload';
do $$ begin raise notice 'a notice'; end $$;
\timing off
\errverbose
select pg_notify('psql_news', 'second') is null;
`

func TestPsqlScript(t *testing.T) {
	backend := plain(t)
	if err := observer(t, backend).Exec(pgtest.Fixture); err != nil {
		t.Fatal(err)
	}
	run := func(addr string) string {
		out, errs, err := runProgram(t, addr, psqlScript, "psql", "-X", "-a")
		if err != nil {
			t.Fatalf("psql: %v\n%s", err, errs)
		}
		return hidePIDs(out + "\nerrors:\n" + errs)
	}
	want := run(backend)
	for _, mode := range []pool.Mode{pool.ModeTransaction, pool.ModeSession} {
		p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Mode = mode })
		if got := run(p.addr); got != want {
			t.Errorf("%s: psql prints\n%s\ndirectly\n%s", mode, got, want)
		}
	}
}

// hidePIDs takes the process number out of psql's notification line.
func hidePIDs(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if head, _, ok := strings.Cut(line, "from server process with PID"); ok {
			line = head
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestPgbench(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	mustRun(t, p.addr, "", "pgbench", "-i", "-q", "-s", "1")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"simple", []string{"-M", "simple", "-c", "20", "-t", "30"}},
		{"extended", []string{"-M", "extended", "-c", "20", "-t", "30"}},
		{"prepared", []string{"-M", "prepared", "-c", "5", "-t", "100"}}, // named statements pin: no more clients than backends
		{"select simple", []string{"-S", "-M", "simple", "-c", "50", "-t", "100"}},
		{"select extended", []string{"-S", "-M", "extended", "-c", "50", "-t", "100"}},
		{"select prepared", []string{"-S", "-M", "prepared", "-c", "5", "-t", "200"}},
		{"connect simple", []string{"-S", "-C", "-M", "simple", "-c", "10", "-t", "30"}},
		{"connect extended", []string{"-S", "-C", "-M", "extended", "-c", "10", "-t", "30"}},
		{"connect prepared", []string{"-S", "-C", "-M", "prepared", "-c", "5", "-t", "30"}},
		{"connect tpcb", []string{"-C", "-M", "simple", "-c", "10", "-t", "10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := mustRun(t, p.addr, "", "pgbench", append([]string{"-n", "-j", "2"}, c.args...)...)
			if !strings.Contains(out, "number of failed transactions: 0") {
				t.Errorf("pgbench says\n%s", out)
			}
		})
	}
	// Every transaction of TPC-B changes three balances by the same amount.
	sums, err := observer(t, backend).Ask("select (select sum(abalance) from pgbench_accounts) = (select sum(bbalance) from pgbench_branches)" +
		" and (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history)")
	if err != nil || sums != "t" {
		t.Errorf("the balances do not agree: %q, %v", sums, err)
	}
}

const dumpFixture = `
create schema crm;
create type crm.mood as enum ('sad', 'ok', 'happy');
create table crm.company (id serial primary key, name text not null unique, mood crm.mood default 'ok', tags text[], extra jsonb, photo bytea);
create table crm.contact (id bigint generated always as identity primary key, company int not null references crm.company on delete cascade,
  email text check (email like '%@%'), born date, seen timestamptz);
insert into crm.company (name, mood, tags, extra, photo)
  select 'company ' || i || E' \t\\ "q" ''s é', (array['sad','ok','happy']::crm.mood[])[1 + i % 3], array['a', null, i::text], jsonb_build_object('n', i), decode(md5(i::text), 'hex')
  from generate_series(1, 2000) i;
insert into crm.contact (company, email, born, seen)
  select 1 + i % 2000, 'c' || i || '@example.com', date '1950-01-01' + i, timestamptz '2024-01-01 00:00+00' + i * interval '1 minute' from generate_series(1, 10000) i;
create index on crm.contact (company, email);
create view crm.happy as select * from crm.company where mood = 'happy';
create materialized view crm.counts as select company, count(*) from crm.contact group by 1;
create function crm.half(i int) returns int language sql immutable as 'select i / 2';
comment on table crm.company is 'companies';
select lo_from_bytea(0, 'a large object');
`

// dump is pg_dump's text without the key that it makes up each time.
func dump(t testing.TB, addr, database string) string {
	t.Helper()
	lines := strings.Split(mustRun(t, addr, "", "pg_dump", "-d", database), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, `\restrict`) || strings.HasPrefix(line, `\unrestrict`)
	}), "\n")
}

func TestDumpAndRestore(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for _, name := range []string{"wire_source", "wire_plain", "wire_custom", "wire_directory"} {
		if err := admin.Exec("drop database if exists " + name + " with (force)"); err != nil {
			t.Fatal(err)
		}
		if err := admin.Exec("create database " + name); err != nil {
			t.Fatal(err)
		}
	}
	p := startProxy(t, backend, nil)
	mustRun(t, p.addr, dumpFixture, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "wire_source")
	text := dump(t, p.addr, "wire_source")
	mustRun(t, p.addr, text, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "wire_plain")
	custom, directory := filepath.Join(t.TempDir(), "custom"), filepath.Join(t.TempDir(), "directory")
	mustRun(t, p.addr, "", "pg_dump", "-Fc", "-f", custom, "-d", "wire_source")
	mustRun(t, p.addr, "", "pg_restore", "-e", "-d", "wire_custom", custom)
	mustRun(t, p.addr, "", "pg_dump", "-Fd", "-j", "2", "-f", directory, "-d", "wire_source")
	mustRun(t, p.addr, "", "pg_restore", "-e", "-j", "2", "-d", "wire_directory", directory)
	want := dump(t, backend, "wire_source")
	if text != want {
		t.Error("pg_dump through the proxy is not what it is directly")
	}
	for _, name := range []string{"wire_plain", "wire_custom", "wire_directory"} {
		if got := dump(t, backend, name); got != want {
			t.Errorf("%s is not a copy of the source: %d bytes, want %d", name, len(got), len(want))
		}
	}
}

// Replication connections go through byte for byte.
func TestBaseBackup(t *testing.T) {
	pg := newPostgres(t)
	p := startProxy(t, pg.Address(), nil)
	dir := filepath.Join(t.TempDir(), "backup")
	mustRun(t, p.addr, "", "pg_basebackup", "-D", dir, "-X", "stream", "-c", "fast", "--no-sync")
	mustRun(t, p.addr, "", "pg_verifybackup", "-e", "-n", dir)
}
