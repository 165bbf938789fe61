package pgtest

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

const copyIn = "copy wire.sink from stdin"

// copyInScripts are COPY FROM STDIN by simple queries.
func copyInScripts() []Script {
	return append([]Script{copyManyPieces(), copyHugePiece()}, copyInTable...)
}

// copyManyPieces sends 20,000 rows in pieces that do not end with rows.
func copyManyPieces() Script {
	var rows strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&rows, "%d\tname of row %d\n", i, i)
	}
	var pieces []pgproto3.FrontendMessage
	for text := rows.String(); text != ""; {
		n := min(len(text), 1+len(text)%3001)
		pieces, text = append(pieces, CopyData(text[:n])), text[n:]
	}
	return Script{Name: "copy in/many pieces", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(append(pieces, CopyDone)...).Expect("C COPY 20000", "Z I"),
	}}
}

func copyHugePiece() Script {
	return Script{Name: "copy in/one huge piece", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\t"+strings.Repeat("h", 3_000_000)+"\n"), CopyDone).Expect("C COPY 1", "Z I"),
		ask("select length(name) from wire.sink", "3000000"),
	}}
}

var copyInTable = []Script{
	{Name: "copy in/text", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), CopyData("2\t\\N\n"), CopyDone).Expect("C COPY 2", "Z I"),
		ask("select count(name) from wire.sink", "1"),
	}},
	{Name: "copy in/all in one write", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn), CopyData("1\ta\n2\tb\n"), CopyDone, Query("select count(*) from wire.sink")).Expect(
			"G text 2", "C COPY 2", "Z I", "T *", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "copy in/csv", Setup: resetSink, Steps: []Step{
		Send(Query("copy wire.sink from stdin with (format csv, header)")).Expect("G text 2"),
		Send(CopyData("id,name\n1,\"a,b\"\n"), CopyDone).Expect("C COPY 1", "Z I"),
	}},
	{Name: "copy in/binary", Setup: resetSink, Steps: []Step{
		Send(Query("copy wire.sink (id) from stdin with (format binary)")).Expect("G binary 1"),
		Send(CopyData("PGCOPY\n\xff\r\n\x00"+Int4(0)+Int4(0)+"\x00\x01"+Int4(4)+Int4(77)+"\xff\xff"), CopyDone).Expect("C COPY 1", "Z I"),
		ask("select id from wire.sink", "77"),
	}},
	{Name: "copy in/no rows", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyDone).Expect("C COPY 0", "Z I"),
	}},
	{Name: "copy in/CopyFail", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), CopyFail("changed my mind")).Expect("E ERROR 57014 COPY from stdin failed: changed my mind", "Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy in/bad data, then more", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\nbad\tb\n")),
		Send(CopyData("3\tc\n")).Expect("E ERROR 22P02*", "Z I"),
		Send(CopyData("4\td\n"), CopyDone),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy in/bad data and a query in one write", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn), CopyData("bad\tb\n"), CopyData("3\tc\n"), CopyDone, Query("select count(*) from wire.sink")).Expect(
			"G text 2", "E ERROR 22P02*", "Z I", "T *", "D 0", "C SELECT 1", "Z I"),
	}},
	{Name: "copy in/unknown table, data on its way", Steps: []Step{
		Send(Query("copy wire.nothing from stdin"), CopyData("1\n"), CopyDone, Query("select 1 as n")).Expect(
			"E ERROR 42P01*", "Z I", "T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "copy in/Flush and Sync are ignored", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), Flush, Sync, CopyData("2\tb\n"), Sync, CopyDone).Expect("C COPY 2", "Z I"),
		ask("select count(*) from wire.sink", "2"),
	}},
	{Name: "copy in/two in one query", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn + "; select 'between'; " + copyIn + "; select 'last'")).Expect("G text 2"),
		Send(CopyData("1\ta\n"), CopyDone).Expect("C COPY 1", "T *", "D between", "C SELECT 1", "G text 2"),
		Send(CopyData("2\tb\n3\tc\n"), CopyDone).Expect("C COPY 2", "T *", "D last", "C SELECT 1", "Z I"),
		ask("select count(*) from wire.sink", "3"),
	}},
	{Name: "copy in/two in one query, the first fails", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn+"; "+copyIn), CopyData("1\ta\n"), CopyFail("no"), CopyData("2\tb\n"), CopyDone).Expect("G text 2", "E ERROR 57014*", "Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy in/inside a transaction", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), CopyDone).Expect("C COPY 1", "Z T"),
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyFail("no")).Expect("E ERROR 57014*", "Z E"),
		do("rollback", "ROLLBACK"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy in/notices on the way", Setup: "truncate wire.told", Steps: []Step{
		Send(Query("copy wire.told from stdin")).Expect("G text 2"),
		Send(CopyData("1\ta\n"), CopyData("2\tb\n"), CopyDone).Expect("N NOTICE 00000 got 1", "N NOTICE 00000 got 2", "C COPY 2", "Z I"),
	}},
	{Name: "copy in/constraint violated at the end", Steps: []Step{
		Send(Query("copy wire.child from stdin"), CopyData("1\t4711\n"), CopyDone).Expect("G text 2", "E ERROR 23503*", "Z I"),
	}},
	{Name: "copy in/a query in its midst", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(Query("select 1")).Expect("E ERROR 08P01 unexpected message type 0x51 during COPY from stdin", "E FATAL 08P01*", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "copy in/RESET in its midst", Start: []string{"application_name", "copier"}, Steps: []Step{
		Send(Query("copy wire.sink from stdin")).Expect("G text 2"),
		Send(Query("reset all")).Expect("...", "EOF"),
	}},
	{Name: "copy in/DISCARD ALL in its midst", Steps: []Step{
		Send(Query("copy wire.sink from stdin"), CopyData("1\ta\n"), Query("discard all")).Expect("...", "EOF"),
	}},
	{Name: "copy in/prepared RESET in its midst", Start: []string{"application_name", "copier"}, Steps: []Step{
		Send(Parse("", "reset application_name"), Bind("", ""), Query("copy wire.sink from stdin")).Expect("1", "2", "G text 2"),
		Send(Execute("", 0), Sync).Expect("...", "EOF"),
	}},
	{Name: "copy in/client vanishes", Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n2\t")),
		Drop("a"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "copy in/client says goodbye", Loose: true, Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), Terminate).Expect("...", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "copy data/outside a copy is ignored", Steps: []Step{
		Send(CopyData("1\ta\n"), CopyDone, CopyFail("x"), Query("select 1 as n")).Expect("T n:int4", "D 1", "C SELECT 1", "Z I"),
		Send(CopyData("1\ta\n"), CopyDone),
		ask("select 2", "2"),
	}},
}

