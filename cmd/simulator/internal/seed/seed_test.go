package seed

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database makes one for the test.
func database(t *testing.T) string {
	t.Helper()
	server := pgtest.Server(t)
	name := "seed_" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "_"))
	run := func(sql string) {
		err := With(t.Context(), server.URL("postgres", "postgres"), func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), sql)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run("drop database if exists " + name)
	run("create database " + name)
	return server.URL(name, "postgres")
}

func options(t *testing.T, seed uint64) Options {
	t.Helper()
	s, err := crm.FindScenario("small")
	if err != nil {
		t.Fatal(err)
	}
	s.Contacts, s.Interactions = 300, 500
	return Options{Data: crm.New(s, seed), Method: Copy, Batch: 70, Indexes: crm.FullIndexes, Workers: 3, Replace: true}
}

// TestSameHash wants the same data of the same seed, whichever way it is loaded
// and by however many connections, and other data of another.
func TestSameHash(t *testing.T) {
	url := database(t)
	load := func(o Options) string {
		t.Helper()
		if _, err := Seed(t.Context(), url, o); err != nil {
			t.Fatal(err)
		}
		hash, err := Hash(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	want := load(options(t, 1))
	for _, m := range []Method{Copy, MultiRow, Single} {
		o := options(t, 1)
		o.Method, o.Workers, o.Indexes = m, 1, crm.NoIndexes
		if hash := load(o); hash != want {
			t.Errorf("%s gives %s, not %s", m, hash, want)
		}
	}
	if hash := load(options(t, 2)); hash == want {
		t.Error("another seed gives the same data")
	}
}

// TestHashWherever wants the same hash whatever the session's settings are.
func TestHashWherever(t *testing.T) {
	url := database(t)
	o := options(t, 1)
	o.Indexes = crm.NoIndexes
	if _, err := Seed(t.Context(), url, o); err != nil {
		t.Fatal(err)
	}
	hashes := make(map[string]string)
	for _, settings := range []string{"timezone=UTC", "timezone=Asia/Tokyo", "datestyle=German"} {
		hash, err := Hash(t.Context(), url+"&"+settings)
		if err != nil {
			t.Fatal(err)
		}
		hashes[hash] = settings
	}
	if len(hashes) != 1 {
		t.Errorf("hashes depend on settings: %v", hashes)
	}
}

// TestCountsAndIndexes looks at what is there afterwards.
func TestCountsAndIndexes(t *testing.T) {
	url := database(t)
	o, loaded := options(t, 1), 0
	o.Workers = 1
	o.Loaded = func(rows int) { loaded += rows }
	result, err := Seed(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	if int64(loaded) != result.Rows {
		t.Errorf("%d rows were reported, and %d loaded", loaded, result.Rows)
	}
	if len(result.Notes) > 0 {
		t.Error(result.Notes)
	}
	err = With(t.Context(), url, func(conn *pgx.Conn) error {
		var contacts, gin, trigram int
		err := conn.QueryRow(t.Context(), "select (select count(*) from contacts), count(*) filter (where indexdef like '%gin%'), "+
			"count(*) filter (where indexdef like '%trgm%') from pg_indexes where schemaname = 'public'").Scan(&contacts, &gin, &trigram)
		if contacts != 300 || gin != 3 || trigram != 1 {
			t.Errorf("%d contacts, %d GIN indexes, of these %d of trigrams", contacts, gin, trigram)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestFind wants to know what a database has, and that nothing is destroyed that
// was not meant.
func TestFind(t *testing.T) {
	url := database(t)
	if _, err := Find(t.Context(), url); !errors.Is(err, ErrNotSeeded) {
		t.Errorf("an empty database: %v", err)
	}
	o := options(t, 9)
	if _, err := Seed(t.Context(), url, o); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), url)
	if err != nil || found.Seed != 9 || found.Name != "small" {
		t.Errorf("found %+v, %v", found, err)
	}
	o.Replace = false
	if _, err := Seed(t.Context(), url, o); !errors.Is(err, ErrSeeded) {
		t.Errorf("seeded again: %v", err)
	}
}

// TestUnfinished interrupts a seed: it is known for what it is, and can be replaced.
func TestUnfinished(t *testing.T) {
	url := database(t)
	o := options(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	o.Loaded = func(int) { cancel() }
	if _, err := Seed(ctx, url, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), url); !errors.Is(err, ErrUnfinished) {
		t.Errorf("interrupted: %v", err)
	}
	o.Loaded = nil
	if _, err := Seed(t.Context(), url, o); err != nil {
		t.Errorf("replaced: %v", err)
	}
}

// TestForeign wants nothing dropped that the simulator has not made: a table that has
// one of its names, and a view of one of its tables.
func TestForeign(t *testing.T) {
	url := database(t)
	execute := func(sql string) {
		t.Helper()
		err := With(t.Context(), url, func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), sql)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	execute("create table contacts as select 'mine' as name; comment on table contacts is 'mine'")
	for _, replace := range []bool{false, true} {
		o := options(t, 1)
		o.Replace = replace
		if _, err := Seed(t.Context(), url, o); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "contacts") {
			t.Errorf("over a table of another's, replace %v: %v", replace, err)
		}
	}
	execute("select name from contacts; drop table contacts")
	if _, err := Seed(t.Context(), url, options(t, 1)); err != nil {
		t.Fatal(err)
	}
	execute("create view mine as select id from contacts")
	if _, err := Seed(t.Context(), url, options(t, 1)); err == nil {
		t.Error("tables were replaced that somebody's view needs")
	}
	execute("select id from mine limit 1")
}
