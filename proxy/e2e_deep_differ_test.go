package proxy_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
)

// The generated test of deep pages: tables, indexes, lists, settings, protocols, writes,
// transactions and DDL by chance. Whatever has happened, a page is what the same session
// gets for the same statement with rewriting switched off by a hint.

// deepKeys are types of keys with what makes values of them from a number; $ stands for
// the number.
var deepKeys = map[string][]string{
	"int":          {"$", "$ - 1500", "$ * 1000003 % 2147483"},
	"int8":         {"$ * 10000000000", "-$"},
	"int2":         {"$ % 300"},
	"oid":          {"$::int8::oid", "(4294967295 - $)::oid"},
	"text":         {"md5($::text)", "repeat('a', $ % 40)", `(array['', ' ', 'a''b', 'a\b', 'Ab', 'ab', 'äö', E'x\ny', '$1', '%'])[1 + $ % 10]`},
	"varchar(12)":  {"left(md5($::text), $ % 13)"},
	"char(8)":      {"left(md5($::text), $ % 5)", "'x' || $ % 70"},
	"numeric":      {"$ / 7.0", "(array[1.0, 1.00, 1, 'NaN', 'Infinity', '-Infinity', 1e30, 0.000])[1 + $ % 8]", "round($ / 3.0, $ % 4)"},
	"numeric(9,2)": {"$ / 10.0"},
	"date":         {"date '2000-01-01' + $", "(array['infinity', '-infinity', '0044-03-15 BC', '2020-02-29', '12020-01-01'])[1 + $ % 5]::date"},
	"timestamp":    {"timestamp '1999-12-31' + $ * interval '1 hour 1 microsecond'", "(array['infinity', '0044-03-15 BC', '2020-02-29 00:00:00.5'])[1 + $ % 3]::timestamp"},
	"timestamptz":  {"timestamptz '2020-10-24 20:00Z' + $ * interval '7 minutes'", "timestamptz '1890-01-01Z' + $ * interval '1 day'"},
	"time":         {"time '00:00' + $ * interval '61 seconds'"},
	"timetz":       {"(time '00:00' + $ * interval '61 seconds')::timetz"},
	"bytea":        {"decode(md5($::text), 'hex')", `substr('\x005c27ff61'::bytea, 1 + $ % 5, $ % 4)`},
	"bool":         {"$ % 2 = 0"},
	"uuid":         {"md5($::text)::uuid"},
}

// deepOthers are types whose values cannot be carried.
var deepOthers = map[string][]string{
	"name":       {"md5($::text)"},
	"float8":     {"$ / 7.0", "case $ % 3 when 0 then 'NaN' when 1 then 0.0 else '-0' end::float8"},
	"interval":   {"$ * interval '1 hour'"},
	"inet":       {"('10.0.0.0'::inet + $)"},
	"int[]":      {"array[$ % 50, $]"},
	"jsonb":      {"to_jsonb($)"},
	"c.mood":     {"(array['sad', 'ok', 'happy'])[1 + $ % 3]::c.mood"},
	"c.positive": {"$ + 1"},
}

const deepDifferWorld = `drop schema if exists c, c2 cascade; create schema c; create schema c2;
	create type c.mood as enum ('sad', 'ok', 'happy'); create domain c.positive as int check (value > 0);
	create collation c.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	create collation c.german (provider = icu, locale = 'de')`

