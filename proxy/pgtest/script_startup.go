package pgtest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// parameterScripts start with parameters and see them honoured.
var parameterScripts = []Script{
	{Name: "start/application_name", Start: []string{"application_name", "my app"}, Steps: honoured("application_name", "my app", "other")},
	{Name: "start/search_path", Start: []string{"search_path", "wire, pg_catalog"}, Steps: append(
		honoured("search_path", "wire, pg_catalog", "public"), ask("select name from item where id = 1", "item 1"))},
	{Name: "start/DateStyle", Start: []string{"DateStyle", "German"}, Steps: honoured("DateStyle", "German, DMY", "ISO, MDY")},
	{Name: "start/datestyle in small letters", Start: []string{"datestyle", "SQL, DMY"}, Steps: honoured("datestyle", "SQL, DMY", "ISO, MDY")},
	{Name: "start/TimeZone", Start: []string{"TimeZone", "Asia/Tokyo"}, Steps: honoured("timezone", "Asia/Tokyo", "UTC")},
	{Name: "start/IntervalStyle", Start: []string{"IntervalStyle", "iso_8601"}, Steps: honoured("intervalstyle", "iso_8601", "postgres")},
	{Name: "start/extra_float_digits", Start: []string{"extra_float_digits", "3"}, Steps: honoured("extra_float_digits", "3", "0")},
	{Name: "start/client_encoding", Start: []string{"client_encoding", "latin1"}, Steps: []Step{
		ask("show client_encoding", "LATIN1"),
		Send(Query("select chr(233) as e")).Expect("T e:text", `D \xe9`, "C SELECT 1", "Z I"),
	}},
	{Name: "start/client_encoding and RESET", Start: []string{"client_encoding", "latin1"}, Steps: []Step{
		ask("select ascii('\xe9')", "233"),
		Send(Query("set client_encoding = 'UTF8'")).Expect("C SET", "S client_encoding=UTF8", "Z I"),
		ask("select ascii('é')", "233"),
		Send(Query("reset client_encoding")).Expect("C RESET", "S client_encoding=LATIN1", "Z I"),
		ask("select ascii('\xe9')", "233"),
		do("reset all", "RESET"),
		ask("select ascii('\xe9')", "233"),
		do("discard all", "DISCARD ALL"),
		ask("select ascii('\xe9')", "233"),
	}},
	{Name: "start/reset and use in one query", Start: []string{"work_mem", "7MB"}, Steps: []Step{
		Send(Query("set work_mem = '6MB'; reset work_mem; show work_mem")).Expect("C SET", "C RESET", "T *", "D 7MB", "C SHOW", "Z I"),
		Send(Query("set work_mem = '6MB'"), Query("reset all"), Query("show work_mem")).Expect("C SET", "Z I", "C RESET", "Z I", "T *", "D 7MB", "C SHOW", "Z I"),
		Send(Query("set work_mem = '6MB'"), Query("discard all"), Query("show work_mem")).Expect("C SET", "Z I", "C DISCARD ALL", "Z I", "T *", "D 7MB", "C SHOW", "Z I"),
	}},
	{Name: "start/reset in a transaction", Start: []string{"work_mem", "7MB"}, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("set work_mem = '6MB'", "SET"),
		within("reset work_mem", "RESET"),
		Send(Query("show work_mem")).Expect("T *", "D 7MB", "C SHOW", "Z T"),
		do("rollback", "ROLLBACK"),
		ask("show work_mem", "7MB"),
	}},
	{Name: "start/standard_conforming_strings", Start: []string{"standard_conforming_strings", "off"}, Steps: honoured("standard_conforming_strings", "off", "on")},
	{Name: "start/options", Start: []string{"options", "-c work_mem=7MB -c geqo=off --enable-seqscan=off"}, Steps: append(append(
		honoured("work_mem", "7MB", "8MB"), honoured("geqo", "off", "on")...), honoured("enable_seqscan", "off", "on")...)},
	{Name: "start/options without a space", Start: []string{"options", "-cwork_mem=7MB"}, Steps: honoured("work_mem", "7MB", "8MB")},
	{Name: "start/options with escapes", Start: []string{"options", `-c search_path=wire,\ pg_catalog -c application_name=back\\slash`}, Steps: append(
		honoured("search_path", "wire, pg_catalog", "public"), ask("show application_name", `back\\slash`))},
	{Name: "start/options and parameter", Start: []string{"options", "-c application_name=fromoptions", "application_name", "fromparameter"}, Steps: []Step{
		ask("show application_name", "fromparameter"),
	}},
	{Name: "start/only then", Start: []string{"ignore_system_indexes", "on"}, Steps: []Step{
		ask("show ignore_system_indexes", "on"),
		Send(Query("set ignore_system_indexes = off")).Expect("E ERROR 55P02*", "Z I"),
		ask("select count(*) from wire.item where false", "0"),
	}},
	{Name: "start/encoding with ASCII in its characters", Start: []string{"client_encoding", "SJIS"}, Steps: []Step{
		Send(Query("select E'\x83\x5c', 1; select 2")).Expect("T *", "D *", "C SELECT 1", "T *", "D 2", "C SELECT 1", "Z I"),
		ask("show client_encoding", "SJIS"),
	}},
	{Name: "start/placeholder", Start: []string{"my.var", "hello there"}, Steps: honoured("my.var", "hello there", "other")},
	{Name: "start/several", Start: []string{"statement_timeout", "12345", "lock_timeout", "54321", "application_name", "many", "work_mem", "1MB"}, Steps: append(append(append(
		honoured("statement_timeout", "12345ms", "1s"), honoured("lock_timeout", "54321ms", "1s")...), honoured("application_name", "many", "few")...),
		honoured("work_mem", "1MB", "2MB")...)},
	{Name: "start/given twice", Start: []string{"application_name", "first", "application_name", "second"}, Steps: []Step{
		ask("show application_name", "second"),
	}},
	{Name: "start/role", Start: []string{"role", "wire_reader"}, Steps: []Step{
		ask("select current_user", "wire_reader"),
		do("reset role", "RESET"),
	}},
	{Name: "start/read only", Setup: resetSink, Start: []string{"default_transaction_read_only", "on"}, Steps: []Step{
		Send(Query("insert into wire.sink values (1,'a')")).Expect("E ERROR 25006*", "Z I"),
		do("set default_transaction_read_only = off", "SET").anyReport(),
		do("insert into wire.sink values (1,'a')", "INSERT 0 1"),
	}},
	{Name: "start/statement_timeout", Start: []string{"statement_timeout", "20"}, Steps: []Step{
		Send(Query("select pg_sleep(600)")).Expect("T *", "E ERROR 57014 canceling statement due to statement timeout", "Z I"),
	}},
	{Name: "start/quotes and signs", Start: []string{"application_name", `it's "quoted" $$ \ ; --`}, Steps: []Step{
		ask("select current_setting('application_name')", `it's "quoted" $$ \\ ; --`),
	}},
	{Name: "start/not ASCII", Start: []string{"application_name", "café"}, Steps: []Step{
		ask("show application_name", "caf??"),
	}},
	{Name: "start/empty value", Start: []string{"application_name", ""}, Steps: []Step{
		ask("show application_name", "''"),
	}},
	{Name: "start/nothing left of another client's", Start: []string{}, Steps: []Step{
		Connect("a", "work_mem", "9MB", "search_path", "wire", "application_name", "first", "TimeZone", "Asia/Tokyo", "my.var", "mine", "role", "wire_reader"),
		ask("show work_mem", "9MB"),
		Connect("b"),
		ask("show work_mem", "4MB").On("b"),
		ask("show search_path", `"$user", public`).On("b"),
		ask("show application_name", "''").On("b"),
		ask("select current_setting('timezone') <> 'Asia/Tokyo'", "t").On("b"),
		ask("select coalesce(current_setting('my.var', true), '')", "''").On("b"),
		ask("select current_user = session_user", "t").On("b"),
		ask("show work_mem", "9MB"),
		ask("show my.var", "mine"),
		ask("select current_user", "wire_reader"),
	}},
	{Name: "start/two clients taking turns", Steps: []Step{
		Connect("a", "application_name", "app a", "DateStyle", "German"),
		Connect("b", "application_name", "app b"),
		ask("show application_name", "app a"),
		ask("show application_name", "app b").On("b"),
		ask("select date '2024-02-29'", "29.02.2024"),
		ask("select date '2024-02-29'", "2024-02-29").On("b"),
		Send(once("select date '2024-02-29' as d")...).Expect("1", "2", "T d:date", "D 29.02.2024", "C SELECT 1", "Z I"),
		Send(once("select date '2024-02-29' as d")...).On("b").Expect("1", "2", "T d:date", "D 2024-02-29", "C SELECT 1", "Z I"),
		Send(append(once("select 1 as n"), once("show application_name")...)...).Expect(
			"1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I", "1", "2", "T *", "D app a", "C SHOW", "Z I"),
	}},
}

