package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// What may have committed before its backend was ended is not executed again.
func TestCommittedWorkIsNotRepeated(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(`drop table if exists once; create table once (id int);
		create or replace procedure commit_once() language plpgsql as $$
			begin insert into once values (1); commit; perform pg_sleep(600) /* repeated */; end $$`); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, onlyOne)
	for name, send := range map[string]pgtest.Step{
		"call":     pgtest.Send(pgtest.Query("call commit_once() /* repeated */")),
		"do":       pgtest.Send(pgtest.Query("do $$ begin insert into once values (1); commit; perform pg_sleep(600); end $$ /* repeated */")),
		"extended": pgtest.Send(pgtest.Parse("", "call commit_once() /* repeated */"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync),
	} {
		t.Run(name, func(t *testing.T) {
			if err := admin.Exec("truncate once"); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- endSleeper(admin, "repeated") }()
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: name, Steps: []pgtest.Step{
				pgtest.Connect("a"),
				send.Expect("...", "E FATAL 57P01*", "EOF"),
			}})
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if n, err := admin.Ask("select count(*) from once"); err != nil || n != "1" {
				t.Errorf("%s rows, %v", n, err)
			}
		})
	}
}

// endSleeper terminates the backend that sleeps in the statement with the mark.
func endSleeper(admin *pgtest.Admin, mark string) error {
	which := "from pg_stat_activity where wait_event = 'PgSleep' and query like '%/* " + mark + " */%'"
	if err := admin.Await("select count(*) = 1 " + which); err != nil {
		return err
	}
	return admin.Exec("select pg_terminate_backend(pid) " + which)
}

// A seed, which DISCARD ALL leaves, is not found by the next client.
func TestWhatOutlastsDiscard(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	seeded := ""
	for _, last := range []string{"select 1", "discard all"} {
		a := client(t, p.addr)
		value(t, a, "select setseed(0.5)")
		value(t, a, "select random()")
		seeded = value(t, a, "select random()")
		if _, err := a.Query("select setseed(0.5); select random()"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Query(last); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if got := value(t, client(t, p.addr), "select random()"); got == seeded {
			t.Errorf("after %s the next client gets %s", last, got)
		}
	}
}