// deepDiffer is one run of the test.
type deepDiffer struct {
	*testing.T
	*rand.Rand
	server              *proxy.Server
	admin, conn, writer *pgconn.PgConn
	columns             []string // the keys, of table c.t
	rows                int
	lists               []deepList
	log                 []string
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (d *deepDiffer) exec(conn *pgconn.PgConn, sql string) string {
	d.Helper()
	d.log = append(d.log, sql)
	return answerOf(d.T, conn, sql)
}

// build makes a table in both schemas, of different rows.
func (d *deepDiffer) build() {
	d.exec(d.admin, deepDifferWorld)
	n := 2 + d.IntN(2)
	d.rows = 1200
	if d.IntN(6) == 0 {
		d.rows = pick(d.Rand, []int{0, 1, 150, 700})
	}
	var columns, values []string
	for i := range n {
		kinds := deepKeys
		if d.IntN(8) == 0 {
			kinds = deepOthers
		}
		typ := pick(d.Rand, slices.Sorted(maps.Keys(kinds)))
		value := pick(d.Rand, kinds[typ])
		collate := ""
		if strings.HasPrefix(typ, "text") || strings.HasPrefix(typ, "varchar") || strings.HasPrefix(typ, "char") {
			collate = pick(d.Rand, []string{"", "", ` collate "C"`, " collate c.nocase", " collate c.german"})
		}
		spread := pick(d.Rand, []string{"i", "i / 3", "i / 40", "(i * 7919) % 3001", "i % 11", "7"})
		value = strings.ReplaceAll(value, "$", "("+spread+")")
		name := fmt.Sprintf("k%d", i)
		null := " not null"
		if d.IntN(3) == 0 {
			null = ""
			value = fmt.Sprintf("case when i %% %d <> 0 then %s end", 1+d.IntN(4), value)
		}
		columns, values = append(columns, name+" "+typ+collate+null), append(values, value)
		d.columns = append(d.columns, name)
	}
	for i, schema := range []string{"c", "c2"} {
		d.exec(d.admin, fmt.Sprintf("create table %[1]s.t (id int primary key, %[2]s, status text not null default 'new', n int, pad text default 'p');"+
			"insert into %[1]s.t select i, %[3]s, (array['new', 'won', 'lost'])[1 + i %% 3], nullif(i %% 9, 0) from generate_series(1, %[4]d) i order by md5(i::text);"+
			"create table %[1]s.o (id int primary key, k0 int, label text); insert into %[1]s.o select i, i, 'o' || i from generate_series(0, 8) i",
			schema, strings.Join(columns, ", "), strings.Join(values, ", "), d.rows+i*1000))
		for _, c := range d.columns {
			d.exec(d.admin, fmt.Sprintf("create index on %s.t (%s%s%s)", schema, c, pick(d.Rand, []string{"", " desc", " nulls first"}), pick(d.Rand, []string{"", ", id", ", id, status, n"})))
		}
	}
	if d.IntN(4) == 0 {
		d.exec(d.admin, "create table c.child () inherits (c.t); insert into c.child select * from c.t where id % 10 = 0; update c.child set id = id + 100000")
	}
	if d.IntN(8) == 0 {
		d.exec(d.admin, "create policy p on c.t using (id % 2 = 0); alter table c.t enable row level security, force row level security")
	}
	d.exec(d.admin, "vacuum analyze")
}

// deepList is a list with a total order. {} in its text is a parameter.
type deepList struct{ text, value string }

// list makes a list.
func (d *deepDiffer) list() deepList {
	direction := func() string {
		return pick(d.Rand, []string{"", "", " asc", " desc", " desc nulls last", " nulls first", " asc nulls last", " desc", pick(d.Rand, []string{" using <", " using >"})})
	}
	lead := "t." + pick(d.Rand, d.columns)
	shown := pick(d.Rand, []string{"t.*", "t.*", "t.id, " + lead, lead + " as lead, t.id", "t.id", "t.*, 7 as seven", lead + ", " + lead + ", t.id"})
	key := lead
	switch d.IntN(12) {
	case 0:
		key = strings.TrimPrefix(lead, "t.")
	case 1:
		key = lead + ` collate "C"`
	case 2:
		key = "1"
	case 3:
		key = "(" + lead + ")"
	}
	if strings.HasSuffix(shown, " as lead, t.id") && d.IntN(2) == 0 {
		key = "lead"
	}
	order := key + direction()
	if d.IntN(3) == 0 {
		order += ", t." + pick(d.Rand, d.columns) + direction()
	}
	from, id := pick(d.Rand, []string{"t", "t", "t", "c.t", "t", "only t", "t as t", "t join o on o.id = t.n", "t left join o on o.id = t.n", "t, o", "(select * from t) t"}), "t.id"
	if from == "t, o" {
		id += ", o.id"
	}
	where := pick(d.Rand, []deepList{{}, {}, {}, {"t.status = {}", "won"}, {"t.status = {} or t.n = 3", "won"}, {"t.n is null", ""}, {"t.id > {} and t.id < 900", "10"},
		{"not t.status = {} -- x\n", "new"}, {"t.id in (select id from t where n > 2)", ""}, {"false", ""}, {"t.n = {} and exists (select 1 from o where o.id = t.n)", "4"}, {"t.n = {}", "5"}})
	if where.text != "" {
		where.text = " where " + where.text
	}
	return deepList{fmt.Sprintf("select %s from %s%s order by %s, %s", shown, from, where.text, order, id), where.value}
}

// hint has the statement behind it left as it is.
const hint = "/* pgjay: rewrite=off */ "

// ask asks for a page in one of the ways there are, and for the same without rewriting.
func (d *deepDiffer) ask(list deepList, offset int) {
	d.Helper()
	limit, ctx := 1+d.IntN(40), context.Background()
	if d.IntN(10) == 0 {
		limit = 900
	}
	var run func(hint string) string
	var sql string
	form := d.IntN(4)
	switch form {
	case 0, 1:
		sql = page(strings.ReplaceAll(list.text, "{}", "'"+list.value+"'"), limit, offset, d.IntN(3))
		run = func(hint string) string { return answerOf(d.T, d.conn, hint+sql) }
	default:
		values := [][]byte{fmt.Append(nil, limit), fmt.Append(nil, offset)}
		sql = page(list.text, 1001, 1002, form)
		sql = strings.NewReplacer("1001", "$1", "1002", "$2", "{}", "$3").Replace(sql)
		if strings.Contains(list.text, "{}") {
			values = append(values, []byte(list.value))
		}
		result := []int16{int16(d.IntN(2))}
		run = func(hint string) string {
			return resultOf(d.conn.ExecParams(ctx, hint+sql, values, nil, nil, result).Read())
		}
	}
	got := run("")
	if d.conn.TxStatus() == 'E' {
		return // what is asked next fails in any case
	}
	want := run(hint)
	d.log = append(d.log, fmt.Sprintf("%s -- limit %d offset %d", sql, limit, offset))
	if got != want {
		d.Fatalf("is\n%.2000s\nwant\n%.2000s\nafter\n%s", got, want, strings.Join(d.log, "\n"))
	}
}

// read asks for pages of a list, one after the other or anywhere.
func (d *deepDiffer) read(list deepList, pages int) {
	d.Helper()
	offset := 100 + d.IntN(max(1, d.rows))
	for range pages {
		if d.conn.TxStatus() == 'I' { // what is being written keeps it from being found out
			eventually(d.T, "it is known what can be done", d.server.DeepSettled)
		}
		if d.ask(list, offset); d.IntN(3) > 0 {
			offset += d.IntN(40)
		} else {
			offset = 90 + d.IntN(d.rows+100)
		}
	}
}

// write returns something that changes rows.
func (d *deepDiffer) write() string {
	id, column, other := 1+d.IntN(d.rows+10), pick(d.Rand, d.columns), 1+d.IntN(d.rows+10)
	switch d.IntN(12) {
	case 0:
		return fmt.Sprintf("delete from c.t where id between %d and %d", id, id+d.IntN(60))
	case 1:
		return fmt.Sprintf("update c.t set %s = s.%s from c.t s where c.t.id = %d and s.id = %d", column, column, id, other)
	case 2:
		return fmt.Sprintf("update c.t set status = 'won' where id < %d", d.IntN(200))
	case 3:
		return fmt.Sprintf("update c.t set pad = pad || 'x' where id = %d", id)
	case 4:
		return "update c.o set label = label || '.' where id = 3"
	case 5:
		return fmt.Sprintf("delete from c.o where id = %d", d.IntN(9))
	case 6:
		return fmt.Sprintf("with gone as (delete from c.t where id = %d returning *) select id from gone", id)
	case 7:
		return fmt.Sprintf("insert into c.o values (%d, 1, 'new') on conflict (id) do update set k0 = 2", d.IntN(12))
	case 8:
		return fmt.Sprintf("update c2.t set id = -id where id = %d", id)
	case 9:
		return "prepare w as delete from c.t where id = $1; execute w (" + fmt.Sprint(id) + "); deallocate w"
	case 10:
		return fmt.Sprintf("do $$ begin delete from c.t where id = %d; end $$", id)
	}
	return fmt.Sprintf("insert into c.t select (select max(id) from c.t) + 1, %[1]s, status, n, pad from c.t where id between %[2]d and %[2]d", strings.Join(d.columns, ", "), id)
}

// deepSettings may change what a page is, or how it is written.
var deepSettings = []string{"timezone = 'Asia/Kolkata'", "timezone = 'Europe/Berlin'", "timezone = 'UTC'", "datestyle = 'German, DMY'", "datestyle = 'ISO, DMY'", "datestyle = 'ISO, MDY'",
	"bytea_output = 'escape'", "bytea_output = 'hex'", "search_path = c2, c", "search_path = c, c2", "search_path = c2", "standard_conforming_strings = off", "standard_conforming_strings = on",
	"enable_indexscan = off", "enable_seqscan = off", "work_mem = '64kB'", "extra_float_digits = 0", "intervalstyle = 'sql_standard'", "client_encoding = 'LATIN1'", "client_encoding = 'UTF8'",
	"row_security = off", "row_security = on", "statement_timeout = '1min'", "default_transaction_isolation = 'repeatable read'", "default_transaction_isolation = 'read committed'"}

// change returns DDL.
func (d *deepDiffer) change() string {
	column := pick(d.Rand, d.columns)
	return pick(d.Rand, []string{
		"alter table c.t add column if not exists extra int default 5", "alter table c.t alter column pad type varchar(900)",
		"create index on c.t (" + column + ")", "alter table c.t rename column pad to pad2; alter table c.t rename column pad2 to pad",
		"alter table c.t alter column " + column + " drop not null", "vacuum analyze c.t", "truncate c.o", "create or replace view c2.v as select * from c.t",
		"alter table c.t rename to t_old; create table c.t (like c.t_old including all); insert into c.t select * from c.t_old where id % 2 = 0; drop table c.t_old cascade",
		"create role deep_differ; drop role deep_differ",
	})
}

// step does one thing.
func (d *deepDiffer) step() {
	list := pick(d.Rand, d.lists)
	switch d.IntN(16) {
	default:
		d.exec(d.other(), d.write())
	case 2:
		d.exec(d.conn, "set "+pick(d.Rand, deepSettings))
	case 3:
		if d.IntN(3) == 0 {
			d.exec(d.other(), d.change())
		}
	case 4:
		d.exec(d.conn, pick(d.Rand, []string{"begin", "begin", "begin isolation level repeatable read", "start transaction read only"}))
		d.read(list, 2)
		if d.IntN(2) == 0 {
			d.exec(d.conn, pick(d.Rand, []string{"savepoint s; ", ""})+d.write())
			d.read(list, 2)
		} else {
			d.exec(d.writer, d.write())
			d.read(list, 2)
		}
		d.exec(d.conn, pick(d.Rand, []string{"commit", "rollback"}))
	case 5:
		d.exec(d.conn, "create temporary table t as select * from c.t where id % 3 = 0")
		d.read(list, 2)
		d.exec(d.conn, pick(d.Rand, []string{"drop table pg_temp.t", "discard temp"}))
	case 6:
		d.exec(d.conn, "reset all")
	case 7: // nothing
	}
	d.read(list, 1+d.IntN(20))
}

// other is a session that writes: this one, or another one of the proxy.
func (d *deepDiffer) other() *pgconn.PgConn {
	if d.IntN(2) == 0 {
		return d.conn
	}
	return d.writer
}

// TestDeepDiffer runs all of this, for each seed with tables of its own.
func TestDeepDiffer(t *testing.T) {
	backend := plain(t)
	seeds, steps := 3, 20
	if soak {
		seeds = 400
	}
	p := startProxy(t, backend, withDeep)
	t.Cleanup(func() { _ = observer(t, backend).Exec("drop schema if exists c, c2 cascade") })
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := &deepDiffer{T: t, Rand: rand.New(rand.NewPCG(uint64(seed), 77)), server: p.server, writer: dial(t, p.addr), admin: dial(t, p.addr), conn: dial(t, p.addr)}
			d.build()
			for range 5 {
				d.lists = append(d.lists, d.list())
				d.read(d.lists[len(d.lists)-1], 30)
			}
			for range steps {
				d.step()
			}
		})
	}
	plain, marked, found := p.server.DeepPages()
	t.Logf("plain %d, from bookmarks %d, found %d; not let out: %v", plain, marked, found, p.server.DeepDoubts())
	if marked < 20 {
		t.Error("there were too few pages from bookmarks for this to say something")
	}
}
