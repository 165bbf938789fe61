package rewrite

// ruleTemplates are statements around each rule, see expand. Those whose order is total
// begin with "ordered: ".
var ruleTemplates = map[string][]string{
	"any_contains": {
		"SELECT {id|c.id, keywords|count(*)} FROM contacts c WHERE {|NOT }{'x'|'y'|NULL|'q'::text} = ANY({keywords|c.keywords|tags}) {AND|OR} {|NOT }{1|'2'|7} = ANY({nums|bigs})",
		"SELECT count(*) FILTER (WHERE {|NOT }'x' = ANY(keywords)), {'x' = ANY(max(keywords))|max(id)} FROM contacts",
		"SELECT o.id, c.id FROM companies o {LEFT |}JOIN contacts c ON c.company_id = o.id AND {'x'|'z'} = ANY(c.{keywords|tags}) {|WHERE c.id IS NULL}",
		"SELECT 1 FROM companies o WHERE {|NOT }EXISTS (SELECT FROM contacts c WHERE c.company_id = o.id AND 'x' = ANY(c.keywords))",
	},
}
