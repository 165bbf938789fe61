package proxy_test

import (
	"fmt"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// habitsDatabase makes a database with some functions, and a proxy of one backend
// before it.
func habitsDatabase(t *testing.T, name, functions string) (*running, *pgtest.Conn) {
	t.Helper()
	direct := plain(t)
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name} {
		if err := observer(t, direct).Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := pgtest.NewAdmin(direct, "postgres", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	if err := admin.Exec(functions); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, direct, onlyOne)
	return p, client(t, p.addr, "database", name)
}

// givenBack waits until the backend is nobody's: what it was asked is answered.
func givenBack(t *testing.T, p *running) {
	t.Helper()
	eventually(t, "the backend is given back", func() bool { return p.server.Pools().Stats()[0].Active == 0 })
}

// pins says how often a session was pinned for what it ran.
func pins(t *testing.T, p *running, reason string) int {
	t.Helper()
	return int(p.scrape(t)[`pins_total{reason="`+reason+`"}`])
}

// Texts that differ in what cannot be code share a habit: few are asked about.
func TestTextsOfOnePatternAreTrusted(t *testing.T) {
	p, c := habitsDatabase(t, "habits_shared", `
		create function harmless(n int, word text) returns int language sql as 'select n + length(word)';
		create procedure nothing(n int) language plpgsql as 'begin perform n; end'`)
	for i := range 100 {
		value(t, c, fmt.Sprintf("select harmless(%d, 'word-%d') /* %d */", i, i, i))
		run(t, c, []leakStep{{pgtest.Query(fmt.Sprintf("call nothing(%d)", i))}})
	}
	for reason, most := range map[string]int{"function": 25, "call": 25} {
		if n := pins(t, p, reason); n == 0 || n > most {
			t.Errorf("pinned %d times for a %s in 100 runs", n, reason)
		}
	}
	givenBack(t, p)
}

// Texts with code in them share no habit with others.
func TestTextsWithCodeAreAskedAbout(t *testing.T) {
	p, c := habitsDatabase(t, "habits_code", "create function harmless(word text) returns int language sql as 'select length(word)'")
	for i := range 20 {
		value(t, c, fmt.Sprintf("select harmless('some words %d')", i))
		givenBack(t, p)
		run(t, c, []leakStep{{pgtest.Query(fmt.Sprintf("do $$ begin perform %d; end $$", i))}})
		givenBack(t, p)
	}
	for _, reason := range []string{"function", "do"} {
		if n := pins(t, p, reason); n != 20 {
			t.Errorf("pinned %d times for a %s in 20 runs of other texts", n, reason)
		}
	}
}

// What a function leaves may depend on a number or a word that it is given. What
// texts with others have left says nothing then.
func TestArgumentsThatDecideWhatIsLeft(t *testing.T) {
	const when = "create function maybe(n int, word text) returns void language plpgsql as $f$ begin if n = 7 then "
	for name, c := range map[string]struct{ function, pinned string }{
		"lock":      {when + "perform pg_advisory_lock(n); end if; end $f$", "advisory_lock"},
		"try_lock":  {when + "perform pg_try_advisory_lock_shared(n); end if; end $f$", "advisory_lock"},
		"listen":    {when + "listen left_behind; end if; end $f$", "listen"},
		"execute":   {when + "execute word || ' left_behind'; end if; end $f$", "listen"},
		"temporary": {when + "create temporary table if not exists left_behind (id int); end if; end $f$", "temporary"},
		"pg_temp":   {when + "create table pg_temp.left_behind (id int); end if; end $f$", "temporary"},
		"xml":       {when + "perform query_to_xml(word || '(7)', true, true, ''); end if; end $f$", "advisory_lock"},
		"view":      {when + "perform table_to_xml(word, true, true, ''); end if; end $f$; create view locks as select pg_try_advisory_lock(7)", "advisory_lock"},
		"internal": {"create function lock(bigint) returns bool language internal as 'pg_try_advisory_lock_int8'; " +
			"create function maybe(n bigint, word text) returns bool language sql as 'select n = 7 and lock(n)'", "advisory_lock"},
		"of PostgreSQL": {"do $f$ begin for n in 8..20 loop execute 'create view view' || n || ' as select 1'; end loop; end $f$; " +
			"create view view7 as select pg_try_advisory_lock(7)", "advisory_lock"},
	} {
		t.Run(name, func(t *testing.T) {
			p, a := habitsDatabase(t, "habits_decide", c.function)
			word := map[string]string{"execute": "listen", "xml": "select pg_advisory_lock", "view": "locks"}[name]
			for n := 20; n >= 7; n-- {
				text := fmt.Sprintf("select maybe(%d, '%s')", n, word)
				if name == "of PostgreSQL" {
					text = fmt.Sprintf("select table_to_xml('view%d', true, true, '')", n)
				}
				run(t, a, []leakStep{{pgtest.Query(text)}})
				if n > 7 {
					givenBack(t, p)
				}
			}
			expectMetric(t, p, fmt.Sprintf(`pinned_sessions{reason=%q}`, c.pinned), 1)
		})
	}
}
