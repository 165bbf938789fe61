package catalog

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Fingerprint stands for what the catalogs say.
//
// For each catalog it has the number of rows and the sum of their xmin: a row
// that is changed gets the xmin of a newer transaction, so that with an equal
// number of rows the sum has grown. VACUUM FREEZE leaves xmin as it is, and
// what VACUUM and ANALYZE note in pg_class is written without a new xmin.
//
// Of pg_class it has the rows as well: TRUNCATE and REFRESH change where the
// rows of a relation are (relfilenode), which is no change of the schema.
//
// It does not see: changes of PostgreSQL's own functions, operators and columns, ALTER
// EXTENSION ... ADD and DROP, comments, statistics, publications, passwords.
type Fingerprint struct {
	// moment is the MVCC snapshot that it was read with. In two equal ones all
	// is equal, so that nothing needs to be read.
	moment string
	// classes is of pg_class, schema of the other catalogs.
	classes, schema, roles string
	relations              *classRows
}

// classRows is what matters of pg_class.
type classRows struct {
	hash  uint64            // of all but where rows are
	files map[uint32]uint32 // where they are, by relation
}

// relationsSQL asks for the rows of pg_class, for a snapshot and for classRows.
const relationsSQL = `SELECT oid, relnamespace, relname, relkind, relpersistence, relowner, relrowsecurity,
	relforcerowsecurity, reltype, coalesce(array_to_string(reloptions, ' '), ''), relacl, relfilenode
	FROM pg_class WHERE relkind IN ('r','p','v','m','f','S','c') AND relpersistence <> 't'
	AND relnamespace <> 'pg_toast'::regnamespace ORDER BY oid`

var hashSeed = maphash.MakeSeed()

// add takes the next row.
func (c *classRows) add(r row) {
	var h maphash.Hash
	h.SetSeed(hashSeed)
	last := len(r) - 1
	for _, field := range r[:last] {
		maphash.WriteComparable(&h, len(field))
		_, _ = h.Write(field) // never fails
	}
	const prime = 1<<40 + 15
	c.hash = c.hash*prime + h.Sum64()
	c.files[r.oid(0)] = r.oid(last)
}

// since is what has changed from before to f.
func (f Fingerprint) since(before Fingerprint) Change {
	c := Change{Schema: f.schema != before.schema, Roles: f.roles != before.roles, Defaults: f.defaults() != before.defaults()}
	if f.relations != before.relations {
		c.Schema = c.Schema || f.relations.hash != before.relations.hash
		for oid, file := range f.relations.files {
			if old, known := before.relations.files[oid]; known && old != file {
				c.Rewritten = append(c.Rewritten, oid)
			}
		}
		slices.Sort(c.Rewritten)
	}
	return c
}

// counted are the catalogs, and the rows of them that count. Objects of
// PostgreSQL's own are left out where that makes them an index scan, temporary
// ones as nobody else sees them.
var counted = []struct{ catalog, where string }{
	{"pg_attribute", "attrelid >= 16384 AND attrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_attrdef", "adrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_constraint", "conrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_index", "indexrelid >= 16384 AND indrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_trigger", "tgrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_rewrite", "ev_class NOT IN (SELECT oid FROM temp)"},
	{"pg_inherits", "inhrelid NOT IN (SELECT oid FROM temp)"},
	{"pg_policy", ""}, {"pg_partitioned_table", ""}, {"pg_foreign_table", ""},
	{"pg_proc", "oid >= 16384 AND pronamespace NOT IN (SELECT oid FROM private)"},
	{"pg_type", "typnamespace NOT IN (SELECT oid FROM private)"},
	{"pg_namespace", "oid NOT IN (SELECT oid FROM private)"},
	{"pg_operator", "oid >= 16384"}, {"pg_opclass", "oid >= 16384"}, {"pg_amop", "oid >= 16384"},
	{"pg_amproc", "oid >= 16384"}, {"pg_collation", "oid >= 16384"}, {"pg_aggregate", "aggfnoid >= 16384"},
	{"pg_cast", ""}, {"pg_enum", ""}, {"pg_range", ""}, {"pg_extension", ""}, {"pg_language", ""},
	{"pg_ts_config", ""}, {"pg_ts_config_map", ""}, {"pg_ts_dict", ""},
}

