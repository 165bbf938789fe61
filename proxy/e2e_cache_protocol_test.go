package proxy_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// alone is a statement by the extended protocol, without a Sync.
func alone(sql string) []pgproto3.FrontendMessage {
	return []pgproto3.FrontendMessage{pgtest.Parse("", sql), pgtest.Bind("", ""), pgtest.Execute("", 0)}
}

func pipeline(parts ...any) (all []pgproto3.FrontendMessage) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			all = append(all, alone(p)...)
		case pgproto3.FrontendMessage:
			all = append(all, p)
		}
	}
	return all
}

const bumpT = "update t set v = v + 1 where id = 1"

// cacheProtocolWrites are writes of the row 1 of t by messages.
func cacheProtocolWrites(admin *pgtest.Admin) []struct {
	name     string
	messages []pgproto3.FrontendMessage
} {
	oid := func(function string) uint32 {
		n, _ := admin.Ask("select '" + function + "'::regproc::oid::int")
		var v uint32
		_, _ = fmt.Sscan(n, &v)
		return v
	}
	long := strings.Repeat(" ", 1<<20)
	return []struct {
		name     string
		messages []pgproto3.FrontendMessage
	}{
		{"32 bound again", pipeline(pgtest.Parse("w", bumpT), pgtest.Sync, pgtest.Bind("", "w"), pgtest.Execute("", 0), pgtest.Sync)},
		{"33 rows in pieces", pipeline(pgtest.Query("begin"), pgtest.Parse("", bumpT+" or id = 2 returning id"), pgtest.Bind("", ""), pgtest.Execute("", 1), pgtest.Execute("", 1), pgtest.Sync, pgtest.Query("commit"))},
		{"33 rows in pieces, given up", pipeline(pgtest.Parse("", bumpT+" or id = 2 returning id"), pgtest.Bind("", ""), pgtest.Execute("", 1), pgtest.Sync)},
		{"35 behind COMMIT without a Sync", pipeline(pgtest.Query("begin"), pgtest.Query("select 1"), "commit", bumpT, pgtest.Sync)},
		{"35 behind COMMIT in a held transaction", pipeline(pgtest.Query("begin"), "commit", bumpT, pgtest.Sync)},
		{"35 behind a pipelined COMMIT", pipeline(pgtest.Query("begin"), pgtest.Query("select 1 from other"), pgtest.Query("commit"), pgtest.Query(bumpT))},
		{"35 behind a COMMIT with a Sync", pipeline("begin", pgtest.Sync, "commit", pgtest.Sync, bumpT, pgtest.Sync)},
		{"35 before an error of the next", pipeline(bumpT, pgtest.Sync, "select 1/0", pgtest.Sync)},
		{"35 two Syncs", pipeline("select 1", pgtest.Sync, bumpT, pgtest.Sync, pgtest.Sync)},
		{"34 Parse too long", pipeline(bumpT+long, pgtest.Sync)},
		{"34 Parse too long, bound again", pipeline(pgtest.Parse("w", bumpT+long), pgtest.Sync, pgtest.Bind("", "w"), pgtest.Execute("", 0), pgtest.Sync)},
		{"34 Query too long", pipeline(pgtest.Query("select 1; " + long + bumpT))},
		{"20 FunctionCall", pipeline(&pgproto3.FunctionCall{Function: oid("c.bump")})},
		{"20 FunctionCall in a transaction", pipeline(pgtest.Query("begin"), pgtest.Query("select 1 from other"), &pgproto3.FunctionCall{Function: oid("c.bump")}, pgtest.Query("commit"))},
		{"24 COPY by the extended protocol", pipeline("copy t (id) from stdin", pgtest.Sync, &pgproto3.CopyData{Data: []byte("5001\n")}, &pgproto3.CopyDone{}, pgtest.Sync, pgtest.Query(bumpT))},
		{"21 CALL that commits", pipeline("call bump_it()", pgtest.Sync)},
		{"15 portal of a cursor", pipeline(pgtest.Query("begin"), "declare k cursor for select bump()", pgtest.Sync, "fetch k", pgtest.Sync, "commit", pgtest.Sync)},
		{"32 SQL made anew, bound", pipeline(pgtest.Query("prepare w as select 1"), pgtest.Query("deallocate w"), pgtest.Query("prepare w as "+bumpT), pgtest.Bind("", "w"), pgtest.Execute("", 0), pgtest.Sync)},
		{"32 SQL in the place of Parse", pipeline(pgtest.Parse("w", "select 1"), pgtest.Sync, pgtest.Query("begin"), pgtest.Query("deallocate w"), pgtest.Query("prepare w as "+bumpT), pgtest.Bind("", "w"), pgtest.Execute("", 0), pgtest.Sync, pgtest.Query("commit"))},
	}
}

