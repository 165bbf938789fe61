package proxy_test

import (
	"slices"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// droppedRole are the statements before each script: its client a has a role that b drops.
var droppedRole = []string{"drop role if exists dropped", "drop role if exists stays", "create role dropped", "create role stays"}

func withDropped(steps ...[]pgtest.Step) []pgtest.Step {
	return slices.Concat(queries("a", "set role dropped"), queries("b", "drop role dropped"), slices.Concat(steps...))
}

func batchOf(sql string) []pgtest.Step {
	return []pgtest.Step{pgtest.Send(pgtest.Parse("", sql), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z *")}
}

// A session gives up a role that was dropped.
func TestYieldsDroppedRole(t *testing.T) {
	const who = "select session_user, current_user, current_setting('role'), current_setting('work_mem')"
	differ(t, plain(t), "postgres", 1, droppedRole, map[string][]pgtest.Step{
		"reset":                 withDropped(queries("a", "reset role", who), queries("b", who), queries("a", who)),
		"reset, extended":       withDropped(batchOf("reset role"), queries("a", who), queries("b", who)),
		"none":                  withDropped(queries("a", "set role none", who)),
		"another":               withDropped(queries("a", "set role stays", who), queries("b", who), queries("a", who)),
		"another, extended":     withDropped(batchOf("set role stays"), queries("a", who)),
		"another, of a session": withDropped(queries("a", "set session authorization stays", who, "reset session authorization", who)),
		"discard all":           withDropped(queries("a", "discard all", who)),
		"no such role":          withDropped(queries("a", "set role no_such_role", "set role stays", who)),
		"session":               slices.Concat(queries("a", "set session authorization dropped"), queries("b", "drop role dropped"), queries("a", "reset session authorization", who)),
		"other settings":        slices.Concat(queries("a", "set work_mem = '7MB'"), withDropped(queries("a", "reset role", who))),
		"one write": withDropped([]pgtest.Step{
			pgtest.Send(pgtest.Query("reset role"), pgtest.Query(who)).Expect("C RESET", "S is_superuser=on", "Z I", "T *", "D *", "C SELECT 1", "Z I")}),
	})
}

// Nothing else runs without the role, and the session stays.
func TestNothingYieldedByMistake(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	dropAfter(t, backend, "drop role if exists dropped", "drop role stays")
	const gone = `E ERROR 22023 role "dropped" does not exist`
	const who = "select current_user"
	asked := pgtest.Send(pgtest.Query(who)).Expect(gone, "Z I")
	for name, steps := range map[string][]pgtest.Step{
		"query":            {asked, asked},
		"setting":          {pgtest.Send(pgtest.Query("set work_mem = '5MB'")).Expect(gone, "Z I"), asked},
		"local":            {pgtest.Send(pgtest.Query("set local role stays")).Expect(gone, "Z I"), asked},
		"several":          {pgtest.Send(pgtest.Query("reset role; select 1/0")).Expect(gone, "Z I"), asked},
		"transaction":      {pgtest.Send(pgtest.Query("begin")).Expect("C BEGIN", "Z T"), pgtest.Send(pgtest.Query("reset role")).Expect(gone, "Z E"), pgtest.Send(pgtest.Query("rollback")).Expect("C ROLLBACK", "Z I"), asked},
		"fails":            {pgtest.Send(pgtest.Query("set role no_such_role")).Expect("E ERROR 22023 *", "Z I"), asked},
		"fails, one write": {pgtest.Send(pgtest.Query("set role no_such_role"), pgtest.Query(who)).Expect("E ERROR 22023 *", "Z I", gone, "Z I"), asked},
		"fails, extended": {pgtest.Send(pgtest.Parse("", "set role no_such_role"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync, pgtest.Query(who)).
			Expect("1", "2", "E ERROR 22023 *", "Z I", gone, "Z I"), asked},
		"only parsed":      {pgtest.Send(pgtest.Parse("", "reset role"), pgtest.Parse("s", who), pgtest.Bind("", "s"), pgtest.Execute("", 0), pgtest.Sync).Expect(gone, "Z I"), asked},
		"another is bound": {pgtest.Send(pgtest.Parse("s", "reset role"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect(gone, "Z I"), asked},
		"in two batches":   {pgtest.Send(pgtest.Parse("", "reset role"), pgtest.Sync).Expect(gone, "Z I"), asked},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, onlyOne)
			for _, sql := range droppedRole {
				if err := admin.Exec(sql); err != nil {
					t.Fatal(err)
				}
			}
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: name, Steps: withDropped(steps)})
		})
	}
}
