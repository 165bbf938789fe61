package proxy_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A start-up parameter that names something may be refused later, when it is
// applied to another backend. Then nothing may run without it.
func TestNothingRunsWithoutItsLabel(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	for name, send := range map[string]pgtest.Step{
		"simple":   pgtest.Send(pgtest.Query("create table perishable_proof ()")),
		"extended": pgtest.Send(pgtest.Parse("", "create table perishable_proof ()"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync),
	} {
		t.Run(name, func(t *testing.T) {
			if err := admin.Exec("create role perishable; create table if not exists perishable_proof (); drop table perishable_proof"); err != nil {
				t.Fatal(err)
			}
			script := &pgtest.Script{Name: name, Steps: []pgtest.Step{
				pgtest.Connect("a", "role", "perishable"),
				pgtest.Send(pgtest.Query("select current_user")).Expect("T *", "D perishable", "C SELECT 1", "Z I"),
				pgtest.Connect("b"),
				pgtest.Send(pgtest.Query("drop role perishable")).On("b").Expect("C DROP ROLE", "Z I"),
				send.Expect(`E ERROR 22023 role "perishable" does not exist`, "Z I"),
				pgtest.Send(pgtest.Query("reset role")).Expect(`E ERROR 22023 role "perishable" does not exist`, "Z I"),
			}}
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, script)
			if got, err := admin.Ask("select to_regclass('perishable_proof') is null"); err != nil || got != "t" {
				t.Errorf("the statement ran (%s, %v)", got, err)
			}
		})
	}
}

// A check of an idle backend must not change what a client finds there.
func TestPingsLeaveTheUnnamedStatement(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		onlyOne(c)
		c.Pool.PrePing, c.Pool.PrePingAfter = true, 0
	})
	pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: "pings", Steps: []pgtest.Step{
		pgtest.Connect("a"),
		pgtest.Send(pgtest.Parse("", "select 'mine'"), pgtest.Sync).Expect("1", "Z I"),
		pgtest.Send(pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("2", "D mine", "C SELECT 1", "Z I"),
	}})
}

// Many clients with labels that differ, one backend: each gets its turn, also
// one whose message waits until the label is there.
func TestLabelsTakeTurns(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec("drop role if exists in_turn; create role in_turn"); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, onlyOne)
	var working sync.WaitGroup
	for i := range 20 {
		working.Go(func() {
			name := fmt.Sprint("turn ", i)
			c := client(t, p.addr, "application_name", name, "role", "in_turn")
			for range 20 {
				if got := value(t, c, "select current_setting('application_name') || ' ' || current_user"); got != name+" in_turn" {
					t.Errorf("%s got %q", name, got)
				}
			}
			if err := c.Send(pgtest.Query("reset application_name; select 1")); err != nil {
				t.Error(err)
			}
			f, err := c.Receive()
			if err != nil || f.String() != "C RESET" {
				t.Errorf("got %s, %v", f, err)
			}
			c.Close() // it has a backend of its own, for which others wait
		})
	}
	working.Wait()
}

// What a pool of connections says when it takes one back needs no backend of
// the client's own.
func TestResetAtTheEndNeedsNoOwnBackend(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	for i := range 5 {
		c := client(t, p.addr, "application_name", fmt.Sprint("pooled ", i))
		if _, err := c.Query("select pg_advisory_unlock_all(); close all; unlisten *; reset all"); err != nil {
			t.Fatal(err)
		}
		if got := value(t, c, "show application_name"); got != fmt.Sprint("pooled ", i) {
			t.Errorf("got %q", got)
		}
		if got, err := admin.Ask("select count(*) from pg_stat_activity where application_name like 'pooled%'"); err != nil || got != "1" {
			t.Errorf("%s backends, %v", got, err)
		}
		c.Close()
	}
}

// A client whose start-up parameters PostgreSQL takes at start-up only has a
// backend of its own, outside the pool, as long as it stays.
func TestStartOnlyParametersHaveTheirOwnBackend(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	stat := func() pool.Stat { return p.server.Pools().Stats()[0] }
	own, other := client(t, p.addr, "ignore_system_indexes", "on"), client(t, p.addr)
	for range 3 {
		if got := value(t, own, "show ignore_system_indexes"); got != "on" {
			t.Errorf("with the parameter: %q", got)
		}
		if got := value(t, other, "show ignore_system_indexes"); got != "off" {
			t.Errorf("without: %q", got)
		}
	}
	if s := stat(); s.Dedicated != 1 || s.Active != 0 {
		t.Errorf("%d backends are somebody's own, %d are in use", s.Dedicated, s.Active)
	}
	own.Close()
	eventually(t, "the backend is closed", func() bool { return stat().Dedicated == 0 })
	if got := value(t, other, "select 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
}

// Texts in an encoding whose characters have bytes of ASCII cannot be read, so
// whatever they do stays on the client's backend.
func TestUnreadableEncodingPins(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	for encoding, pinned := range map[string]int{"SJIS": 1, "big5": 1, "GBK": 1, "latin1": 0, "EUC_JP": 0} {
		t.Run(encoding, func(t *testing.T) {
			c := client(t, p.addr, "client_encoding", encoding)
			value(t, c, "select 1")
			if n := p.server.Pools().Stats()[0].Active; n != pinned {
				t.Errorf("%d backends are in use", n)
			}
			c.Close()
			poolStat(t, p)
		})
	}
}
