package catalog

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	s := load(t, `
		CREATE TABLE firms (id int PRIMARY KEY, code text UNIQUE DEFERRABLE, "Big" varchar(9) COLLATE "C");
		CREATE TABLE people (id bigserial PRIMARY KEY, firm int NOT NULL REFERENCES firms ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE,
			gone int, made timestamptz DEFAULT now(), full_name text GENERATED ALWAYS AS (upper(word)) STORED,
			nr int GENERATED ALWAYS AS IDENTITY, constant int DEFAULT 1, word text);
		ALTER TABLE people DROP COLUMN gone;
		ALTER TABLE people ADD CONSTRAINT late FOREIGN KEY (nr) REFERENCES firms NOT VALID;
		CREATE INDEX people_made ON people (made DESC, lower(full_name) text_pattern_ops, nr DESC NULLS LAST) INCLUDE (firm) WHERE nr > 0;
		CREATE UNIQUE INDEX people_nr ON people (nr);
		CREATE UNLOGGED TABLE quick ();
		CREATE TEMP TABLE mine ();
		CREATE VIEW seen WITH (security_barrier) AS SELECT p.id FROM people p JOIN firms f ON f.id = p.firm`)
	people, firms := rel(t, s, "people"), rel(t, s, "firms")
	var columns []string
	for _, c := range people.Columns {
		columns = append(columns, fmt.Sprintf("%d %s %d %v %v %q %q %d", c.Number, c.Name, c.Type, c.NotNull, c.HasDefault,
			c.Generated, c.Identity, len(c.DefaultCalls)))
	}
	want := `1 id 20 true true '\x00' '\x00' 1; 2 firm 23 true false '\x00' '\x00' 0; 4 made 1184 false true '\x00' '\x00' 1; ` +
		`5 full_name 25 false true 's' '\x00' 1; 6 nr 23 true false '\x00' 'a' 0; 7 constant 23 false true '\x00' '\x00' 0; 8 word 25 false false '\x00' '\x00' 0`
	if got := strings.Join(columns, "; "); got != want {
		t.Errorf("columns are\n%s, not\n%s", got, want)
	}
	var indexes []string
	for _, i := range people.Indexes {
		indexes = append(indexes, fmt.Sprintf("%s %s %v+%v %v %v %+v", i.Name, i.Method, i.Columns, i.Included, i.Options, i.Classes, i.IndexFlags))
	}
	want = "people_pkey btree [1]+[] [0] [int8_ops] {Unique:true Primary:true Immediate:true Valid:true Partial:false Expressions:false NullsNotDistinct:false}\n" +
		"people_nr btree [6]+[] [0] [int4_ops] {Unique:true Primary:false Immediate:true Valid:true Partial:false Expressions:false NullsNotDistinct:false}\n" +
		"people_made btree [4 0 6]+[2] [3 0 1] [timestamptz_ops text_pattern_ops int4_ops] {Unique:false Primary:false Immediate:true Valid:true Partial:true Expressions:true NullsNotDistinct:false}"
	if got := strings.Join(indexes, "\n"); got != want {
		t.Errorf("indexes are\n%s, not\n%s", got, want)
	}
	if len(people.Keys) != 2 || !people.Keys[0].Proves() || people.Keys[1].Name != "people_nr" {
		t.Errorf("keys are %v", people.Keys)
	}
	for _, i := range firms.Keys {
		if i.Proves() != (i.Name == "firms_pkey") {
			t.Errorf("%s proves: %v", i.Name, i.Proves())
		}
	}
	if c := firms.Column("Big"); c == nil || c.TypeMod != 13 || c.Collation != 950 {
		t.Errorf("column Big is %+v", c)
	}
	for _, k := range people.ForeignKeys {
		if k.From != people.OID || k.To != firms.OID || k.Holds == (k.Name == "late") {
			t.Errorf("foreign key %+v", k)
		}
	}
	k := people.ForeignKeys[0]
	if len(people.ForeignKeys) != 2 || firms.ForeignKeys[0] != k || k.OnDelete != Cascade || k.OnUpdate != SetNull || !k.Deferrable ||
		list(s, []uint32{k.From, k.To}) != "firms people" || fmt.Sprint(k.FromColumns, k.ToColumns) != "[2] [1]" {
		t.Errorf("foreign keys are %+v", people.ForeignKeys)
	}
	if v := rel(t, s, "seen"); !v.Barrier || v.Invoker || list(s, v.Bases) != "firms people" {
		t.Errorf("the view is %+v", v)
	}
	if rel(t, s, "quick").Persistence != 'u' || s.Resolve([]string{"pg_temp_3", "public"}, name("mine")) != nil {
		t.Error("persistence is wrong")
	}
	if s.Version/10000 < 12 || s.OID == 0 || s.Database == "" {
		t.Errorf("version %d, database %s %d", s.Version, s.Database, s.OID)
	}
}