// 32 to 35: what is written by whatever messages is not served afterwards.
func TestCacheProtocolWrites(t *testing.T) {
	backend := plain(t)
	newTricks(t, backend)
	p := startProxy(t, backend, withCache)
	admin := observer(t, backend)
	const read = "select v from t where id = 1"
	for _, test := range cacheProtocolWrites(admin) {
		t.Run(test.name, func(t *testing.T) {
			reader, direct, writer := dial(t, p.addr), dial(t, backend), trickster(t, p.addr, "")
			before := cached(t, p, reader, read)
			ready := 0
			for _, m := range test.messages {
				switch m.(type) {
				case *pgproto3.Query, *pgproto3.Sync, *pgproto3.FunctionCall:
					ready++
				}
			}
			if strings.HasPrefix(test.name, "24") {
				ready-- // PostgreSQL ignores the Sync that comes before the copy data
			}
			if err := writer.Send(test.messages...); err != nil {
				t.Fatal(err)
			}
			for range ready {
				if _, err := writer.ReceiveUntil('Z'); err != nil {
					t.Fatal(err)
				}
			}
			want, got := answerOf(t, direct, read), answerOf(t, reader, read)
			if got != want {
				t.Errorf("%s is %s, want %s", read, got, want)
			}
			if want == before {
				t.Errorf("nothing was written")
			}
		})
	}
}

// What does not change rows leaves the answers of the cache as they are.
func TestCacheStays(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, withCache)
	const read = "select v from t where id = 1"
	reader := dial(t, p.addr)
	cached(t, p, reader, read)
	for _, test := range []struct{ name, text string }{
		{"reading", "select * from other"},
		{"reading in a transaction", "begin;; select count(*) from t;; commit"},
		{"writing elsewhere", "update other set v = v + 1"},
		{"writing elsewhere in a transaction", "begin;; update other set v = v + 1;; commit"},
		{"what is rolled back", "begin;; select 1 from t;; rollback"},
		{"a setting", "set statement_timeout = 10000;; update other set v = 1"},
		{"a setting of an application", "begin;; set local app.tenant = 'x';; update other set v = 2;; commit"},
		{"set_config", "begin;; select set_config('app.tenant', 'y', true);; update other set v = 3;; commit"},
	} {
		for _, how := range []string{"Query", "Parse"} {
			t.Run(how+"/"+test.name, func(t *testing.T) {
				cached(t, p, reader, read)
				writer := trickster(t, p.addr, how)
				for text := range strings.SplitSeq(test.text, ";; ") {
					hiddenWrite(t, writer, how, text)
				}
				before := p.server.Cache().Stat().Hits()
				answerOf(t, reader, read)
				if p.server.Cache().Stat().Hits() != before+1 {
					t.Errorf("after %s the cache has not the answer any more", test.text)
				}
			})
		}
	}
	t.Run("large object", func(t *testing.T) {
		cached(t, p, reader, read)
		before := p.server.Cache().Stat().Hits()
		writer := trickster(t, p.addr, "")
		_ = writer.Send(&pgproto3.FunctionCall{Function: 957, ArgFormatCodes: []uint16{1}, Arguments: [][]byte{binary.BigEndian.AppendUint32(nil, 0x60000)}, ResultFormatCode: 1})
		if _, err := writer.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
		if answerOf(t, reader, read); p.server.Cache().Stat().Hits() != before+1 {
			t.Error("after lo_creat the cache has not the answer any more")
		}
	})
}

// 62: two databases have nothing in common.
func TestCacheTrap62Databases(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, withCache)
	conns := map[string]*pgconn.PgConn{}
	for _, name := range []string{"trap62a", "trap62b"} {
		_ = admin.Exec("drop database if exists " + name)
		if err := admin.Exec("create database " + name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.Exec("drop database " + name + " with (force)") })
		conn, err := pgconn.Connect(context.Background(), "postgres://postgres@"+p.addr+"/"+name+"?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		conns[name] = conn
		answerOf(t, conn, "create table whose as select '"+name+"' as name")
	}
	const read = "select name from whose"
	for name, conn := range conns {
		cached(t, p, conn, read)
		if got := answerOf(t, conn, read); !strings.Contains(got, name) {
			t.Errorf("%s has %s", name, got)
		}
	}
}
