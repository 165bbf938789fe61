package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// mark is in every literal, parameter and comment of the test, and must be nowhere else.
const mark = "mark4711"

// No literal of a client's gets into a log, a metric or the console: not from a text, a
// parameter, a plan, an error or a comment.
func TestRedaction(t *testing.T) {
	backend := plain(t)
	admin := dial(t, backend)
	for _, sql := range []string{
		"create table secrets (id int, v text, doc jsonb)",
		"insert into secrets select i, 'v' || i, '{}' from generate_series(1, 20000) i",
		"analyze secrets",
	} {
		if _, err := admin.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _, _ = admin.Exec(context.Background(), "drop table secrets").ReadAll() })
	p := startObserving(t, backend, func(c *monitor.Config) { c.Findings.RemovedRows, c.Findings.ShareLow = 1, 0.0001 })
	conn, ctx := dial(t, p.addr), context.Background()
	for _, sql := range []string{
		"select * from secrets where v = 'mark4711'",
		"select * from secrets where v like '%mark4711%' and v <> $$mark4711$$ and v <> E'mark4711\\n' and v <> U&'mark4711'",
		"select * from secrets where doc @> '{\"mark4711\": 1}' or doc ->> 'mark4711' = 'mark4711'",
		"select 'mark4711'::int",
		"select 'a\\', mark4711, '",
		"select mark4711 from secrets where 'mark4711' = 'x' /* mark4711 */",
		"select count(*), 'mark4711' from secrets group by v || 'mark4711' order by v || 'mark4711' limit 3 -- mark4711",
		"select * from secrets where lower(v) = 'mark4711' /*controller='c',other='mark4711'*/",
		"insert into secrets values (1, 'mark4711')",
		"with x as (select 'mark4711' as m) select * from x, secrets s where s.v = x.m",
		"set application_name = 'mark4711'",
		"set app.token = mark4711", `set local app.token to "Mark4711", mark4711`, "alter database nothing set app.token = mark4711",
		"do $$ begin raise 'mark4711'; end $$",
		"select 'mark4711",
	} {
		_, _ = conn.Exec(ctx, sql).ReadAll()
	}
	for _, sql := range []string{"select * from secrets where v = $1", "select * from secrets where v = $1 and id > length('mark4711')", "select $1::int"} {
		_ = conn.ExecParams(ctx, sql, [][]byte{[]byte(mark)}, nil, nil, nil).Read()
	}
	if _, err := conn.Exec(ctx, "set standard_conforming_strings = off").ReadAll(); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Exec(ctx, `select 'x\', mark4711, \'y' from secrets`).ReadAll()
	explained(t, p, "lower(v)")
	eventually(t, "all is explained", func() bool { return p.mon.Explainer().Counts().Queued == 0 })
	places := map[string]string{"log": p.log.String(), "metrics": metricsText(p), "results": resultsText(t, p)}
	console := consoleOf(t, p)
	commands := []string{"show statements", "show slow", "show plans", "show advice", "show cache", "show pins"}
	for _, r := range p.mon.Explainer().Results() {
		commands = append(commands, fmt.Sprintf("show plan %d", r.Number))
	}
	for _, command := range commands {
		places[command] = consoleText(ctx, console, command)
	}
	for place, text := range places {
		// The name of a column is no literal.
		text = strings.ReplaceAll(strings.ReplaceAll(text, "select mark4711 from", ""), `column "mark4711"`, "")
		if at := strings.Index(text, mark); at >= 0 {
			t.Errorf("%s has it: ...%s...", place, text[max(at-100, 0):min(at+100, len(text))])
		}
	}
	if !strings.Contains(places["show statements"], "secrets") || !strings.Contains(places["show plans"], "secrets") || !strings.Contains(places["show advice"], "secrets") {
		t.Error("there is nothing where it could be")
	}
}

// Nor does a value without quotes get anywhere, of what PostgreSQL takes and of what it refuses.
func TestRedactionWithoutQuotes(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn, ctx := dial(t, p.addr), context.Background()
	refused := 0
	for _, sql := range []string{
		"alter user nobody_here password mark4711", "create user nobody_here password mark4711", "create role nobody_here login password mark4711 superuser",
		"alter user nobody_here identified by mark4711", "alter usr nobody_here password mark4711", "mark4711", "password mark4711",
		"set app.token mark4711", "set app.token = mark4711.mark4711", "set app token = mark4711", "begin; set app.token mark4711", "rollback",
		"alter role nobody_here in database nothing set app.token to mark4711", "alter role nobody_here in database nothing set app.token mark4711",
		"alter database nothing set app.token mark4711", "alter system set app.token mark4711", "explain set app.token mark4711",
		"create subscription s connection host=h password=mark4711 publication p", "alter subscription s connection mark4711",
		"create server s foreign data wrapper w options (host 'h', password mark4711)", "alter server s options (set token mark4711)",
		"create user mapping for mark4711 server s options (password mark4711)", "alter user mapping for public server s options (add mark4711 mark4711)",
		"create foreign table t (id int) server s options (password mark4711)", "import foreign schema a from server s into b options (password mark4711)",
		"create function f() returns int set a = mark4711 mark4711 language sql as 'select 1'", "create temp table pinned (); set app.token to mark4711",
		"set role mark4711", "set session authorization mark4711", "set time zone mark4711", "set search_path to mark4711",
	} {
		if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
			refused++
		}
	}
	if refused < 25 {
		t.Errorf("PostgreSQL has refused %d only", refused)
	}
	places := map[string]string{"log": p.log.String(), "metrics": metricsText(p), "results": resultsText(t, p)}
	console := consoleOf(t, p)
	for _, command := range []string{"show statements", "show slow", "show plans", "show advice", "show pins", "show clients", "show servers"} {
		places[command] = consoleText(ctx, console, command)
	}
	for place, text := range places {
		if at := strings.Index(text, mark); at >= 0 {
			t.Errorf("%s has it: ...%s...", place, text[max(at-100, 0):min(at+100, len(text))])
		}
	}
	for place, part := range map[string]string{"show statements": "alter user nobody_here password $", "show slow": "alter user nobody_here password $", "show pins": "set app.token to ?"} {
		if !strings.Contains(places[place], part) {
			t.Errorf("%s has no %s: %s", place, part, places[place])
		}
	}
}