// anyReport drops the expectation up to ReadyForQuery to "something".
func (s Step) anyReport() Step {
	s.want = []string{"...", "Z I"}
	return s
}

// honoured checks a start-up parameter: it is there, a SET changes it, and it
// is what RESET, RESET ALL and DISCARD ALL go back to.
func honoured(name, value, other string) []Step {
	change := func() Step { return Send(Query("set "+name+" = "+quote(other))).Expect("...", "Z I") }
	steps := []Step{ask("select current_setting('"+name+"')", value)}
	for _, back := range []string{"reset " + name, "reset all", "discard all"} {
		steps = append(steps,
			change(), Send(Query("select current_setting('"+name+"')")).Expect("T *", "D "+other, "C *", "Z I"),
			Send(Query(back)).Expect("...", "Z I"), Send(Query("select current_setting('"+name+"')")).Expect("T *", "D "+value, "C *", "Z I"))
	}
	return steps
}

// quote makes a SQL literal of each element of a list setting.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, ", ", "', '") + "'"
}

// login is what comes back from a start-up that succeeds.
func login(extra ...string) []string {
	return append([]string{"R ok"}, append(extra, "+ S *", "K", "Z I")...)
}

const (
	version30   = pgproto3.ProtocolVersion30
	version32   = pgproto3.ProtocolVersion32
	versionNext = 3<<16 | 9999
)

