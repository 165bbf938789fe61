package proxy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// queries are Queries of a client, whatever the replies are.
func queries(client string, sql ...string) (steps []pgtest.Step) {
	for _, text := range sql {
		steps = append(steps, pgtest.Send(pgtest.Query(text)).On(client).Expect("...", "Z *"))
	}
	return steps
}

// heard is a notification of others that a client gets.
func heard(client, what string) []pgtest.Step {
	return []pgtest.Step{pgtest.Send().On(client).Expect("A " + what)}
}

// dropAfter executes statements when the test is over: what functions do counts for all
// texts of the database, which tests share.
func dropAfter(t *testing.T, backend string, drops ...string) {
	admin := observer(t, backend)
	t.Cleanup(func() {
		for _, sql := range drops {
			if err := admin.Exec(sql); err != nil {
				t.Error(err)
			}
		}
	})
}

// differ plays scripts directly and through the proxy, each after the statements of
// before, and reports what differs.
func differ(t *testing.T, backend, user string, size int, before []string, scripts map[string][]pgtest.Step) {
	admin := observer(t, backend)
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = size })
			s := &pgtest.Script{Name: name, Steps: scripts[name]}
			run := func(address string) *pgtest.Transcript {
				for _, sql := range before {
					if err := admin.Exec(sql); err != nil {
						t.Fatal(err)
					}
				}
				return pgtest.Check(t, pgtest.Target{Address: address, User: user, Database: "postgres"}, s)
			}
			want := run(backend)
			got := run(p.addr)
			if diff := pgtest.Diff(want, got); diff != "" {
				t.Errorf("%s\ndirectly:\n%s\nthrough the proxy:\n%s", diff, want, got)
			}
		})
	}
}

// Transactions that are SERIALIZABLE READ ONLY DEFERRABLE wait for others. What the proxy
// does on the backend of a client who has that by default does not.
func TestAskedWithoutWaiting(t *testing.T) {
	writer := queries("w", "begin isolation level serializable", "insert into hurt values (1)")
	commit := queries("w", "commit")
	dropAfter(t, plain(t), "drop table if exists hurt")
	const deferrable = "set session characteristics as transaction isolation level serializable, read only, deferrable"
	differ(t, plain(t), "postgres", 2, []string{"drop table if exists hurt", "create table hurt (id int)"}, map[string][]pgtest.Step{
		"the question": slices.Concat(writer, queries("a", deferrable, "show work_mem", "set work_mem = '3MB'", "show work_mem",
			"begin isolation level read committed", "select set_config('app.x', '1', false)", "commit", "show app.x"), commit),
		"the label": slices.Concat(writer, queries("a", deferrable, "show work_mem"), queries("b", "show work_mem", "select count(*) from hurt"),
			queries("a", "show default_transaction_deferrable"), queries("b", "show default_transaction_deferrable"), commit),
		"start-up": slices.Concat(writer, []pgtest.Step{pgtest.Connect("a", "options", `-c default_transaction_isolation=serializable -c default_transaction_read_only=on -c default_transaction_deferrable=on`)},
			queries("a", "show work_mem", "reset default_transaction_deferrable", "show default_transaction_deferrable"), queries("b", "show work_mem"), commit),
	})
}

// A client's search_path may find operators ahead of PostgreSQL's own.
func TestAskedWithOperatorsOfTheClient(t *testing.T) {
	before := []string{"drop schema if exists own cascade", "create schema own"}
	for name, types := range map[string]string{"text": "text, text", "oid": "oid, oid", "bool": "bool, bool", "char": `"char", "char"`, "int": "int, int", "name": "name, text"} {
		left, right, _ := strings.Cut(types, ", ")
		before = append(before, "create function own.is_"+name+"("+types+") returns bool language plpgsql as $$ begin raise exception 'an operator of the client''s'; end $$")
		for _, operator := range []string{"=", "<>", "~", "~~", "~*", "!~", "||", ">=", ">", "<", "<="} {
			before = append(before, "create operator own."+operator+" (function = own.is_"+name+", leftarg = "+left+", rightarg = "+right+")")
		}
	}
	before = append(before, "drop function if exists asked()",
		"create function asked() returns void language plpgsql as $$ begin perform pg_catalog.set_config('work_mem', '6MB', false); end $$")
	dropAfter(t, plain(t), "drop schema own cascade", "drop function asked()")
	const path = "set search_path = own, pg_catalog, public"
	differ(t, plain(t), "postgres", 2, before, map[string][]pgtest.Step{
		"listen":    slices.Concat(queries("a", path, "listen q", "select pg_catalog.pg_listening_channels()"), queries("b", "notify q"), heard("a", "q"), queries("a", "notify q, 'mine'")),
		"functions": slices.Concat(queries("a", path, "select asked()", "show work_mem", "create view v as select 1 as x"), queries("b", "show work_mem"), queries("a", "select * from v", "show work_mem", "drop view v")),
		"settings":  slices.Concat(queries("a", path, "set role pg_monitor", "reset role", "set work_mem = '7MB'"), queries("b", "show work_mem"), queries("a", "show work_mem", "prepare p as select 1", "execute p", "discard all", "show work_mem")),
	})
}

// A client who may not look at what the question is about keeps its backend, and listens.
func TestAskedWithFewRights(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	dropAfter(t, backend, "drop role fewer")
	for name, right := range map[string]string{
		"pg_settings":            "select on pg_catalog.pg_settings",
		"pg_locks":               "select on pg_catalog.pg_locks",
		"pg_prepared_statements": "select on pg_catalog.pg_prepared_statements",
		"pg_cursors":             "select on pg_catalog.pg_cursors",
		"current_setting":        "execute on function pg_catalog.current_setting(text)",
		"current_setting, two":   "execute on function pg_catalog.current_setting(text, boolean)",
	} {
		before := []string{"drop role if exists fewer", "create role fewer login", "revoke " + right + " from public"}
		differ(t, backend, "fewer", 2, before, map[string][]pgtest.Step{
			name: slices.Concat(queries("a", "set work_mem = '3MB'", "listen few", "show work_mem", "notify few, 'mine'"), queries("b", "show work_mem", "notify few, 'other'"), heard("a", "few other"),
				queries("a", "select 1", "begin", "unlisten few", "listen fewer", "rollback", "notify few, 'rolled back'", "notify fewer", "unlisten *", "notify few", "show work_mem", "discard all", "show work_mem")),
		})
		if err := admin.Exec("grant " + right + " to public"); err != nil {
			t.Fatal(err)
		}
	}
}
