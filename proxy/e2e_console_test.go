package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

const (
	rowsOfCache  = "T statement:text hits:int8 misses:int8 hit_ratio:float8 entries:int8 bytes:int8 saved_us:int8 off:bool why:text fingerprint:text"
	rowOfVersion = "T version:text"
	unknown      = "E ERROR 42601 pgjay: there is no command *"
)

// asBinary has a Bind ask for the binary format.
func asBinary(b *pgproto3.Bind) *pgproto3.Bind {
	b.ResultFormatCodes = []int16{1}
	return b
}

// consoleScripts are what clients say to the console.
var consoleScripts = []pgtest.Script{
	{Name: "show", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("SHOW VERSION")).Expect(rowOfVersion, "D PgJay 0.1", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Query("/* a /* b */ */ show -- c\n\tVersion ;;")).Expect(rowOfVersion, "D PgJay 0.1", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Query("show cache")).Expect(rowsOfCache, "C SHOW", "Z I"),
		pgtest.Send(pgtest.Query("show help")).Expect("N NOTICE 00000 Console usage*", "C SHOW", "Z I"),
	}},
	{Name: "several statements", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("show version; purge cache; show help")).Expect(
			rowOfVersion, "D PgJay 0.1", "C SHOW", "C PURGE", "N NOTICE *", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Query("show version; show nothing")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("show version; purge cache table nosuch; show version")).Expect(
			rowOfVersion, "D PgJay 0.1", "C SHOW", "E ERROR 42P01 *", "Z I"),
	}},
	{Name: "nothing", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("")).Expect("I", "Z I"),
		pgtest.Send(pgtest.Query(" ; ;-- ping")).Expect("I", "Z I"),
		pgtest.Send(pgtest.Sync).Expect("Z I"),
	}},
	{Name: "refused", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("show me")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("select 1")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("show cache now")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("show \"version\"")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("purge cache table")).Expect("E ERROR 42601 pgjay: PURGE CACHE TABLE takes *", "Z I"),
		pgtest.Send(pgtest.Query("purge cache table a.b.c")).Expect("E ERROR 42601 pgjay: PURGE CACHE TABLE takes *", "Z I"),
		pgtest.Send(pgtest.Query("SET monitor.explain = off")).Expect("E ERROR 42704 pgjay: the console cannot set \"monitor.explain\"", "Z I"),
		pgtest.Send(pgtest.Query("set pool_mode to session")).Expect("E ERROR 42704 *", "Z I"),
		pgtest.Send(pgtest.Query("set time = 5")).Expect("E ERROR 42704 *", "Z I"),
		pgtest.Send(pgtest.Query("set")).Expect(unknown, "Z I"),
		pgtest.Send(pgtest.Query("show 'version")).Expect("E ERROR 42601 pgjay: unterminated *", "Z I"),
		pgtest.Send(pgtest.Query("/* show version")).Expect("E ERROR 42601 pgjay: unterminated *", "Z I"),
		pgtest.Send(pgtest.Query("show "+strings.Repeat("x", 1<<20))).Expect("E ERROR 54000 *", "Z I"),
		pgtest.Send(pgtest.Message('Q', "show\x00version\x00")).Expect("E ERROR 08P01 invalid message format", "Z I"),
		pgtest.Send(pgtest.Message('F', "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")).Expect("E ERROR 0A000 *", "Z I"),
		pgtest.Send(pgtest.Message('c', ""), pgtest.Query("show version")).Expect(rowOfVersion, "D *", "C SHOW", "Z I"),
	}},
	{Name: "habits", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("SET extra_float_digits = 3")).Expect("C SET", "Z I"),
		pgtest.Send(pgtest.Query("set session TimeZone to 'UTC'; SET LOCAL search_path = a, b; set names 'utf8'; set session characteristics as transaction read only; set time zone utc")).Expect(
			"C SET", "C SET", "C SET", "C SET", "C SET", "Z I"),
		pgtest.Send(pgtest.Query("SELECT pg_catalog.set_config('search_path', '', false)")).Expect("T set_config:text", "D ''", "C SELECT 1", "Z I"),
		pgtest.Send(pgtest.Query("DISCARD ALL")).Expect("C DISCARD ALL", "Z I"),
		pgtest.Send(pgtest.Query("BEGIN")).Expect("C BEGIN", "Z T"),
		pgtest.Send(pgtest.Query("show version")).Expect(rowOfVersion, "D *", "C SHOW", "Z T"),
		pgtest.Send(pgtest.Query("COMMIT")).Expect("C COMMIT", "Z I"),
		pgtest.Send(pgtest.Query("START TRANSACTION READ ONLY")).Expect("C START TRANSACTION", "Z T"),
		pgtest.Send(pgtest.Query("nonsense")).Expect(unknown, "Z E"),
		pgtest.Send(pgtest.Query("show version")).Expect("E ERROR 25P02 *", "Z E"),
		pgtest.Send(pgtest.Query("COMMIT")).Expect("C ROLLBACK", "Z I"),
		pgtest.Send(pgtest.Query("ROLLBACK")).Expect("C ROLLBACK", "Z I"),
	}},
	{Name: "extended", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Parse("", "show version"), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"1", "2", rowOfVersion, "D PgJay 0.1", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Parse("s", "purge cache all"), pgtest.DescribeStatement("s"), pgtest.Bind("p", "s"), pgtest.DescribePortal("p"),
			pgtest.Execute("p", 0), pgtest.ClosePortal("p"), pgtest.Sync).Expect("1", "t", "n", "2", "n", "C PURGE", "3", "Z I"),
		pgtest.Send(pgtest.DescribeStatement("s"), pgtest.CloseStatement("s"), pgtest.CloseStatement("s"), pgtest.Sync).Expect("t", "n", "3", "3", "Z I"),
		pgtest.Send(pgtest.Parse("", ""), pgtest.DescribeStatement(""), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"1", "t", "n", "2", "n", "I", "Z I"),
		pgtest.Send(pgtest.Parse("", "begin"), pgtest.Bind("", ""), pgtest.Execute("", 1), pgtest.Sync).Expect("1", "2", "C BEGIN", "Z T"),
		pgtest.Send(pgtest.Parse("", "rollback"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("1", "2", "C ROLLBACK", "Z I"),
		pgtest.Send(pgtest.Parse("", "show version"), asBinary(pgtest.Bind("", "")), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"1", "2", "T version:text/binary", "D PgJay 0.1", "C SHOW", "Z I"),
	}},
	{Name: "row limits", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Parse("", "show cache totals"), pgtest.Bind("", ""), pgtest.Execute("", 2), pgtest.Execute("", 1), pgtest.Sync).Expect(
			"1", "2", "D entries|0", "D bytes|0", "s", "D evicted|0", "s", "Z I"),
		pgtest.Send(pgtest.Bind("", ""), pgtest.Execute("", 1000), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"2", "+ D *", "C SHOW", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Query("begin")).Expect("C BEGIN", "Z T"),
		pgtest.Send(pgtest.Parse("", "show version"), pgtest.Bind("p", ""), pgtest.Sync).Expect("1", "2", "Z T"),
		pgtest.Send(pgtest.Execute("p", 0), pgtest.Sync).Expect("D *", "C SHOW", "Z T"),
		pgtest.Send(pgtest.Query("commit")).Expect("C COMMIT", "Z I"),
		pgtest.Send(pgtest.Execute("p", 0), pgtest.Sync).Expect("E ERROR 34000 *", "Z I"),
	}},
	{Name: "errors skip to Sync", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Parse("", "nonsense"), pgtest.Bind("", ""), pgtest.Query("show version"), pgtest.Execute("", 0), pgtest.Sync,
			pgtest.Query("show version")).Expect(unknown, "Z I", rowOfVersion, "D *", "C SHOW", "Z I"),
		pgtest.Send(pgtest.Parse("", "show version; show version"), pgtest.Sync).Expect("E ERROR 42601 cannot insert multiple *", "Z I"),
		pgtest.Send(pgtest.Bind("", ""), pgtest.Sync).Expect("E ERROR 26000 unnamed *", "Z I"),
		pgtest.Send(pgtest.Bind("", "x"), pgtest.Sync).Expect("E ERROR 26000 prepared statement \"x\" *", "Z I"),
		pgtest.Send(pgtest.Execute("x", 0), pgtest.Sync).Expect("E ERROR 34000 portal \"x\" *", "Z I"),
		pgtest.Send(pgtest.Parse("t", "show version"), pgtest.Parse("t", "show version"), pgtest.Sync).Expect("1", "E ERROR 42P05 *", "Z I"),
		pgtest.Send(pgtest.Bind("p", "t"), pgtest.Bind("p", "t"), pgtest.Sync).Expect("2", "E ERROR 42P03 *", "Z I"),
		pgtest.Send(pgtest.Bind("", "t", "1"), pgtest.Sync).Expect("E ERROR 08P01 bind message supplies 1 *", "Z I"),
		pgtest.Send(pgtest.Parse("", "show version", 23), pgtest.Sync).Expect("E ERROR 0A000 *", "Z I"),
		pgtest.Send(pgtest.Parse("", "purge cache table nosuch"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"1", "2", "E ERROR 42P01 *", "Z I"),
		pgtest.Send(pgtest.Parse("", "purge cache"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Execute("", 0), pgtest.Sync).Expect(
			"1", "2", "C PURGE", "E ERROR 55000 *", "Z I"),
		pgtest.Send(pgtest.Message('B', "\x00"), pgtest.Sync).Expect("E ERROR 08P01 *", "Z I"),
		pgtest.Send(pgtest.Message('P', "\x00"+strings.Repeat("x", 100000)), pgtest.Sync).Expect("E ERROR 54000 *", "Z I"),
		pgtest.Send(pgtest.Message('S', "x")).Expect("E ERROR 08P01 *", "Z I"),
	}},
	{Name: "pipeline", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Parse("", "show version"), pgtest.Bind("", ""), pgtest.Execute("", 0),
			pgtest.Parse("", "purge cache tag x"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync,
			pgtest.Query("show version; show version"), pgtest.Sync).Expect(
			"1", "2", "D *", "C SHOW", "1", "2", "C PURGE", "Z I",
			rowOfVersion, "D *", "C SHOW", rowOfVersion, "D *", "C SHOW", "Z I", "Z I"),
		pgtest.Send(pgtest.Query("show version"), &pgproto3.Terminate{}).Expect(rowOfVersion, "D *", "C SHOW", "Z I", "EOF"),
	}},
	{Name: "bad frame", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Raw("?\x00\x00\x00\x04")).Expect("E FATAL 08P01 *", "EOF"),
	}},
}