// copyOutScripts are COPY TO STDOUT by simple queries.
func copyOutScripts() []Script {
	return []Script{
		{Name: "copy out/small", Steps: []Step{
			Send(Query("copy (select id, name from wire.item where id < 3 order by id) to stdout")).Expect(
				"H text 2", `d 1\titem 1\n`, `d 2\titem 2\n`, "c", "C COPY 2", "Z I"),
		}},
		{Name: "copy out/large", Steps: []Step{
			Send(Query("copy (select i, repeat('x', 100) from generate_series(1, 50000) i) to stdout")).Expect(
				"H text 2", "50000x d *", "c", "C COPY 50000", "Z I"),
		}},
		{Name: "copy out/no rows", Steps: []Step{
			Send(Query("copy (select 1 where false) to stdout")).Expect("H text 1", "c", "C COPY 0", "Z I"),
		}},
		{Name: "copy out/csv with header", Steps: []Step{
			Send(Query("copy (select 1 as a, 'b,c' as b) to stdout with (format csv, header)")).Expect(
				"H text 2", `d a,b\n`, `d 1,"b,c"\n`, "c", "C COPY 1", "Z I"),
		}},
		{Name: "copy out/binary", Steps: []Step{
			Send(Query("copy (select 1) to stdout with (format binary)")).Expect("H binary 1", "d *", "d *", "c", "C COPY 1", "Z I"),
		}},
		{Name: "copy out/error in mid-stream", Steps: []Step{
			Send(Query("copy (select 1/(3-i) from generate_series(1,5) i) to stdout")).Expect(
				"H text 1", `d 0\n`, `d 1\n`, "E ERROR 22012*", "Z I"),
			ask("select 1", "1"),
		}},
		{Name: "copy out/among other statements", Steps: []Step{
			Send(Query("select 1 as a; copy (select 2) to stdout; select 3 as b")).Expect(
				"T a:int4", "D 1", "C SELECT 1", "H text 1", `d 2\n`, "c", "C COPY 1", "T b:int4", "D 3", "C SELECT 1", "Z I"),
		}},
		{Name: "copy out/client vanishes", Steps: []Step{
			Send(Query("copy (select generate_series(1, 100000000), repeat('x', 1000)) to stdout /* endless */")).Expect("H text 2", "100x d *"),
			Drop("a"),
			Await("select count(*) = 0 from pg_stat_activity where query like '%/* endless */' and state = 'active' and pid <> pg_backend_pid()"),
			ask("select 1", "1").On("b"),
		}},
	}
}

