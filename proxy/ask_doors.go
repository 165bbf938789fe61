package proxy

import "strings"

// What functions do by their sources, as far as it matters here: change settings;
// leave something else or define something, or run what they make up; change a setting
// whose name they make up; the same, but they are given the name; make up anything;
// seed random(); load a library. They are patterns of PostgreSQL's, in a string.
const (
	sourceSets   = `set_config|(^|;|begin|then|else|loop|''|[$])[[:space:]]*(set|reset|discard)[[:space:]]`
	sourceLeaves = `[[:<:]](execute|listen|prepare|temp|temporary|hold|create|alter|drop|import)[[:>:]]|` +
		`advisory_lock|pg_temp|pg_settings|_to_xml|ts_stat|ts_rewrite`
	sourceComposes = `set_config[[:space:]]*[(][[:space:]]*([^''[:space:]]|''[^'']*''[[:space:]]*[^,[:space:]])|` +
		`(''|[$])[[:space:]]*set[[:space:]]+((session|local)[[:space:]]+)?(''|%|[|])`
	sourceNames   = `set_config[[:space:]]*[(][[:space:]]*[a-z_$][a-z0-9_$.]*[[:space:]]*,`
	sourceMakesUp = `[|][|]|format[[:space:]]*[(]|concat|execute`
	sourceSeeds   = `setseed|set_config[[:space:]]*[(][[:space:]]*''seed''|` +
		`(^|;|begin|then|else|loop|''|[$])[[:space:]]*set[[:space:]]+((session|local)[[:space:]]+)?seed[[:>:]]`
	sourceLoads = `[[:<:]]load[[:space:]]+''`
)

// keepers are functions of PostgreSQL's own extensions that leave something in their
// library, where nobody can ask for it: connections; how numbers of isn are read.
const keepers = `(dblink_connect|dblink_connect_u|isn_weak)`

// The same of the trees of expressions, which name functions by OID: those of setseed,
// set_config, the advisory locks of sessions, and what runs texts or tables that it is
// given (pg_proc.dat). The names of applications' settings have a dot, byte 46.
const (
	treeCalls    = `:(op)?funcid (1599|2078|288[0-9]|289[0-2]|292[3-9]|293[03-8]|3684|3685|3689|3690) `
	treeSeeds    = `:(op)?funcid 1599 `
	treeComposes = `:funcid 2078 [^{(]*[(](?![{]CONST [^[}]*[[]( (?!46 )-?[0-9]+)* []])`
	trees        = `
	SELECT r.tableoid AS class, r.oid, r.ev_action::pg_catalog.text || r.ev_qual::pg_catalog.text AS tree FROM pg_catalog.pg_rewrite r WHERE r.oid >= 16384
	UNION ALL SELECT a.tableoid, a.oid, a.adbin::pg_catalog.text FROM pg_catalog.pg_attrdef a
	UNION ALL SELECT c.tableoid, c.oid, c.conbin::pg_catalog.text FROM pg_catalog.pg_constraint c WHERE c.conbin IS NOT NULL AND c.oid >= 16384
	UNION ALL SELECT p.tableoid, p.oid, pg_catalog.concat(p.polqual, p.polwithcheck) FROM pg_catalog.pg_policy p
	UNION ALL SELECT t.tableoid, t.oid, t.tgqual::pg_catalog.text FROM pg_catalog.pg_trigger t WHERE t.tgqual IS NOT NULL
	UNION ALL SELECT 1259, i.indexrelid, pg_catalog.concat(i.indexprs, i.indpred) FROM pg_catalog.pg_index i WHERE i.indexrelid >= 16384
		AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)`
)

// askSuspects finds out whether the database may have doors, besides by those functions
// that askSetters and askLeavers find.
var askSuspects = qualified(` UNION ALL SELECT 'suspects', NULL, NULL WHERE EXISTS (SELECT FROM (` + trees + `) t WHERE t.tree ~ '` + treeCalls + `')
OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND (p.prosrc ~* '` + sourceSeeds + `' OR p.prosrc ~* '` + sourceLoads + `'
	OR p.proname::pg_catalog.text ~ '^` + keepers + `$'))`)