// TestConsole: what the console says to each message, also when the bytes come one by
// one. No backend is ever needed.
func TestConsole(t *testing.T) {
	for name, newServer := range map[string]serverMaker{"": proxy.NewServer, "portable ": proxy.NewPortableServer} {
		p := startServer(t, "127.0.0.1:1", newServer, withCache)
		for _, s := range consoleScripts {
			for cut, cutter := range map[string]pgtest.Cutter{"whole": pgtest.Whole, "cut": pgtest.ByteByByte} {
				if cut == "cut" && s.Name == "refused" {
					continue // a megabyte
				}
				t.Run(name+s.Name+"/"+cut, func(t *testing.T) {
					log, err := s.Run(pgtest.Target{Address: p.addr, User: "postgres", Database: "pgjay", Cut: cutter})
					if err != nil {
						t.Errorf("%v\n%s", err, log)
					}
				})
			}
		}
	}
}

// The answer is the same to the byte whatever the protocol, apart from its envelope.
func TestConsoleBytes(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	c := client(t, p.addr, "database", "pgjay")
	if err := c.Send(pgtest.Query("show version")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"T\x00\x01version\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\xff\xff\x00\x00",
		"D\x00\x01\x00\x00\x00\x09PgJay 0.1", "CSHOW\x00", "ZI",
	} {
		f, err := c.Receive()
		if got := string(f.Type) + string(f.Body); err != nil || got != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
}

// Without a cache the commands about it say so, and do no harm.
func TestConsoleWithoutCache(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	c := client(t, p.addr, "database", "pgjay")
	for _, sql := range []string{"purge cache", "purge cache all", "purge cache table t", "purge cache tag t"} {
		if err := c.Send(pgtest.Query(sql)); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "N NOTICE 00000 pgjay: the cache is off*", "C PURGE", "Z I")
	}
	if err := c.Send(pgtest.Query("show cache")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "N NOTICE 00000 pgjay: the cache is off*", rowsOfCache, "C SHOW", "Z I")
}