// startupScripts are StartupMessages, good and bad, byte for byte.
var startupScripts = []Script{
	{Name: "startup/plain", Manual: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres")).Expect(login()...),
		ask("select current_database()", "postgres"),
	}},
	{Name: "startup/database is the user's name by default", Manual: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres")).Expect(login()...),
		ask("select current_database()", "postgres"),
	}},
	{Name: "startup/query in the same write", Manual: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres"), Query("select 1 as n"), Terminate).Expect(
			append(login(), "T n:int4", "D 1", "C SELECT 1", "Z I", "EOF")...),
	}},
	{Name: "startup/goodbye in the same write", Manual: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres"), Terminate).Expect(append(login(), "EOF")...),
	}},
	{Name: "startup/protocol of the future", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(versionNext, "user", "postgres", "database", "postgres", "_pq_.test_protocol_negotiation", "")).Expect(
			append([]string{"v 3.2 _pq_.test_protocol_negotiation"}, login()...)...),
		ask("select 1", "1"),
	}},
	{Name: "startup/several unknown protocol options", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(version32, "user", "postgres", "database", "postgres", "_pq_.one", "1", "_pq_.two", "2")).Expect(
			append([]string{"v 3.2 _pq_.one _pq_.two"}, login()...)...),
		ask("select 1", "1"),
	}},
	{Name: "startup/protocol 3.0 with an unknown option", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres", "_pq_.one", "1")).Expect(
			append([]string{"v 3.0 _pq_.one"}, login()...)...),
		ask("select 1", "1"),
	}},
	{Name: "startup/protocol 3.2", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(version32, "user", "postgres", "database", "postgres")).Expect(login()...),
		ask("select 1", "1"),
	}},
	{Name: "startup/protocol 3.2 and cancel", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(version32, "user", "postgres", "database", "postgres")).Expect(login()...),
		Send(Query("select pg_sleep(600) /* cancel 32 */")),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* cancel 32 */' and wait_event = 'PgSleep'"),
		Cancel("a"),
		Receive("T *", "E ERROR 57014*", "Z I"),
	}},
	{Name: "startup/protocol 2.0", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(2<<16, "user", "postgres")).Expect("E FATAL 0A000 unsupported frontend protocol 2.0: *", "EOF"),
	}},
	{Name: "startup/protocol 4.0", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(4<<16, "user", "postgres")).Expect("E FATAL 0A000 unsupported frontend protocol 4.0: *", "EOF"),
	}},
	{Name: "startup/no user", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "database", "postgres")).Expect("E FATAL 28000 *", "EOF"),
		Send(Startup(version30, "user", "", "database", "postgres")).On("b").Expect("E FATAL *", "EOF"),
		Send(Startup(version30)).On("c").Expect("E FATAL *", "EOF"),
	}},
	{Name: "startup/unknown database", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "nowhere")).Expect("...", `E FATAL 3D000 database "nowhere" does not exist`, "EOF"),
	}},
	{Name: "startup/unknown role", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "nobody_at_all", "database", "postgres")).Expect("...", `E FATAL 28000 role "nobody_at_all" does not exist`, "EOF"),
	}},
	{Name: "startup/library that is not there", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres", "local_preload_libraries", "nosuch")).Expect("...", "E FATAL 58P01*", "EOF"),
	}},
	{Name: "startup/bad value", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres", "TimeZone", "Nowhere/Land")).Expect(
			"...", `E FATAL 22023 invalid value for parameter "TimeZone": "Nowhere/Land"`, "EOF"),
	}},
	{Name: "startup/unknown parameter", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres", "nosuch", "1")).Expect(
			"...", `E FATAL 42704 unrecognized configuration parameter "nosuch"`, "EOF"),
	}},
	{Name: "startup/unknown option", Manual: true, Loose: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "database", "postgres", "options", "-c nosuch=1")).Expect(
			"...", `E FATAL 42704 unrecognized configuration parameter "nosuch"`, "EOF"),
	}},
	{Name: "startup/after a bad one others are well", Steps: []Step{
		ask("select 1", "1"),
	}},
	{Name: "startup/layout without a terminator", Manual: true, Loose: true, Steps: []Step{
		Send(StartupPacket(version30, []byte("user\x00postgres\x00"))).Expect("E FATAL 08P01 invalid startup packet layout*", "EOF"),
		Send(StartupPacket(version30, []byte("user\x00postgres\x00\x00junk"))).On("b").Expect("E FATAL 08P01 invalid startup packet layout*", "EOF"),
	}},
	{Name: "startup/logical replication", Start: []string{"replication", "database"}, Loose: true, Steps: []Step{
		Send(Query("IDENTIFY_SYSTEM")).Expect("T systemid:text timeline:int4 xlogpos:text dbname:text", "D *|postgres", "C IDENTIFY_SYSTEM", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "startup/physical replication", Start: []string{"replication", "true"}, Loose: true, Steps: []Step{
		Send(Query("IDENTIFY_SYSTEM")).Expect("T systemid:text timeline:int4 xlogpos:text dbname:text", "D *|NULL", "C IDENTIFY_SYSTEM", "Z I"),
		Send(Query("SHOW server_encoding")).Expect("T *", "D SQL_ASCII", "C SHOW", "Z I"),
	}},
	{Name: "startup/too long", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Startup(version30, "user", "postgres", "application_name", strings.Repeat("x", 20_000))).Expect("E FATAL 08P01 *", "EOF"),
	}},
	{Name: "startup/garbage", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(Raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).Expect("E FATAL 08P01 *", "EOF"),
		Send(Raw("\x00\x00\x00\x03\x00\x00\x00\x00")).On("b").Expect("E FATAL 08P01 *", "EOF"),
		Send(Raw("\xff\xff\xff\xff\x00\x00\x00\x00")).On("c").Expect("E FATAL 08P01 *", "EOF"),
		Send(Query("select 1")).On("d").Expect("E FATAL 08P01 *", "EOF"),
	}},
	{Name: "startup/hangs up at once", Manual: true, Steps: []Step{
		Send(Raw("")), Drop("a"),
		Send(Raw("\x00\x00")).On("b"), Drop("b"),
		Send(Startup(version30, "user", "postgres")).On("c"), Drop("c"),
		Send(Startup(version30, "user", "postgres")).On("d").Expect(login()...),
	}},
}

