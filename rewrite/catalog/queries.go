package catalog

// query is one of the statements that Load sends, and what is done with a row
// of its result.
type query struct {
	sql string
	row func(row)
}

// userRelations is a condition on pg_class: relations that somebody has made,
// that have columns, and that other sessions see.
const userRelations = `c.relkind IN ('r','p','v','m','f','c') AND c.relpersistence <> 't' AND c.oid >= 16384`

func (l *loader) queries() []query {
	return []query{
		{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", nil},
		{"SET LOCAL search_path = pg_catalog", nil},
		{"SET LOCAL client_encoding = 'UTF8'", nil},
		{"SET LOCAL statement_timeout = 0", nil}, // the context bounds it
		{"SET LOCAL jit = off", nil},
		{`SELECT current_database(), (SELECT oid FROM pg_database WHERE datname = current_database())`, l.database},
		{fingerprintSQL("''"), l.fingerprint},
		{`SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp|toast_temp)'`, l.namespace},
		{l.functionsSQL(), l.function},
		{`SELECT d.objid, e.extname FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass
			AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass`, l.member},
		{`SELECT aggfnoid::oid, concat_ws(' ', aggtransfn::oid, aggfinalfn::oid, aggcombinefn::oid, aggserialfn::oid,
			aggdeserialfn::oid, aggmtransfn::oid, aggminvtransfn::oid, aggmfinalfn::oid)
			FROM pg_aggregate WHERE aggfnoid >= 16384`, l.aggregate},
		{l.bodiesSQL(), l.body},
		{`SELECT oid, oprnamespace, oprname, oprcode::oid FROM pg_operator`, l.operator},
		// Row types of tables and their arrays are left out: there are as many as tables.
		{`SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typbasetype, t.typelem, t.typrelid,
			t.typinput::oid, t.typoutput::oid
			FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
			LEFT JOIN pg_class c ON c.oid = CASE WHEN t.typrelid <> 0 THEN t.typrelid ELSE e.typrelid END
			WHERE c.oid IS NULL OR c.relkind = 'c'`, l.typ},
		{`SELECT rngtypid, rngsubtype, rngcanonical::oid FROM pg_range`, l.rangeType},
		{`SELECT castsource, casttarget, castfunc FROM pg_cast WHERE castfunc <> 0`, l.cast},
		{`SELECT o.oid, o.opcname, o.opcintype, n.nspname, EXISTS (SELECT FROM pg_depend d
			WHERE d.classid = 'pg_opclass'::regclass AND d.objid = o.oid AND d.deptype = 'e')
			FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace`, l.class},
		{relationsSQL, l.relation},
		{l.columnsSQL(), l.column},
		{`SELECT srrelid FROM pg_subscription_rel`, l.subscribed},
		{`SELECT c.oid, a.attnum FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
			JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = n.oid
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
			WHERE s.n_distinct > 0 AND s.n_distinct * 100 <= c.reltuples AND NOT s.inherited AND c.oid >= 16384`, l.fewValues},
		{`SELECT inhrelid, inhparent FROM pg_inherits ORDER BY 1, inhseqno`, l.inheritance},
		{`SELECT partrelid, partattrs FROM pg_partitioned_table`, l.partitionKey},
		{l.indexesSQL(), l.index},
		{l.foreignKeysSQL(), l.foreignKey},
		{`SELECT tgrelid, tgname, tgfoid, tgtype, tgenabled, tgdeferrable FROM pg_trigger
			WHERE NOT tgisinternal ORDER BY tgrelid, tgname`, l.trigger},
		{`SELECT r.ev_class, r.rulename, r.ev_type, r.is_instead, r.ev_enabled,
			r.ev_action::text, r.ev_qual::text
			FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE ` + userRelations, l.rule},
		{expressionsSQL, l.expression},
		{"COMMIT", nil},
	}
}

// since puts sql into a query if the server has this major version, else other.
func (l *loader) since(major int, sql, other string) string {
	if l.s.Version >= major*10000 {
		return sql
	}
	return other
}

func (l *loader) functionsSQL() string {
	// record, "any" and the polymorphic types take a row.
	const takesRow = `2249,2276,2283,2776,5077,5079`
	return `SELECT p.oid, p.pronamespace, p.proname, p.provolatile, l.lanname, p.proargtypes,
		p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1 AND (p.proargtypes[0] IN (` + takesRow + `)
			OR EXISTS (SELECT FROM pg_type t WHERE t.oid = p.proargtypes[0] AND t.typtype = 'c')),
		l.lanname = 'internal' AND p.prosrc ~ '^(multi)?range_constructor', p.proretset, p.prokind = 'a'
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang`
}

// bodiesSQL asks for what functions that claim to write nothing say. Those that
// have a parsed body are not read.
func (l *loader) bodiesSQL() string {
	return `SELECT p.oid, ` + l.since(14, `CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE 'execute' END`, `p.prosrc`) + `
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.oid >= 16384 AND p.provolatile <> 'v' AND l.lanname NOT IN ('c', 'internal')`
}

func (l *loader) columnsSQL() string {
	notNull := l.since(18, `a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = a.attrelid
		AND n.contype = 'n' AND NOT n.convalidated AND n.conkey[1] = a.attnum)`, `a.attnotnull`)
	return `SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, ` + notNull + `,
		a.atthasdef, a.attgenerated, a.attidentity
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.attnum > 0 AND NOT a.attisdropped AND ` + userRelations + ` ORDER BY 1, 2`
}

func (l *loader) indexesSQL() string {
	return `SELECT i.indrelid, i.indexrelid, x.relname, m.amname, i.indkey, i.indnkeyatts, i.indoption, i.indclass,
		i.indcollation, i.indisunique, i.indisprimary, i.indimmediate, i.indisvalid AND i.indisready,
		i.indpred IS NOT NULL, i.indexprs IS NOT NULL, ` + l.since(15, `i.indnullsnotdistinct`, `false`) + `
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
		JOIN pg_class c ON c.oid = i.indrelid WHERE ` + userRelations + ` ORDER BY i.indrelid, i.indexrelid`
}

func (l *loader) foreignKeysSQL() string {
	return `SELECT k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey, k.confupdtype, k.confdeltype, k.condeferrable,
		k.convalidated AND ` + l.since(18, `k.conenforced`, `true`) + ` AND NOT EXISTS (SELECT FROM pg_trigger t
		WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
		AND NOT (k.conparentid <> 0 AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = k.confrelid))
		FROM pg_constraint k WHERE k.contype = 'f' ORDER BY k.oid`
}

// expressionsSQL asks for kind, owner, column and text of what is computed when
// rows are written; defaults that are constants call nothing.
const expressionsSQL = `
	SELECT 'd', adrelid, adnum, adbin::text FROM pg_attrdef WHERE adbin::text NOT LIKE '{CONST %'
	UNION ALL SELECT CASE WHEN contypid = 0 THEN 'k' ELSE 't' END, CASE WHEN contypid = 0 THEN conrelid ELSE contypid END,
		0, conbin::text FROM pg_constraint WHERE contype = 'c' AND oid >= 16384
	UNION ALL SELECT 't', oid, 0, typdefaultbin::text FROM pg_type WHERE typdefaultbin IS NOT NULL AND typtype = 'd'
	UNION ALL SELECT 'k', indrelid, 0, concat(indexprs::text, indpred::text) FROM pg_index
		WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL) AND indexrelid >= 16384
	UNION ALL SELECT 'k', partrelid, 0, partexprs::text FROM pg_partitioned_table WHERE partexprs IS NOT NULL
	UNION ALL SELECT 'p', polrelid, 0, concat(polqual::text, polwithcheck::text) FROM pg_policy`