// Who may use the console is decided when it is known who it is.
func TestConsoleAdmins(t *testing.T) {
	users := []proxy.User{{Name: "boss", Password: "x"}, {Name: "app", Password: "y"}}
	for _, tt := range []struct {
		name      string
		auth      proxy.AuthConfig
		addresses []string
		login     string
		want      string // SQLSTATE; empty: in
	}{
		{"trust", proxy.AuthConfig{Method: proxy.AuthTrust}, nil, "anybody", ""},
		{"trust, open to others", proxy.AuthConfig{Method: proxy.AuthTrust}, []string{"0.0.0.0:0"}, "anybody", "28000"},
		{"trust, listed", proxy.AuthConfig{Method: proxy.AuthTrust, Admins: []string{"boss"}}, []string{"0.0.0.0:0"}, "boss", ""},
		{"trust, not listed", proxy.AuthConfig{Method: proxy.AuthTrust, Admins: []string{"boss"}}, nil, "anybody", "28000"},
		{"password, nobody listed", proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: users}, nil, "boss:x", "28000"},
		{"password, listed", proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: users, Admins: []string{"boss"}}, nil, "boss:x", ""},
		{"password, not listed", proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: users, Admins: []string{"boss"}}, nil, "app:y", "28000"},
		{"wrong password", proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: users, Admins: []string{"boss"}}, nil, "boss:y", "28P01"},
		{"no such user", proxy.AuthConfig{Method: proxy.AuthMD5, Users: users, Admins: []string{"boss"}}, nil, "nobody:y", "28P01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startProxy(t, "127.0.0.1:1", func(c *proxy.Config) {
				c.Auth = tt.auth
				if tt.addresses != nil {
					c.Listen.Addresses = tt.addresses
				}
			})
			port := p.addr[strings.LastIndex(p.addr, ":")+1:]
			conn, err := pgconn.Connect(context.Background(), fmt.Sprintf("postgres://%s@127.0.0.1:%s/pgjay?sslmode=disable", tt.login, port))
			if err == nil {
				defer conn.Close(context.Background())
			}
			var refused *pgconn.PgError
			errors.As(err, &refused)
			switch {
			case tt.want == "" && err != nil, tt.want != "" && (refused == nil || refused.Code != tt.want || refused.Severity != "FATAL"):
				t.Errorf("the login ends with %v, want %q", err, tt.want)
			case tt.want == "28000" && !strings.Contains(refused.Hint, "auth.admins"):
				t.Errorf("the hint does not name the fix: %q", refused.Hint)
			}
		})
	}
}

