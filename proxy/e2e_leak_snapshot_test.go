package proxy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// snapshotSQL asks for all of a session that SQL can see. The DO is there for
// the settings that plpgsql has as soon as it is loaded.
//
// Not in it are traces that no statement takes away: the number of the schema of
// temporary objects, the source of transaction_isolation and its like and of the
// settings of libraries, those that are loaded by a function of theirs, and that a
// setting of an application is empty instead of unknown: see notYet for that.
const snapshotSQL = `do $$ begin end $$;
select 'setting ' || name, setting from pg_settings order by name;
select 'source ' || name, source, reset_val from pg_settings where name !~ '^transaction_|[.]' order by name;
select 'user', current_user, session_user, current_setting('role'), current_setting('session_authorization'), current_setting('is_superuser');
select 'path', regexp_replace(current_schemas(false)::text, 'pg_temp_[0-9]+', 'pg_temp');
select 'transaction', current_setting('transaction_isolation'), current_setting('transaction_read_only'),
	current_setting('transaction_deferrable'), pg_current_xact_id_if_assigned() is null;
select 'custom ' || name, nullif(current_setting(name, true), '') from (values ('app.x'), ('app.y'), ('local.x'), ('session.x')) as custom (name);
select 'activity', usename, application_name from pg_stat_activity where pid = pg_backend_pid();
select 'lock', locktype, mode, granted, case when locktype = 'advisory' then format('%s %s %s', classid, objid, objsubid) end
	from pg_locks where pid = pg_backend_pid() and locktype not in ('virtualxid', 'relation') order by 2, 3, 5;
select 'relation lock', relation::regclass, mode
	from pg_locks where pid = pg_backend_pid() and relation >= 16384 and database = (select oid from pg_database where datname = current_database()) order by 2, 3;
select 'channel', * from pg_listening_channels() order by 2;
select 'statement', name, statement, parameter_types, from_sql from pg_prepared_statements order by 2;
select 'cursor', name, statement, is_holdable, is_binary, is_scrollable from pg_cursors order by 2;
select 'temporary', relname, relkind from pg_class where relnamespace = pg_my_temp_schema() order by 2;
select 'temporary', classid::regclass, count(*) from pg_depend
	where refclassid = 'pg_namespace'::regclass and refobjid = pg_my_temp_schema() group by 2 order by 2;
select 'slot', slot_name from pg_replication_slots where active_pid = pg_backend_pid()`

// snapshot describes the session of a client as it sees it, line by line. The
// statement and portal that states leave behind are called left; what makes an
// error comes last, since errors may end the session.
func snapshot(t *testing.T, c *pgtest.Conn, probe string) []string {
	t.Helper()
	steps := []leakStep{
		{pgtest.DescribeStatement(""), pgtest.Sync},
		{pgtest.DescribeStatement("left"), pgtest.Sync},
		{pgtest.DescribePortal("left"), pgtest.Sync},
		{pgtest.Query(snapshotSQL)},
	}
	if probe != "" {
		steps = append(steps, leakStep{pgtest.Query(probe)})
	}
	for _, sql := range []string{"select currval('leak.ticket')", "select lastval()"} {
		steps = append(steps, leakStep{pgtest.Query(sql)})
	}
	var lines []string
	for _, step := range steps {
		if err := c.Send(step...); err != nil {
			t.Fatal(err)
		}
		frames := awaitReplies(t, c, step)
		lines = append(lines, "> "+renderStep(step))
		lines = append(lines, snapshotLines(frames)...)
		if frames[len(frames)-1].Type == pgtest.EOF {
			break
		}
	}
	return lines
}

// snapshotLines renders the replies that depend on the session.
func snapshotLines(frames []pgtest.Frame) (lines []string) {
	for _, f := range frames {
		switch f.Type {
		case 'D', 'E', 'Z', 't', pgtest.EOF:
			lines = append(lines, f.String())
		}
	}
	return lines
}

// withoutSources leaves out where the settings come from.
func withoutSources(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "D source ") })
}

// diffLines shows the lines that only one of two lists has, or that are in
// another order; "" if they are equal.
func diffLines(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	var b strings.Builder
	for _, l := range want {
		if !slices.Contains(got, l) {
			fmt.Fprintf(&b, "    - %s\n", l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			fmt.Fprintf(&b, "    + %s\n", l)
		}
	}
	if b.Len() == 0 {
		return fmt.Sprintf("    the order differs:\n    %q\n    %q\n", want, got)
	}
	return b.String()
}

// renderSteps shows a script, a line for each write.
func renderSteps(steps []leakStep) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteString(renderStep(step) + "\n")
	}
	return b.String()
}

func renderStep(step leakStep) string {
	messages := make([]string, len(step))
	for i, m := range step {
		messages[i] = renderMessage(m)
	}
	return strings.Join(messages, " | ")
}

func renderMessage(m pgproto3.FrontendMessage) string {
	switch m := m.(type) {
	case *pgproto3.Query:
		if m.String == snapshotSQL {
			return "Query (the snapshot)"
		}
		return "Query " + m.String
	case *pgproto3.Parse:
		return fmt.Sprintf("Parse %q %s", m.Name, m.Query)
	case *pgproto3.Bind:
		return fmt.Sprintf("Bind %q %q %q", m.DestinationPortal, m.PreparedStatement, m.Parameters)
	case *pgproto3.Execute:
		return fmt.Sprintf("Execute %q %d", m.Portal, m.MaxRows)
	case *pgproto3.FunctionCall:
		return fmt.Sprintf("FunctionCall %d %q", m.Function, m.Arguments)
	case *pgproto3.Describe:
		return fmt.Sprintf("Describe %c %q", m.ObjectType, m.Name)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}
