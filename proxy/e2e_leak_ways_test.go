package proxy_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// settingWay is a way to change a setting, for good or not.
type settingWay struct {
	name  string
	steps func(name, value string) []leakStep
	// hides says that the name is not where the proxy looks for it. Settings of
	// applications are lost then: they are in notYet.
	hides bool
}

// hiding marks a way as one that hides the name.
func hiding(w settingWay) settingWay {
	w.hides = true
	return w
}

// text makes a way of queries, in which NAME, SET and CALL stand for the
// setting's name, the SET of it, and the set_config of it.
func text(name string, queries ...string) settingWay {
	return settingWay{name: name, steps: func(setting, value string) []leakStep { return fillIn(setting, value, queries) }}
}

func fillIn(setting, value string, queries []string) (steps []leakStep) {
	fill := strings.NewReplacer(
		"NAME", setting,
		"SET", fmt.Sprintf("set %s = %s", setting, quoteValue(value)),
		"LOCAL", fmt.Sprintf("set local %s = %s", setting, quoteValue(value)),
		"CALL", fmt.Sprintf("set_config('%s', %s, false)", setting, quoteValue(value)),
		"ARGS", fmt.Sprintf("'%s', %s", setting, quoteValue(value)),
		"NAMED", fmt.Sprintf("'%s', new_value => %s", setting, quoteValue(value)),
		"QUOTED", quoteValue(fmt.Sprintf("set %s = %s", setting, quoteValue(value))),
	)
	for _, q := range queries {
		steps = append(steps, leakStep{pgtest.Query(fill.Replace(q))})
	}
	return steps
}

// messages makes a way of the extended protocol, from the SET.
func messages(name string, steps func(set string) []leakStep) settingWay {
	return settingWay{name: name, steps: func(setting, value string) []leakStep {
		return steps(fmt.Sprintf("set %s = %s", setting, quoteValue(value)))
	}}
}

// setConfigOID is that of set_config(text, text, boolean).
const setConfigOID = 2078

