package catalog

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Fingerprint stands for what the catalogs say: of two that are Equal, the
// catalogs were the same.
//
// For each catalog it has the number of rows and the sum of their xmin: a row
// that is changed gets the xmin of a newer transaction, so that with an equal
// number of rows the sum has grown. VACUUM FREEZE leaves xmin as it is, and
// what VACUUM and ANALYZE note in pg_class is written without a new xmin.
//
// It does not see: changes of PostgreSQL's own functions, operators and columns, ALTER
// EXTENSION ... ADD and DROP, comments, statistics, publications, passwords.
type Fingerprint struct {
	// moment is the MVCC snapshot that it was read with. In two equal ones all
	// is equal, so that nothing needs to be read.
	moment        string
	schema, roles string
}

// Equal reports whether nothing has changed from one to the other.
func (f Fingerprint) Equal(other Fingerprint) bool {
	return f.schema == other.schema && f.roles == other.roles
}

// since is what has changed from before to f.
func (f Fingerprint) since(before Fingerprint) Change {
	return Change{Schema: f.schema != before.schema, Roles: f.roles != before.roles}
}

// counted are the catalogs, and the rows of them that count. Objects of
// PostgreSQL's own are left out where that makes them an index scan, temporary
// ones as nobody else sees them.
var counted = []struct{ catalog, where string }{
	{"pg_class", "relpersistence <> 't'"},
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

// countedRoles are those about rights. pg_authid cannot be read by everybody,
// so that of roles all that pg_roles shows is compared.
var countedRoles = []struct{ catalog, where string }{
	{"pg_auth_members", ""}, {"pg_db_role_setting", ""}, {"pg_database", "datname = current_database()"},
}

// fingerprintSQL asks for moment, schema and roles; for the moment alone if that
// is the one that is known.
func fingerprintSQL(known string) string {
	var b strings.Builder
	sums := func(list []struct{ catalog, where string }) {
		for _, c := range list {
			b.WriteString(", (SELECT concat(count(*), ':', sum(xmin::text::int8)) FROM " + c.catalog)
			if c.where != "" {
				b.WriteString(" WHERE " + c.where)
			}
			b.WriteString(")")
		}
	}
	b.WriteString(`WITH temp AS (SELECT oid FROM pg_class WHERE relpersistence = 't'),
		private AS (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')
		SELECT txid_current_snapshot()::text, CASE WHEN txid_current_snapshot()::text <> ` + known + ` THEN concat_ws(' '`)
	sums(counted)
	b.WriteString(`) END, CASE WHEN txid_current_snapshot()::text <> ` + known + ` THEN concat_ws(' ',
		(SELECT concat(count(*), ':', sum(hashtext(r::text))) FROM pg_roles r)`)
	sums(countedRoles)
	b.WriteString(") END")
	return b.String()
}

func (l *loader) fingerprint(r row) {
	l.s.Fingerprint = Fingerprint{moment: string(r[0]), schema: string(r[1]), roles: string(r[2])}
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
	return Fingerprint{moment: string(r[0]), schema: string(r[1]), roles: string(r[2])}, nil
}
