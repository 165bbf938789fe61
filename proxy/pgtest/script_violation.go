package pgtest

import "fmt"

// violationScripts break the protocol after the login.
func violationScripts() []Script {
	scripts := append([]Script(nil), violationTable...)
	for _, typ := range []byte{0, 'A', 'b', 'p', 'R', 'Z', '?', 0x80, 0xff} {
		scripts = append(scripts, Script{Name: fmt.Sprintf("violation/message type %q", typ), Loose: true, Steps: []Step{
			ask("select 1", "1"),
			Send(Message(typ, "")).Expect(fmt.Sprintf("E FATAL 08P01 invalid frontend message type %d", typ), "EOF"),
			ask("select 'unharmed'", "unharmed").On("b"),
		}})
	}
	return scripts
}

var violationTable = []Script{
	{Name: "violation/unknown type behind good work", Loose: true, Setup: resetSink, Steps: []Step{
		Send(Query("insert into wire.sink values (1,'a')"), Message('?', "what")).Expect("C INSERT 0 1", "Z I", "E FATAL 08P01 *", "EOF"),
		ask("select count(*) from wire.sink", "1").On("b"),
	}},
	{Name: "violation/unknown type in a transaction", Loose: true, Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		Send(Message('?', "")).Expect("E FATAL 08P01 *", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "violation/unknown type in a copy", Loose: true, Setup: resetSink, Steps: []Step{
		Send(Query(copyIn)).Expect("G text 2"),
		Send(CopyData("1\ta\n"), Message('?', "")).Expect("...", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "violation/length below four", ProxyOnly: true, Steps: []Step{
		Send(Raw("Q\x00\x00\x00\x03")).Expect("E FATAL 08P01 *", "EOF"),
		ask("select 'unharmed'", "unharmed").On("b"),
	}},
	{Name: "violation/length beyond reason", ProxyOnly: true, Steps: []Step{
		Send(Raw("Q\x7f\xff\xff\xff")).Expect("E FATAL 08P01 *", "EOF"),
		Send(Raw("Q\xff\xff\xff\xff")).On("b").Expect("E FATAL 08P01 *", "EOF"),
		ask("select 'unharmed'", "unharmed").On("c"),
	}},
	{Name: "violation/text instead of messages", ProxyOnly: true, Steps: []Step{
		Send(Raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).Expect("E FATAL 08P01 *", "EOF"),
		ask("select 'unharmed'", "unharmed").On("b"),
	}},
	{Name: "violation/start-up packet again", Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres")).Expect("E FATAL 08P01 *", "EOF"),
	}},
	{Name: "violation/Query with a NUL", Steps: []Step{
		Send(Message('Q', "select 1\x00select 2\x00")).Expect("E ERROR 08P01 invalid message format", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Query without an end", Steps: []Step{
		Send(Message('Q', "select 1")).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		Send(Message('Q', "")).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Sync with a body", Steps: []Step{
		Send(Message('S', "x")).Expect("E ERROR 08P01 invalid message format", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Sync with a body behind an error", Steps: []Step{
		Send(Parse("", "selec"), Message('S', "x")).Expect("E ERROR 42601 *", "E ERROR 08P01 invalid message format", "Z I"),
		Send(Parse("", "select 1/0"), Bind("", ""), Execute("", 0), Execute("", 0), Message('S', "x"), Parse("", "selec"), Sync, Parse("", "select 1"), Sync).
			Expect("1", "E ERROR 22012 *", "E ERROR 08P01 invalid message format", "Z I", "E ERROR 42601 *", "Z I", "1", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Parse cut short", Steps: []Step{
		Send(Message('P', "\x00select 1\x00"), Sync).Expect("E ERROR 08P01 insufficient data left in message", "Z I"),
		Send(Message('P', "\x00"), Sync).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		Send(Message('P', ""), Sync).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		Send(Message('P', "s\x00select 1\x00\x00\x00junk"), Sync).Expect("E ERROR 08P01 invalid message format", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Bind cut short", Steps: []Step{
		Send(Parse("", "select $1::text"), Sync).Expect("1", "Z I"),
		Send(Message('B', "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x09abc"), Execute("", 0), Sync).Expect("E ERROR 08P01 insufficient data left in message", "Z I"),
		Send(Message('B', "\x00"), Sync).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		Send(Message('B', ""), Sync).Expect("E ERROR 08P01 invalid string in message", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/Execute cut short", Steps: []Step{
		Send(Message('E', "\x00\x00"), Sync).Expect("E ERROR 08P01 *", "Z I"),
		Send(Message('E', ""), Sync).Expect("E ERROR 08P01 *", "Z I"),
	}},
	{Name: "violation/Describe and Close of nonsense", Steps: []Step{
		Send(Message('D', "X\x00"), Sync).Expect("E ERROR 08P01 invalid DESCRIBE message subtype 88", "Z I"),
		Send(Message('C', "X\x00"), Sync).Expect("E ERROR 08P01 invalid CLOSE message subtype 88", "Z I"),
		Send(Message('D', ""), Sync).Expect("E ERROR 08P01 *", "Z I"),
		Send(Message('C', ""), Sync).Expect("E ERROR 08P01 *", "Z I"),
		Send(Message('C', "S"), Sync).Expect("E ERROR 08P01 *", "Z I"),
	}},
	{Name: "violation/Flush with a body", Steps: []Step{
		Send(Message('H', "x"), Query("select 1"), Sync).Expect("E ERROR 08P01 invalid message format", "Z I"),
	}},
	{Name: "violation/FunctionCall cut short", Steps: []Step{
		Send(Message('F', "\x00\x00\x00\xb1")).Expect("E ERROR 08P01 *", "Z I"),
		Send(Message('F', "")).Expect("E ERROR 08P01 *", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "violation/half a message, then gone", Setup: resetSink, Steps: []Step{
		Send(Query("insert into wire.sink values (1,'a')"), Raw("Q\x00\x00\x00\x30insert into wire.sink")).Expect("C INSERT 0 1", "Z I"),
		Drop("a"),
		ask("select count(*) from wire.sink", "1").On("b"),
	}},
	{Name: "violation/half a header, then gone", Steps: []Step{
		Send(Query("select 1 as n"), Raw("Q\x00\x00")).Expect("T n:int4", "D 1", "C SELECT 1", "Z I"),
		Drop("a"),
		ask("select 1", "1").On("b"),
	}},
	{Name: "violation/half a message in a transaction, then gone", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		Send(Raw("P\x00\x00\x10\x00stmt\x00select")),
		Drop("a"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
}