var settingWays = []settingWay{
	text("by SET", "SET"),
	text("by SET SESSION", "set session NAME to default; SET"),
	text("with comments", "/* */ SET -- a comment\n"),
	text("by set_config", "select CALL"),
	text("by set_config of a schema", "select pg_catalog./* */set_config (ARGS, 1 > 2)"),
	text("by set_config in quotes", `select "pg_catalog"."set_config"(ARGS, 'f')`),
	hiding(text("by set_config in unicode", `select U&"set\005fconfig"(ARGS, false)`)),
	text("by set_config of named arguments", "select set_config(is_local => false, setting_name => NAMED)"),
	text("by set_config in a CTE", "with a as materialized (select CALL as s) select * from a"),
	text("by set_config in WHERE", "select 1 where CALL is not null"),
	text("by set_config in FROM", "select * from CALL as s"),
	text("by set_config in VALUES", "values (1, CALL)"),
	text("by set_config in COPY", "copy (select CALL) to stdout"),
	text("by set_config in a cursor", "begin; declare c cursor for select CALL", "fetch c", "commit"),
	text("by set_config in CREATE TABLE AS", "create temp table left_behind as select CALL as s"),
	text("by set_config in EXPLAIN", "explain (analyze, costs off, timing off, summary off) select CALL"),
	text("by set_config in PREPARE", "prepare p as select CALL", "execute p", "deallocate p"),
	text("by set_config in an expression", "select length(CALL) > 1 or false"),
	text("by set_config, local after all", "select set_config(ARGS, false), set_config(ARGS, true)"),
	text("by set_config, local", "begin", "select set_config(ARGS, true)", "commit"),
	text("by set_config, local outside", "select set_config(ARGS, true)"),
	text("by DO", "do $way$ begin perform CALL; end $way$"),
	text("by SET in DO", "do $way$ begin SET; end $way$"),
	text("by EXECUTE in DO", "do $way$ begin execute QUOTED; end $way$"),
	text("by DO with COMMIT", "do $way$ begin perform CALL; commit; end $way$"),
	text("by DO with ROLLBACK", "do $way$ begin perform CALL; rollback; end $way$"),
	text("by DO that catches an error", "do $way$ begin perform CALL; perform 1/0; exception when others then null; end $way$"),
	text("by DO that fails", "do $way$ begin perform CALL; perform 1/0; end $way$"),
	hiding(text("by a function", "select leak.set(ARGS)")),
	text("by a function that executes", "select leak.run(QUOTED)"),
	hiding(text("by a procedure", "call leak.call(ARGS)")),
	text("in a text of several", "select 1; SET; select 2"),
	text("in a text of several that fails", "select 1; SET; select 1/0"),
	text("in a text with COMMIT, then an error", "begin; SET; commit; select 1/0"),
	text("in a transaction", "begin", "SET", "commit"),
	text("in a transaction of one text", "begin; SET; end"),
	text("in a transaction that is rolled back", "begin", "SET", "rollback"),
	text("in a transaction that fails", "begin; SET", "select 1/0", "commit"),
	text("in an open transaction", "begin; SET"),
	text("in a savepoint", "begin", "savepoint s", "SET", "release s", "commit"),
	text("in a savepoint that is rolled back", "begin; savepoint s; SET", "rollback to s", "commit"),
	text("in a savepoint after an error", "begin; savepoint s; SET", "select 1/0", "rollback to s", "commit"),
	text("by SET LOCAL", "begin", "LOCAL", "commit"),
	text("by SET LOCAL outside", "LOCAL"),
	text("by SET LOCAL in an open transaction", "begin; LOCAL"),
	text("by SET LOCAL in a savepoint", "begin; savepoint s; LOCAL; release s", "commit and chain", "commit"),
	text("by SET, then SET LOCAL", "begin; SET; set local NAME = default; commit"),
	text("by SET, then RESET", "SET", "reset NAME"),
	text("by SET, then RESET that is rolled back", "SET", "begin; reset NAME; rollback"),
	text("by SET, then TO DEFAULT", "SET", "set NAME to default"),
	text("by SET, then RESET ALL", "SET", "reset all"),
	text("by SET, then DISCARD ALL", "SET", "discard all"),
	text("by SET, then an error", "SET", "selec"),
	messages("by Execute", func(set string) []leakStep { return []leakStep{extended(set)} }),
	messages("by a named statement", func(set string) []leakStep {
		return []leakStep{{pgtest.Parse("s", set), pgtest.Sync}, {pgtest.Bind("p", "s"), pgtest.Execute("p", 1), pgtest.Sync}, {pgtest.CloseStatement("s"), pgtest.Sync}}
	}),
	messages("by Parse only", func(set string) []leakStep { return []leakStep{{pgtest.Parse("", set), pgtest.Sync}} }),
	messages("in a pipeline, error behind it", func(set string) []leakStep {
		return []leakStep{slices.Concat(extended(set)[:3], extended("select 1/0"))}
	}),
	messages("in a pipeline, error before it", func(set string) []leakStep {
		return []leakStep{slices.Concat(extended("select 1/0")[:3], extended(set))}
	}),
	messages("in a pipeline, errors around it", func(set string) []leakStep {
		return []leakStep{slices.Concat(extended("select 1/0"), extended(set), extended("selec"))}
	}),
	messages("in a pipeline without Sync", func(set string) []leakStep {
		return []leakStep{{pgtest.Parse("", set), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Flush}}
	}),
	messages("in a pipeline with COMMIT", func(set string) []leakStep {
		return []leakStep{slices.Concat(extended("begin"), extended(set), extended("commit"))}
	}),
	messages("in a pipeline with ROLLBACK", func(set string) []leakStep {
		return []leakStep{slices.Concat(extended("begin")[:3], extended(set)[:3], extended("rollback"))}
	}),
	{name: "by a parameter", steps: func(setting, value string) []leakStep {
		return []leakStep{extended("select set_config($1, $2, $3)", setting, value, "false")}
	}},
	{name: "by a parameter, local", steps: func(setting, value string) []leakStep {
		return []leakStep{extended("select set_config($1, $2, $3)", setting, value, "true")}
	}},
	{name: "by a prepared statement with parameters", steps: func(setting, value string) []leakStep {
		return []leakStep{
			{pgtest.Parse("s", "select set_config($1, $2, $3)"), pgtest.Sync},
			{pgtest.Bind("", "s", setting, value, "f"), pgtest.Execute("", 0), pgtest.CloseStatement("s"), pgtest.Sync},
		}
	}},
	{name: "by FunctionCall", steps: func(setting, value string) []leakStep {
		return []leakStep{{pgtest.Call(setConfigOID, setting, value, "\x00")}}
	}},
	{name: "by UPDATE pg_settings", steps: func(setting, value string) []leakStep {
		if strings.Contains(setting, ".") {
			return nil // it is not there before somebody has used it
		}
		return sql(fmt.Sprintf("update pg_settings set setting = %s where name = '%s'", quoteValue(value), setting))
	}},
}
