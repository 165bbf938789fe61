package pgtest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

const askChannels = `select coalesce(string_agg(c, ' ' order by c collate "C"), '') from pg_listening_channels() c`

// channels is a step that asks for the channels, in order; channelsWithin does so
// inside a transaction block.
func channels(want string) Step { return ask(askChannels, want) }

func channelsWithin(want string) Step {
	return Send(Query(askChannels)).Expect("T *", "D "+want, "C *", "Z T")
}

// listenScripts are LISTEN and NOTIFY. Unless they say otherwise they need one
// backend, whoever listens.
var listenScripts = []Script{
	{Name: "listen/several clients", Steps: []Step{
		do("listen news", "LISTEN"),
		do("listen news", "LISTEN").On("b"),
		do("listen news", "LISTEN").On("c"),
		Send(Query("notify news, 'one'")).On("b").Expect("C NOTIFY", "A news one", "Z I"),
		Receive("A news one"),
		Receive("A news one").On("c"),
		do("unlisten news", "UNLISTEN"),
		Send(Query("notify news, 'two'")).On("b").Expect("C NOTIFY", "A news two", "Z I"),
		Receive("A news two").On("c"),
		channels("''"),
		channels("news").On("c"),
	}},
	{Name: "listen/before a query's reply", Steps: []Step{
		do("listen news", "LISTEN"),
		do("notify news, 'one'", "NOTIFY").On("b"),
		Receive("A news one"),
		do("notify other", "NOTIFY").On("b"),
		ask("select 1", "1"),
	}},
	{Name: "listen/counts from its COMMIT", Blocks: true, Backends: 2, Steps: []Step{
		within("begin", "BEGIN"),
		within("listen news", "LISTEN"),
		do("notify news, 'too soon'", "NOTIFY").On("b"),
		channelsWithin("''"),
		do("commit", "COMMIT"),
		do("notify news, 'heard'", "NOTIFY").On("b"),
		Receive("A news heard"),
		channels("news"),
	}},
	{Name: "listen/counts from its COMMIT, in a pipeline", Blocks: true, Backends: 2, Steps: []Step{
		Send(append(chain(executed("begin"), executed("listen news")), Sync)...).Expect("1", "2", "C BEGIN", "1", "2", "C LISTEN", "Z T"),
		do("notify news, 'too soon'", "NOTIFY").On("b"),
		Send(append(executed("commit"), Sync)...).Expect("1", "2", "C COMMIT", "Z I"),
		do("notify news, 'heard'", "NOTIFY").On("b"),
		Receive("A news heard"),
	}},
	{Name: "listen/with its own NOTIFY", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("notify news, 'one'", "NOTIFY"),
		within("listen news", "LISTEN"),
		within("notify news, 'two'", "NOTIFY"),
		within("notify news, 'one'", "NOTIFY"),
		Send(Query("commit")).Expect("C COMMIT", "A news one", "A news two", "Z I"),
		Send(Query("begin; notify news, 'three'; commit; select 1")).Expect("C BEGIN", "C NOTIFY", "C COMMIT", "T *", "D 1", "C SELECT 1", "A news three", "Z I"),
	}},
	{Name: "listen/in one text", Steps: []Step{
		Send(Query("listen news; notify news, 'one'; select 1")).Expect("C LISTEN", "C NOTIFY", "T *", "D 1", "C SELECT 1", "A news one", "Z I"),
		Send(Query("begin; listen other; commit; unlisten news; notify news; notify other")).Expect(
			"C BEGIN", "C LISTEN", "C COMMIT", "C UNLISTEN", "C NOTIFY", "C NOTIFY", "A other", "Z I"),
		channels("other"),
		Send(Query("unlisten other; listen news; select 1/0")).Expect("C UNLISTEN", "C LISTEN", "E ERROR 22012*", "Z I"),
		channels("other"),
		Send(Query("unlisten *; listen more; rollback")).Expect("C UNLISTEN", "C LISTEN", "N WARNING 25P01*", "C ROLLBACK", "Z I"),
		channels("other"),
	}},
	{Name: "listen/rolled back", Blocks: true, Steps: []Step{
		do("listen news", "LISTEN"),
		within("begin", "BEGIN"),
		within("listen other", "LISTEN"),
		within("unlisten news", "UNLISTEN"),
		do("rollback", "ROLLBACK"),
		channels("news"),
		Send(Query("notify other; notify news")).Expect("C NOTIFY", "C NOTIFY", "A news", "Z I"),
		within("begin", "BEGIN"),
		within("unlisten *", "UNLISTEN"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		do("commit", "ROLLBACK"),
		channels("news"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
	}},
	{Name: "listen/savepoints", Blocks: true, Steps: []Step{
		do("listen kept", "LISTEN"),
		do("listen dropped", "LISTEN"),
		within("begin", "BEGIN"),
		within("unlisten dropped", "UNLISTEN"),
		within("savepoint one", "SAVEPOINT"),
		within("unlisten kept", "UNLISTEN"),
		within("listen lost", "LISTEN"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		within("rollback to one", "ROLLBACK"),
		within("savepoint two", "SAVEPOINT"),
		within("listen news", "LISTEN"),
		within("release two", "RELEASE"),
		do("commit", "COMMIT"),
		channels("kept news"),
		Send(Query("notify dropped; notify lost; notify kept; notify news")).Expect("4x C NOTIFY", "A kept", "A news", "Z I"),
	}},
	{Name: "listen/chained transactions", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("listen news", "LISTEN"),
		within("commit and chain", "COMMIT"),
		within("notify news, 'one'", "NOTIFY"),
		channelsWithin("news"),
		Send(Query("commit")).Expect("C COMMIT", "A news one", "Z I"),
		channels("news"),
	}},
	{Name: "listen/extended", Steps: []Step{
		Send(once("listen news")...).Expect("1", "2", "n", "C LISTEN", "Z I"),
		Send(once("notify news, 'one'")...).Expect("1", "2", "n", "C NOTIFY", "A news one", "Z I"),
		Send(once("select pg_listening_channels() as c")...).Expect("1", "2", "T c:text", "D news", "C SELECT 1", "Z I"),
		Send(once("unlisten news")...).Expect("1", "2", "n", "C UNLISTEN", "Z I"),
		Send(once("notify news, 'unheard'")...).Expect("1", "2", "n", "C NOTIFY", "Z I"),
		Send(Parse("hear", "listen news"), Sync).Expect("1", "Z I"),
		Send(Bind("", "hear"), Execute("", 0), Sync).Expect("2", "C LISTEN", "Z I"),
		Send(Bind("", "hear"), Sync).Expect("2", "Z I"),
		Send(once("notify news, 'two'")...).Expect("1", "2", "n", "C NOTIFY", "A news two", "Z I"),
	}},
	{Name: "listen/bound and not executed", Steps: []Step{
		Send(Parse("", "listen news"), Bind("", ""), Sync).Expect("1", "2", "Z I"),
		Send(Query("notify news")).Expect("C NOTIFY", "Z I"),
		channels("''"),
		do("listen news", "LISTEN"),
		Send(Parse("", "unlisten news"), Bind("", ""), Sync).Expect("1", "2", "Z I"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
	}},
	{Name: "listen/pipelines", Steps: []Step{
		Send(chain(once("listen news"), once("notify news, 'one'"), once("unlisten *"), once("notify news"))...).Expect(
			"1", "2", "n", "C LISTEN", "Z I", "1", "2", "n", "C NOTIFY", "A news one", "Z I", "1", "2", "n", "C UNLISTEN", "Z I", "1", "2", "n", "C NOTIFY", "Z I"),
		Send(Query("listen news"), Query("notify news, 'two'"), Query("select 1"), Sync, Query("unlisten news"), Query("notify news")).Expect(
			"C LISTEN", "Z I", "C NOTIFY", "A news two", "Z I", "T *", "D 1", "C SELECT 1", "Z I", "Z I", "C UNLISTEN", "Z I", "C NOTIFY", "Z I"),
		Send(Query("notify news, 'before'"), Query("listen news"), Query("notify news, 'behind'")).Expect(
			"C NOTIFY", "Z I", "C LISTEN", "Z I", "C NOTIFY", "A news behind", "Z I"),
	}},
	{Name: "listen/transactions in pipelines", Blocks: true, Steps: []Step{
		Send(chain(executed("begin"), executed("listen news"), executed("notify news, 'one'"), executed("commit"))...).Expect("1", "2", "C BEGIN", "1", "2", "C LISTEN", "1", "2", "C NOTIFY", "1", "2", "C COMMIT"),
		Send(Sync).Expect("A news one", "Z I"),
		Send(Query("begin"), Query("unlisten news"), Query("listen other"), Query("commit"), Query("notify news; notify other")).Expect(
			"C BEGIN", "Z T", "C UNLISTEN", "Z T", "C LISTEN", "Z T", "C COMMIT", "Z I", "C NOTIFY", "C NOTIFY", "A other", "Z I"),
		Send(append(chain(executed("begin"), executed("listen news")), Sync, Query("rollback"), Query("notify news"))...).Expect(
			"1", "2", "C BEGIN", "1", "2", "C LISTEN", "Z T", "C ROLLBACK", "Z I", "C NOTIFY", "Z I"),
		Send(append(chain(executed("begin"), executed("listen news")), Sync)...).Expect("1", "2", "C BEGIN", "1", "2", "C LISTEN", "Z T"),
		Send(append(executed("commit"), Sync)...).Expect("1", "2", "C COMMIT", "Z I"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
	}},
	{Name: "listen/skipped after an error", Steps: []Step{
		Send(append(chain(executed("select 1/0"), executed("listen news")), Sync)...).Expect("1", "E ERROR 22012*", "Z I"),
		Send(append(chain(executed("listen news"), executed("select 1/0")), Sync)...).Expect("1", "2", "C LISTEN", "1", "E ERROR 22012*", "Z I"),
		Send(Bind("", "nothing"), Query("listen news"), Sync, Query("notify news")).Expect("E ERROR 26000*", "Z I", "C NOTIFY", "Z I"),
		Send(Query("notify news")).Expect("C NOTIFY", "Z I"),
		channels("''"),
	}},
	{Name: "listen/code", Steps: []Step{
		Send(Query("do $$ begin listen news; notify news, 'one'; end $$")).Expect("C DO", "A news one", "Z I"),
		channels("news"),
		do("listen other", "LISTEN"),
		do("do $$ begin unlisten other; end $$", "DO"),
		channels("news"),
		Send(Query("notify news; notify other")).Expect("C NOTIFY", "C NOTIFY", "A news", "Z I"),
		do("do $$ begin execute 'unlisten *'; end $$", "DO"),
		channels("''"),
	}},
	{Name: "listen/notified by a trigger", Setup: resetSink + "; create or replace function wire.announce() returns trigger language plpgsql as $$ begin perform pg_notify('news', new.name); return new; end $$; drop trigger if exists announce on wire.sink; create trigger announce after insert on wire.sink for each row when (new.name = 'announced') execute function wire.announce()", Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Query("insert into wire.sink values (1, 'announced')")).Expect("C INSERT 0 1", "A news announced", "Z I"),
		do("insert into wire.sink values (1, 'quiet')", "INSERT 0 1"),
	}},
	{Name: "listen/DISCARD ALL", Blocks: true, Steps: []Step{
		Send(Query("listen news; listen other")).Expect("C LISTEN", "C LISTEN", "Z I"),
		do("discard all", "DISCARD ALL"),
		Send(Query("notify news")).Expect("C NOTIFY", "Z I"),
		channels("''"),
		do("listen news", "LISTEN"),
		within("begin", "BEGIN"),
		Send(Query("discard all")).Expect("E ERROR 25001*", "Z E"),
		do("rollback", "ROLLBACK"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
		Send(once("discard all")...).Expect("1", "2", "n", "C DISCARD ALL", "Z I"),
		Send(Query("notify news")).Expect("C NOTIFY", "Z I"),
	}},
	{Name: "listen/names", Steps: []Step{
		Send(Query(`listen News; listen "News"; listen "a ""b"" \ c"; listen "Grüße"; listen `+strings.Repeat("x", 70))).Expect(
			"N NOTICE 42622*", "5x C LISTEN", "Z I"),
		channels(`Grüße News a "b" \\ c news ` + strings.Repeat("x", 63)),
		Send(Query(`notify "News"; notify NEWS; notify "Grüße", 'é'; notify "a ""b"" \ c", '1'`)).Expect("4x C NOTIFY", "4x A *", "Z I"),
		Send(Query("set client_encoding = 'LATIN1'")).Expect("C SET", "S client_encoding=LATIN1", "Z I"),
		ask("select count(*) from pg_listening_channels()", "5"),
		Send(Query("notify news, 'ascii'")).Expect("C NOTIFY", "A news ascii", "Z I"),
		Send(Query("notify news, '\xe9'; notify \"Gr\xfc\xdfe\"")).Expect("2x C NOTIFY", "A news \xe9", "A Gr\xfc\xdfe", "Z I"),
		Send(Query("set client_encoding = 'WIN1251'; select pg_notify('news', chr(1078))")).Expect("C SET", "T *", "D *", "C *", "A news \xe6", "S *", "Z I"),
		Send(Query("set client_encoding = 'UTF8'")).Expect("C SET", "S *", "Z I"),
		Send(Query("notify news, 'ж'")).Expect("C NOTIFY", "A news ж", "Z I"),
	}},
	{Name: "listen/bad names and payloads", Steps: []Step{
		Send(Query(`listen ""`)).Expect("E ERROR 42601*", "Z I"),
		Send(Query("listen news.today")).Expect("E ERROR 42601*", "Z I"),
		do("listen news", "LISTEN"),
		Send(Query("notify news, '"+strings.Repeat("p", 7999)+"'")).Expect("C NOTIFY", "A news ppp*", "Z I"),
		Send(Query("notify news, '"+strings.Repeat("p", 8000)+"'")).Expect("E ERROR 22023*", "Z I"),
	}},
	{Name: "listen/encodings", Start: []string{"client_encoding", "LATIN1"}, Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Query("notify news, '\xe9'")).Expect("C NOTIFY", "A news \xe9", "Z I"),
		do("listen \"\xe9\"", "LISTEN"),
		Send(Query("notify \"\xe9\"")).Expect("C NOTIFY", "A \xe9", "Z I"),
		do("unlisten *", "UNLISTEN"),
		Send(Query("notify news")).Expect("C NOTIFY", "Z I"),
	}},
	{Name: "listen/with settings", Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Query("set application_name = 'heard'; notify news")).Expect("C SET", "C NOTIFY", "A news", "S application_name=heard", "Z I"),
		Send(Query("reset application_name")).Expect("C RESET", "S application_name=", "Z I"),
		Send(Query("listen other; set application_name = 'heard'; notify other")).Expect("C LISTEN", "C SET", "C NOTIFY", "A other", "S application_name=heard", "Z I"),
	}},
	{Name: "listen/COPY", Setup: resetSink, Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Query(copyIn), CopyData("1\ta\n"), CopyDone, Query("notify news")).Expect("G text 2", "C COPY 1", "Z I", "C NOTIFY", "A news", "Z I"),
		Send(Parse("", copyIn), Bind("", ""), Execute("", 0), Sync, CopyData("1\ta\n"), CopyDone, Sync, Query("notify news")).Expect(
			"1", "2", "G text 2", "C COPY 1", "Z I", "C NOTIFY", "A news", "Z I"),
		Send(Parse("", copyIn), Bind("", ""), Execute("", 0), Sync, CopyData("x\ta\n"), CopyDone, Sync, Parse("", "select 1"), Query("notify news")).Expect(
			"1", "2", "G text 2", "E ERROR 22P02*", "Z I", "1", "C NOTIFY", "A news", "Z I"),
	}},
	{Name: "listen/pinned otherwise", Steps: []Step{
		do("create temp table mine (id int)", "CREATE TABLE"),
		do("listen news", "LISTEN"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
		ask("select count(*) from mine", "0"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
		channels("news"),
		do("drop table mine", "DROP TABLE"),
		do("listen news", "LISTEN").On("b"),
		Send(Query("notify news")).Expect("C NOTIFY", "A news", "Z I"),
		Receive("A news").On("b"),
	}},
	{Name: "listen/function call", Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Call(177, Int4(2), Int4(3))).Expect(`V \x00000005`, "Z I"),
		Send(append(executed("listen other"), Call(177, Int4(2), Int4(3)))...).Expect("1", "2", "C LISTEN", `V \x00000005`, "Z I"),
		Send(Query("notify other")).Expect("C NOTIFY", "A other", "Z I"),
	}},
}

// executed is a statement without Describe and Sync.
func executed(sql string) []pgproto3.FrontendMessage {
	return []pgproto3.FrontendMessage{Parse("", sql), Bind("", ""), Execute("", 0)}
}