// handshakeScripts are the requests that come before a StartupMessage.
var handshakeScripts = []Script{
	{Name: "handshake/SSLRequest", Manual: true, Steps: []Step{
		Send(StartupPacket(SSLRequest, nil)).Expect("byte N"),
		Send(Startup(version30, "user", "postgres")).Expect(login()...),
		ask("select 1", "1"),
	}},
	{Name: "handshake/GSSENCRequest", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(StartupPacket(GSSENCRequest, nil)).Expect("byte N"),
		Send(Startup(version30, "user", "postgres")).Expect(login()...),
	}},
	{Name: "handshake/both", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(StartupPacket(GSSENCRequest, nil)).Expect("byte N"),
		Send(StartupPacket(SSLRequest, nil)).Expect("byte N"),
		Send(Startup(version30, "user", "postgres")).Expect(login()...),
	}},
	{Name: "handshake/both, the other way round", Manual: true, ProxyOnly: true, Steps: []Step{
		Send(StartupPacket(SSLRequest, nil)).Expect("byte N"),
		Send(StartupPacket(GSSENCRequest, nil)).Expect("byte N"),
		Send(Startup(version30, "user", "postgres")).Expect(login()...),
	}},
	{Name: "handshake/hangs up after SSLRequest", Manual: true, Steps: []Step{
		Send(StartupPacket(SSLRequest, nil)).Expect("byte N"), Drop("a"),
		Send(Startup(version30, "user", "postgres")).On("b").Expect(login()...),
	}},
	{Name: "handshake/cancel request with a wrong key", Manual: true, Steps: []Step{
		Send(StartupPacket(80877102, []byte("\x00\x00\x00\x01\x00\x00\x00\x01"))).Expect("EOF"),
		Send(StartupPacket(80877102, []byte("\x7f\xff\xff\xffabcd"))).On("b").Expect("EOF"),
	}},
}