// A thousand tenants are one shape, whatever it is that names them.
func TestNamesOfTenantsAreOneShape(t *testing.T) {
	backend := plain(t)
	admin := dial(t, backend)
	for i := range 3 {
		answerOf(t, admin, fmt.Sprintf("create role tenant_%d", i))
		t.Cleanup(func() { answerOf(t, admin, fmt.Sprintf("drop role tenant_%d", i)) })
	}
	p := startObserving(t, backend, nil)
	conn := dial(t, p.addr)
	for i := range 3 {
		for _, form := range []string{
			"set role tenant_%d", "reset role", "begin", "set local role tenant_%d", "commit", "set session authorization tenant_%d", "reset session authorization",
			"set search_path to tenant_%d", "set time zone 'Etc/GMT+%d'",
		} {
			answerOf(t, conn, strings.ReplaceAll(form, "%d", fmt.Sprint(i)))
		}
	}
	calls := map[string]string{}
	for _, row := range rowsOf(t, consoleOf(t, p), "show statements") {
		calls[row["statement"]] = row["calls"]
	}
	for _, shape := range []string{"set role $1", "set local role $1", "set session authorization $1", "set search_path to $1", "set time zone $1"} {
		if calls[shape] != "3" {
			t.Errorf("%s: %q calls, of %v", shape, calls[shape], calls)
		}
	}
}

// Nor does what could be code, which tells statements apart where they are remembered.
func TestRedactionOfWhatIsRemembered(t *testing.T) {
	backend := plain(t)
	admin := dial(t, backend)
	answerOf(t, admin, "create table secrets (id int primary key, v text, doc jsonb, tags text[]); insert into secrets values (1, 'v', '{}', '{}'); analyze secrets")
	t.Cleanup(func() { answerOf(t, admin, "drop table secrets") })
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Rewrite.Mode, c.Rewrite.Force = rewrite.ModeOn, true
	})
	conn, console, ctx := dial(t, p.addr), consoleOf(t, p), context.Background()
	eventually(t, "statements are remembered", func() bool {
		for _, sql := range []string{
			`select * from secrets where doc @> '{"mark4711": 1}'`, "select * from secrets where tags && '{mark4711, b}'", "select * from secrets where v ~ 'mark4711.*' or v = 'mark4711 b'",
			"select count(*) from (select id from secrets where v ~ '^mark4711 ' and v <> E'mark4711' and v <> $$mark4711 $$ order by id) s",
		} {
			answerOf(t, conn, sql)
		}
		return strings.Contains(consoleText(ctx, console, "show cache"), "&&") && strings.Contains(consoleText(ctx, console, "show rewrites"), "from secrets")
	})
	for _, command := range []string{"show cache", "show rewrites"} {
		if text := consoleText(ctx, console, command); strings.Contains(text, mark) {
			t.Errorf("%s has it: %s", command, text)
		}
	}
}

func metricsText(p *running) string {
	response := httptest.NewRecorder()
	p.mon.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// resultsText is all that a dashboard could show.
func resultsText(t *testing.T, p *running) string {
	t.Helper()
	var out strings.Builder
	for _, what := range []any{p.mon.Explainer().Results(), p.mon.Advice(), p.mon.Statements().Snapshot(), p.mon.Statements().Slow()} {
		text, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	return out.String()
}

func consoleText(ctx context.Context, conn *pgconn.PgConn, command string) string {
	results, err := conn.Exec(ctx, command).ReadAll()
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, row := range results[0].Rows {
		for _, value := range row {
			out.Write(value)
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// The same statement again and again is told of, and whether its parameters differ.
func TestRepeatedStatements(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = "off" })
	conn, console := dial(t, p.addr), consoleOf(t, p)
	for i := range 100 {
		for _, value := range []string{fmt.Sprint(i)} {
			if r := conn.ExecParams(context.Background(), "select $1::int as other", [][]byte{[]byte(value)}, nil, nil, nil).Read(); r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	for range 100 {
		if _, err := conn.Exec(context.Background(), "select 5 as same").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	rows := rowsOf(t, console, "show advice")
	for statement, kind := range map[string]string{"select $1::int as other": "n+1", "select $1 as same": "repeated"} {
		found := ""
		for _, row := range rows {
			if row["statement"] == statement && row["kind"] != "literals" {
				found += row["kind"]
			}
		}
		if found != kind {
			t.Errorf("%s: %q, not %s", statement, found, kind)
		}
	}
}