// askDoors finds the doors (doors.go), as rows of kind door, a name in hexadecimal
// digits, and what to fear: code, or what a backend cannot be asked for (setting, seed,
// load), or only if the setting's name is in the text (name).
//
//   - deed: functions of the database, by their source, keepers, and other objects with a call
//     of one of PostgreSQL's own functions, by their tree, in which the function has its
//     OID. pg_depend does not list what depends on these.
//   - caller: the deeds and the functions whose source has their names.
//   - node: what runs them, by pg_depend, and from each object to the relation or type
//     that it belongs to; from a relation to the views over it, and to those that it is
//     a partition of or that its foreign keys act for.
//
// In the function's source a SET whose name is made up, and a LOAD, are looked for in
// the texts that it may execute, too.
//
// Its costs are estimated so high that it would be compiled first, for seconds.
var askDoors = qualified(`SET LOCAL jit TO off; SELECT 'door', pg_catalog.encode(pg_catalog.convert_to(door.name, 'UTF8'), 'hex'), door.kind FROM (
WITH RECURSIVE code AS (
	SELECT p.oid, pg_catalog.lower(p.proname::pg_catalog.text) AS name, pg_catalog.lower(p.prosrc) AS source, l.lanname
	FROM pg_catalog.pg_proc p, pg_catalog.pg_language l
	WHERE l.oid = p.prolang AND p.oid >= 16384 AND l.lanname::pg_catalog.text <> ALL (ARRAY['internal', 'c'])
), tree AS (` + trees + `
), deed AS (
	SELECT c.oid, c.name, 'code' AS kind FROM code c WHERE c.lanname::pg_catalog.text <> ALL (ARRAY['sql', 'plpgsql']) OR c.source = ''
		OR c.source ~* '` + sourceSets + `' OR c.source ~* '` + sourceLeaves + `'
	UNION ALL SELECT c.oid, c.name, CASE WHEN c.source ~* '` + sourceNames + `' AND c.source !~* '` + sourceMakesUp + `' THEN 'name' ELSE 'setting' END
		FROM code c WHERE c.source ~* '` + sourceComposes + `'
	UNION ALL SELECT c.oid, c.name, 'seed' FROM code c WHERE c.source ~* '` + sourceSeeds + `'
	UNION ALL SELECT c.oid, c.name, 'load' FROM code c WHERE c.source ~* '` + sourceLoads + `'
	UNION ALL SELECT p.oid, p.proname::pg_catalog.text, 'load' FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND p.proname::pg_catalog.text ~ '^` + keepers + `$'
), caller AS (
	SELECT d.oid, d.name, d.kind FROM deed d
	UNION SELECT c.oid, c.name, CASE WHEN f.kind = 'name' THEN 'setting' ELSE f.kind END FROM caller f, code c WHERE c.oid <> f.oid AND pg_catalog.strpos(c.source, f.name) > 0
		AND (f.name !~ '^[a-z0-9_]+$' OR c.source ~ ('[[:<:]]' || f.name || '[[:>:]]'))
), node AS (
	SELECT 1255::pg_catalog.oid AS class, c.oid, c.kind FROM caller c
	UNION SELECT t.class::pg_catalog.oid, t.oid, CASE WHEN t.tree ~ '` + treeSeeds + `' THEN 'seed'
		WHEN t.tree ~ '` + treeComposes + `' THEN 'setting' ELSE 'code' END FROM tree t WHERE t.tree ~ '` + treeCalls + `'
	UNION SELECT next.class, next.oid, CASE WHEN n.kind = 'name' THEN 'setting' ELSE n.kind END FROM node n, LATERAL (
		SELECT d.classid AS class, d.objid AS oid FROM pg_catalog.pg_depend d
			WHERE d.refclassid = n.class AND d.refobjid = n.oid AND (n.class <> 1259 OR d.classid = 2618)
		UNION ALL SELECT 1259, r.ev_class FROM pg_catalog.pg_rewrite r WHERE n.class = 2618 AND r.oid = n.oid
		UNION ALL SELECT 1259, a.adrelid FROM pg_catalog.pg_attrdef a WHERE n.class = 2604 AND a.oid = n.oid
		UNION ALL SELECT 1259, c.conrelid FROM pg_catalog.pg_constraint c WHERE n.class = 2606 AND c.oid = n.oid AND c.conrelid <> 0
		UNION ALL SELECT 1247, c.contypid FROM pg_catalog.pg_constraint c WHERE n.class = 2606 AND c.oid = n.oid AND c.contypid <> 0
		UNION ALL SELECT 1259, t.tgrelid FROM pg_catalog.pg_trigger t WHERE n.class = 2620 AND t.oid = n.oid
		UNION ALL SELECT 1259, p.polrelid FROM pg_catalog.pg_policy p WHERE n.class = 3256 AND p.oid = n.oid
		UNION ALL SELECT 1259, i.indrelid FROM pg_catalog.pg_index i WHERE n.class = 1259 AND i.indexrelid = n.oid
		UNION ALL SELECT 1259, h.inhparent FROM pg_catalog.pg_inherits h WHERE n.class = 1259 AND h.inhrelid = n.oid
		UNION ALL SELECT 1259, c.confrelid FROM pg_catalog.pg_constraint c WHERE n.class = 1259 AND c.contype = 'f' AND c.conrelid = n.oid
			AND (c.confdeltype::pg_catalog.text = ANY (ARRAY['c', 'n', 'd']) OR c.confupdtype::pg_catalog.text = ANY (ARRAY['c', 'n', 'd']))
		UNION ALL SELECT 1247, types.oid FROM pg_catalog.pg_cast c, LATERAL (VALUES (c.castsource), (c.casttarget)) types (oid)
			WHERE n.class = 2605 AND c.oid = n.oid AND types.oid >= 16384
	) next
)
SELECT r.relname::pg_catalog.text AS name, n.kind FROM node n, pg_catalog.pg_class r WHERE n.class = 1259 AND r.oid = n.oid
UNION SELECT t.typname, n.kind FROM node n, pg_catalog.pg_type t WHERE n.class = 1247 AND t.oid = n.oid
UNION SELECT o.oprname, n.kind FROM node n, pg_catalog.pg_operator o WHERE n.class = 2617 AND o.oid = n.oid
UNION SELECT p.proname, n.kind FROM node n, pg_catalog.pg_proc p WHERE n.class = 1255 AND p.oid = n.oid
UNION SELECT words.name, n.kind FROM node n, pg_catalog.unnest(ARRAY['create', 'alter', 'drop', 'comment', 'grant', 'revoke', 'label', 'into', 'import', 'refresh', 'reindex'])
	words (name) WHERE n.class = 3466
) door`)

// qualified has operators mean PostgreSQL's own, whatever the search_path is.
func qualified(sql string) string {
	for _, operator := range [...]string{"=", "<>", ">=", ">", "~", "~*", "!~", "!~*", "||"} {
		sql = strings.ReplaceAll(sql, " "+operator+" ", " OPERATOR(pg_catalog."+operator+") ")
	}
	return strings.Join(strings.Fields(sql), " ")
}