// TestLoadNeedsNoRights loads as a role that has none, and finds its connection
// usable after an error.
func TestLoadNeedsNoRights(t *testing.T) {
	d := newDatabase(t, "CREATE ROLE nobody LOGIN; ALTER ROLE nobody SET search_path = ''; CREATE TABLE t (x int)")
	conn := d.connect("nobody")
	t.Cleanup(func() { d.run("DROP ROLE nobody") })
	s, err := Load(t.Context(), conn)
	if err != nil || s.Resolve(public, name("t")) == nil {
		t.Fatalf("%v, %v", s, err)
	}
	if err := prepareFingerprint(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	f, err := readFingerprint(t.Context(), conn, Fingerprint{})
	if c := f.since(s.Fingerprint); err != nil || c.Schema || c.Roles || f.classes != s.Fingerprint.classes {
		t.Errorf("the fingerprint is %v, not that of the snapshot, %v; %v", f, s.Fingerprint, err)
	}
	d.run("REVOKE SELECT ON pg_policy FROM PUBLIC")
	if _, err := Load(t.Context(), conn); err == nil || conn.TxStatus() != 'I' {
		t.Errorf("without a right: %v, transaction status %c", err, conn.TxStatus())
	}
}

// TestLoadManyTables bounds time and memory with 10,000 tables.
func TestLoadManyTables(t *testing.T) {
	if os.Getenv("PGJAY_SOAK") == "" {
		t.Skip("takes half a minute: PGJAY_SOAK=1")
	}
	d := newDatabase(t, "")
	for i := range 20 {
		d.run(fmt.Sprintf(`DO $$ BEGIN FOR i IN %d..%d LOOP EXECUTE format('CREATE TABLE t%%s (id serial PRIMARY KEY,
			owner int REFERENCES t%%s, name text NOT NULL, email varchar(200) UNIQUE, made timestamptz DEFAULT now(),
			state text DEFAULT ''new'' CHECK (state <> ''''), amount numeric(10,2), tags text[], data jsonb, changed timestamptz)',
			i, greatest(i-1, %d)); END LOOP; END $$`, i*500, i*500+499, i*500))
	}
	d.run("VACUUM ANALYZE")
	d.load()
	before := heap()
	start := time.Now()
	s := d.load()
	took, size := time.Since(start), heap()-before
	t.Logf("%d relations in %v, %d MB", len(s.relations), took, size>>20)
	if took > 2*time.Second || size > 100<<20 {
		t.Errorf("10,000 tables took %v and %d bytes", took, size)
	}
	runtime.KeepAlive(s)
	if err := prepareFingerprint(t.Context(), d.conn); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if _, err := readFingerprint(t.Context(), d.conn, Fingerprint{classes: s.Fingerprint.classes}); err != nil {
		t.Fatal(err)
	}
	t.Logf("looking for changes took %v", time.Since(start))
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestForeignKeyHolds has keys that say nothing about all rows.
func TestForeignKeyHolds(t *testing.T) {
	d := newDatabase(t, `
		CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE good (t int REFERENCES t); CREATE TABLE late (t int);
		ALTER TABLE late ADD FOREIGN KEY (t) REFERENCES t NOT VALID;
		CREATE TABLE off (t int REFERENCES t); ALTER TABLE off DISABLE TRIGGER ALL`)
	want := map[string]bool{"good": true, "late": false, "off": false}
	s := d.load()
	if s.Version >= 180000 {
		d.run(`CREATE TABLE unenforced (t int REFERENCES t NOT ENFORCED); CREATE TABLE maybe (t int);
			ALTER TABLE maybe ADD CONSTRAINT n NOT NULL t NOT VALID`)
		want["unenforced"] = false
		if s = d.load(); rel(t, s, "maybe").Columns[0].NotNull {
			t.Error("a NOT NULL that is not valid is a fact")
		}
	}
	for table, holds := range want {
		if keys := rel(t, s, table).ForeignKeys; len(keys) != 1 || keys[0].Holds != holds {
			t.Errorf("foreign keys of %s: %+v", table, keys[0])
		}
	}
}

// TestNullsNotDistinct is for PostgreSQL 15 and later.
func TestNullsNotDistinct(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int UNIQUE)")
	s := d.load()
	if rel(t, s, "t").Keys[0].NullsNotDistinct {
		t.Error("NULLs are not distinct")
	}
	if s.Version >= 150000 {
		d.run("CREATE TABLE u (x int UNIQUE NULLS NOT DISTINCT)")
		if s := d.load(); !rel(t, s, "u").Keys[0].NullsNotDistinct {
			t.Error("NULLs are distinct")
		}
	}
}
