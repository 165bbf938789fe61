package seed

import (
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
