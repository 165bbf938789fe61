package rewrite

// ruleCases are the cases of each rule: each precondition of it fails in at least one.
var ruleCases = map[string][]ruleCase{
	"any_contains": {
		{in: "SELECT id FROM contacts WHERE 'x' = ANY(keywords)",
			out: "SELECT id FROM contacts WHERE (keywords OPERATOR(pg_catalog.@>) ARRAY['x']::pg_catalog.text[])"},
		{in: "SELECT id FROM contacts c WHERE /* a */ ('x'::text = ANY (c.keywords) OR 5 = ANY(bigs)) AND $1 = ANY(nums) -- b",
			out: "SELECT id FROM contacts c WHERE /* a */ ((c.keywords OPERATOR(pg_catalog.@>) ARRAY[('x'::text)]::pg_catalog.text[]) OR " +
				"(bigs OPERATOR(pg_catalog.@>) ARRAY[5]::pg_catalog.int8[])) AND (nums OPERATOR(pg_catalog.@>) ARRAY[$1]::pg_catalog.int4[]) -- b"},
		{in: "SELECT count(*) FILTER (WHERE 'a' = ANY(tags)) FROM contacts",
			out: "SELECT count(*) FILTER (WHERE (tags OPERATOR(pg_catalog.@>) ARRAY['a']::pg_catalog.varchar[])) FROM contacts"},
		{in: "SELECT 1 FROM companies o WHERE EXISTS (SELECT FROM contacts c WHERE c.company_id = o.id AND 'a' = ANY(c.keywords))",
			out: "SELECT 1 FROM companies o WHERE EXISTS (SELECT FROM contacts c WHERE c.company_id = o.id AND (c.keywords OPERATOR(pg_catalog.@>) ARRAY['a']::pg_catalog.text[]))"},
		{in: "SELECT id FROM parts WHERE 'x' = ANY(keywords)", out: "SELECT id FROM parts WHERE (keywords OPERATOR(pg_catalog.@>) ARRAY['x']::pg_catalog.text[])"},
		{in: "SELECT id FROM contacts WHERE NOT 'x' = ANY(keywords)", why: "NULL and false"},
		{in: "SELECT 'x' = ANY(keywords) FROM contacts", why: "NULL and false"},
		{in: "SELECT id FROM contacts WHERE ('x' = ANY(keywords)) IS NULL", why: "NULL and false"},
		{in: "SELECT id FROM contacts WHERE CASE WHEN 'x' = ANY(keywords) THEN false ELSE true END", why: "NULL and false"},
		{in: "SELECT id FROM contacts WHERE 'x' < ANY(keywords)", why: "its operator"},
		{in: oddPath + "SELECT id FROM contacts WHERE 'x' = ANY(keywords)", why: "its operator"},
		{in: "SELECT 1 FROM (SELECT keywords FROM contacts) s WHERE 'x' = ANY(s.keywords)", why: "the array is not a column"},
		{in: "SELECT id FROM contacts c(id, a) WHERE 'x' = ANY(c.keywords)", why: "the array is not a column"},
		{in: "WITH contacts AS (SELECT keywords FROM public.contacts) SELECT 1 FROM contacts WHERE 'x' = ANY(keywords)", why: "the array is not a column"},
		{in: "SELECT id FROM contacts WHERE '1' = ANY(prices)", why: "the array is not a column"},
		{in: "SELECT id FROM contacts WHERE last_name = ANY(keywords)", why: "what is looked for"},
		{in: "SELECT id FROM contacts WHERE 1.5 = ANY(nums)", why: "what is looked for"},
		{in: "SELECT id FROM contacts WHERE $1 = ANY(tags)", why: "what is looked for"},
		{in: "SELECT id FROM contacts WHERE 'x'::varchar(1) = ANY(tags)", why: "what is looked for"},
		{in: "SELECT id FROM contacts WHERE 'x' = ANY(plain)", why: "the array has no GIN index"},
	},
}