// defaults is the part of roles that is about settings.
func (f Fingerprint) defaults() string {
	_, rest, _ := strings.Cut(f.roles, " ")
	settings, _, _ := strings.Cut(rest, " ")
	return settings
}

// countedRoles are those about rights. pg_authid cannot be read by everybody,
// so that of roles all that pg_roles shows is compared.
var countedRoles = []struct{ catalog, where string }{
	{"pg_auth_members", ""}, {"pg_db_role_setting", ""}, {"pg_database", "datname = current_database()"},
}

// fingerprintSQL asks for moment, classes, schema and roles; for the moment
// alone if that is the one that is known.
func fingerprintSQL(known string) string {
	return `WITH temp AS (SELECT oid FROM pg_class WHERE relpersistence = 't'),
		private AS (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'),
		now AS (SELECT txid_current_snapshot()::text AS moment)
		SELECT moment, CASE WHEN moment <> ` + known + ` THEN ` +
		sums([]struct{ catalog, where string }{{"pg_class", "relpersistence <> 't'"}}) + ` END,
		CASE WHEN moment <> ` + known + ` THEN ` + sums(counted) + ` END,
		CASE WHEN moment <> ` + known + ` THEN concat(` + sums(countedRoles) + `, ' ',
			(SELECT concat(count(*), ':', sum(hashtext(r::text))) FROM pg_roles r)) END FROM now`
}

// sums is an expression for the numbers and xmins of rows.
func sums(list []struct{ catalog, where string }) string {
	var b strings.Builder
	b.WriteString("concat_ws(' '")
	for _, c := range list {
		b.WriteString(", (SELECT concat(count(*), ':', sum(xmin::text::int8)) FROM " + c.catalog)
		if c.where != "" {
			b.WriteString(" WHERE " + c.where)
		}
		b.WriteString(")")
	}
	b.WriteString(")")
	return b.String()
}

func (l *loader) fingerprint(r row) {
	l.s.Fingerprint = Fingerprint{moment: string(r[0]), classes: string(r[1]), schema: string(r[2]), roles: string(r[3]),
		relations: &classRows{files: map[uint32]uint32{}}}
}

const fingerprintName = "pgjay_fingerprint" // of the prepared statement

// prepareFingerprint makes conn ready for readFingerprint. The search_path is
// that of Load, whatever the role's is.
func prepareFingerprint(ctx context.Context, conn *pgconn.PgConn) error {
	if _, err := conn.Exec(ctx, "SET search_path = pg_catalog").ReadAll(); err != nil {
		return err
	}
	_, err := conn.Prepare(ctx, fingerprintName, fingerprintSQL("$1::text"), nil)
	return err
}

// readFingerprint asks for the fingerprint of now. It is last if nobody has
// written anything since.
func readFingerprint(ctx context.Context, conn *pgconn.PgConn, last Fingerprint) (Fingerprint, error) {
	result := conn.ExecPrepared(ctx, fingerprintName, [][]byte{[]byte(last.moment)}, nil, nil).Read()
	if result.Err != nil {
		return last, result.Err
	}
	r := result.Rows[0]
	if r[1] == nil {
		return last, nil
	}
	now := Fingerprint{moment: string(r[0]), classes: string(r[1]), schema: string(r[2]), roles: string(r[3]), relations: last.relations}
	if now.classes == last.classes {
		return now, nil
	}
	now.relations = &classRows{files: map[uint32]uint32{}}
	rows := conn.ExecParams(ctx, relationsSQL, nil, nil, nil, nil)
	for rows.NextRow() {
		now.relations.add(row(rows.Values()))
	}
	_, err := rows.Close()
	return now, err
}