// copyExtendedScripts are COPY in the extended protocol.
var copyExtendedScripts = []Script{
	{Name: "copy extended/in, Sync after the data", Setup: resetSink, Steps: []Step{
		Send(Parse("", copyIn), Bind("", ""), DescribePortal(""), Execute("", 0), Flush).Expect("1", "2", "n", "G text 2"),
		Send(CopyData("1\ta\n"), CopyDone, Sync).Expect("C COPY 1", "Z I"),
	}},
	{Name: "copy extended/in, Sync before the data", Setup: resetSink, Steps: []Step{ // as libpq does
		Send(once(copyIn)...).Expect("1", "2", "n", "G text 2"),
		Send(CopyData("1\ta\n"), CopyDone, Sync).Expect("C COPY 1", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "copy extended/in, several Syncs before the data", Setup: resetSink, Steps: []Step{
		Send(append(once(copyIn), Sync, Sync)...).Expect("1", "2", "n", "G text 2"),
		Send(CopyData("1\ta\n"), CopyDone, Sync).Expect("C COPY 1", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "copy extended/in, another message in its midst", Setup: resetSink, Steps: []Step{
		Send(Parse("", copyIn), Bind("", ""), Execute("", 0), CopyData("1\ta\n"), Bind("", ""), Sync, Terminate).Expect(
			"1", "2", "G text 2", "E ERROR 08P01 unexpected message type 0x42 during COPY from stdin", "E FATAL 08P01*", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "copy extended/in, failed, and its statement is there still", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(once(copyIn)...).Expect("1", "2", "n", "G text 2"),
		Send(CopyFail("no"), Sync).Expect("E ERROR 57014*", "Z E"),
		Send(DescribeStatement(""), Sync).Expect("t", "n", "Z E"),
		do("rollback", "ROLLBACK"),
	}},
	{Name: "copy extended/in, all in one write", Setup: resetSink, Steps: []Step{
		Send(append(once(copyIn), CopyData("1\ta\n"), CopyDone, Sync, Query("select count(*) from wire.sink"))...).Expect(
			"1", "2", "n", "G text 2", "C COPY 1", "Z I", "T *", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "copy extended/in, refused with the data on its way", Steps: []Step{
		Send(append(once("copy wire.nothing from stdin"), CopyData("1\ta\n"), CopyDone, Sync, Query("select 1 as n"))...).Expect(
			"1", "2", "n", "E ERROR 42P01*", "Z I", "Z I", "T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "copy extended/in, CopyFail", Setup: resetSink, Steps: []Step{
		Send(once(copyIn)...).Expect("1", "2", "n", "G text 2"),
		Send(CopyData("1\ta\n"), CopyFail("no"), Sync).Expect("E ERROR 57014*", "Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy extended/in, bad data and more to come", Setup: resetSink, Steps: []Step{
		Send(once(copyIn)...).Expect("1", "2", "n", "G text 2"),
		Send(CopyData("bad\ta\n"), CopyData("2\tb\n")).Expect("E ERROR 22P02*"),
		Send(CopyData("3\tc\n"), CopyDone, Sync).Expect("Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "copy extended/in, two in a pipeline", Setup: resetSink, Steps: []Step{
		Send(append(once(copyIn), CopyData("1\ta\n"), CopyDone, Sync)...).Expect("1", "2", "n", "G text 2", "C COPY 1", "Z I"),
		Send(Parse("", copyIn), Bind("", ""), Execute("", 0), CopyData("2\tb\n"), CopyDone, Sync,
			Parse("", copyIn), Bind("", ""), Execute("", 0), CopyData("3\tc\n"), CopyDone, Sync).Expect(
			"1", "2", "G text 2", "C COPY 1", "Z I", "1", "2", "G text 2", "C COPY 1", "Z I"),
		ask("select count(*) from wire.sink", "3"),
	}},
	{Name: "copy extended/out", Steps: []Step{
		Send(once("copy (select generate_series(1,3)) to stdout")...).Expect(
			"1", "2", "n", "H text 1", `d 1\n`, `d 2\n`, `d 3\n`, "c", "C COPY 3", "Z I"),
	}},
	{Name: "copy extended/out with an error", Steps: []Step{
		Send(append(once("copy (select 1/(2-i) from generate_series(1,3) i) to stdout"), once("select 1 as n")...)...).Expect(
			"1", "2", "n", "H text 1", `d 1\n`, "E ERROR 22012*", "Z I", "1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
}

// functionCallScripts use the FunctionCall message.
var functionCallScripts = []Script{
	{Name: "function call/success", Steps: []Step{
		Send(Call(177, Int4(2), Int4(3))).Expect(`V \x00000005`, "Z I"), // int4pl
		ask("select 1", "1"),
	}},
	{Name: "function call/error", Steps: []Step{
		Send(Call(154, Int4(1), Int4(0))).Expect("E ERROR 22012*", "Z I"), // int4div
		Send(Call(4294967295, Int4(1))).Expect("E ERROR 42883*", "Z I"),
	}},
	{Name: "function call/text", Steps: []Step{
		Send(&pgproto3.FunctionCall{Function: 177, Arguments: [][]byte{[]byte("40"), []byte("2")}}).Expect("V 42", "Z I"),
	}},
	{Name: "function call/null", Steps: []Step{
		Send(&pgproto3.FunctionCall{Function: 177, Arguments: [][]byte{nil, []byte("2")}}).Expect("V NULL", "Z I"),
	}},
	{Name: "function call/inside a transaction", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Call(177, Int4(2), Int4(3))).Expect(`V \x00000005`, "Z T"),
		Send(Call(154, Int4(1), Int4(0))).Expect("E ERROR 22012*", "Z E"),
		Send(Call(177, Int4(2), Int4(3))).Expect("E ERROR 25P02*", "Z E"),
		do("rollback", "ROLLBACK"),
	}},
	{Name: "function call/large object", Blocks: true, Steps: []Step{ // as libpq and pgjdbc do
		within("begin", "BEGIN"),
		Send(Call(957, Int4(0x60000))).Expect("V *", "Z T"), // lo_creat
		do("rollback", "ROLLBACK"),
	}, Loose: true},
	{Name: "function call/in a pipeline", Steps: []Step{
		Send(Call(177, Int4(2), Int4(3)), Query("select 1 as n"), Call(177, Int4(4), Int4(4))).Expect(
			`V \x00000005`, "Z I", "T n:int4", "D 1", "C SELECT 1", "Z I", `V \x00000008`, "Z I"),
	}},
}
