package catalog

// Fingerprint stands for what the catalogs say. Two that are equal are of the
// same catalogs.
//
// For each catalog it has the number of rows and the sum of their xmin: a row
// that is changed gets the xmin of a newer transaction, so that with an equal
// number of rows the sum has grown. VACUUM FREEZE leaves xmin as it is, and
// what VACUUM and ANALYZE note in pg_class is written without a new xmin.
type Fingerprint struct {
	schema, roles string
}

// fingerprintSQL asks for the two parts. Temporary objects do not count: nobody
// else sees them. pg_authid cannot be read by everybody, so that of roles all
// that pg_roles shows is compared.
const fingerprintSQL = `SELECT concat_ws(' ',
	(SELECT concat(count(*), ':', sum(xmin::text::int8)) FROM pg_class WHERE relpersistence <> 't')),
	''`

func (l *loader) fingerprint(r row) {
	l.s.Fingerprint = Fingerprint{schema: string(r[0]), roles: string(r[1])}
}