// What a reload says of admins holds for the next login.
func TestConsoleAdminsReload(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	c := client(t, p.addr, "database", "pgjay")
	p.reload(t, func(c *proxy.Config) { c.Auth.Admins = []string{"boss"} })
	if value(t, c, "show version") != "PgJay 0.1" {
		t.Error("the session does not go on")
	}
	next := begin(t, p.addr, "user", "postgres", "database", "pgjay")
	expect(t, next, "R ok", "E FATAL 28000 *", "EOF")
}

// The default database is the user's name, also of a user called pgjay.
func TestConsoleByUserName(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	c := begin(t, p.addr, "user", "pgjay")
	expect(t, c, "R ok", "S server_version=*")
}

// drivers of the kinds there are: each mode of pgx.
func TestConsolePgx(t *testing.T) {
	p := startProxy(t, plain(t), withCache)
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			c, err := pgx.Connect(ctx, "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(ctx)
			for range 3 {
				checkConsolePgx(ctx, t, c, mode)
			}
		})
	}
}

func checkConsolePgx(ctx context.Context, t *testing.T, c *pgx.Conn, mode pgx.QueryExecMode) {
	t.Helper()
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	var version string
	if err := c.QueryRow(ctx, "show version", mode).Scan(&version); err != nil || version != "PgJay 0.1" {
		t.Fatalf("%q, %v", version, err)
	}
	err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "show cache totals", mode)
		if err != nil {
			return err
		}
		totals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
			Name  string
			Value int64
		}])
		if len(totals) < 20 || totals[0].Name != "entries" {
			t.Errorf("totals are %v", totals)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if tag, err := c.Exec(ctx, "purge cache tag x", mode); err != nil || tag.String() != "PURGE" {
		t.Fatalf("%q, %v", tag, err)
	}
	var refused *pgconn.PgError
	if _, err := c.Exec(ctx, "select 1", mode); !errors.As(err, &refused) || refused.Code != "42601" || !strings.Contains(refused.Hint, "SHOW HELP") {
		t.Fatalf("select 1 gives %v", err)
	}
	b := &pgx.Batch{}
	for range 20 {
		b.Queue("show version")
	}
	if err := c.SendBatch(ctx, b).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConsolePsql(t *testing.T) {
	p := startProxy(t, plain(t), withCache)
	if out := mustRun(t, p.addr, "", "psql", "-X", "-d", "pgjay", "-c", "show cache"); !strings.Contains(out, "saved_us") || !strings.Contains(out, "(0 rows)") {
		t.Errorf("psql prints %q", out)
	}
	out, errs, err := runProgram(t, p.addr, "show help;\npurge cache;\nshow version;\nbogus;\n\\timing\nshow version;", "psql", "-X", "-d", "pgjay")
	if err != nil {
		t.Fatal(err, errs)
	}
	if !strings.Contains(errs, "NOTICE:  Console usage\nDETAIL:  \n\tSHOW HELP\n\tSHOW VERSION\n\tSHOW CONFIG\n") ||
		!strings.Contains(errs, "HINT:  SHOW HELP lists the commands.") {
		t.Errorf("psql says %q", errs)
	}
	if !strings.Contains(out, "SHOW\nPURGE\n") || !strings.Contains(out, "PgJay") {
		t.Errorf("psql prints %q", out)
	}
}
