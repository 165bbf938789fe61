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
	"unused_left_join": {
		"SELECT DISTINCT {c.city|c.city, c.score|1|c.city || 'x', count(*)} FROM contacts c {|JOIN companies o ON o.id = c.company_id} LEFT JOIN {activities|notes} a ON a.contact_id = c.id{| AND a.id > 3} {|LEFT JOIN notes n ON n.contact_id = c.id} {|WHERE c.score > 1|WHERE c.flag} {|GROUP BY 1|LIMIT 3}",
		"SELECT o.id FROM companies o WHERE {|NOT }{EXISTS (SELECT 1|o.id IN (SELECT c.company_n} FROM contacts c LEFT JOIN activities a ON a.contact_id = c.id WHERE {c.company_id = o.id|c.score > 2|a.id IS NULL|true})",
		"SELECT o.id, {3 > ALL|4 = ANY} (SELECT c.score FROM contacts c {LEFT|FULL|} JOIN activities a ON a.contact_id = c.id) FROM companies o",
	},
	"in_distinct": {
		"SELECT {id|count(*)} FROM contacts WHERE {id|score|company_n} {IN|NOT IN|= ANY|< ALL} (SELECT {DISTINCT |}{contact_id|amount|company_n} FROM activities {|WHERE amount > 2} {|ORDER BY at|ORDER BY 1} {||LIMIT 2})",
		"SELECT id FROM contacts c WHERE {|NOT }EXISTS (SELECT DISTINCT {kind|count(*)|kind, amount} FROM activities a WHERE a.contact_id = c.id {|GROUP BY kind, amount} {|ORDER BY 1})",
		"SELECT (id, score) IN (SELECT DISTINCT contact_id, amount FROM activities) AS x FROM contacts",
	},
	"count_exists": {
		"SELECT {|id, }(SELECT count({*|1|c.score|c.city}) FROM contacts c {|WHERE c.company_id = o.id|WHERE c.score = 3 OR c.flag|WHERE false}) {> 0|>= 1|<> 0|!= 0|= 0|< 1|<= 0|> 1} {|AS x} FROM companies o",
		"SELECT id FROM companies o WHERE {|NOT }{0 <|1 <=|0 =|1 >} (SELECT count({*|a.amount}) FROM activities a {JOIN|LEFT JOIN} contacts c ON c.id = a.contact_id {|WHERE c.company_id = o.id} {|HAVING true|GROUP BY o.id})",
		"SELECT (SELECT count(*)) > 0, CASE WHEN (SELECT count(*) FROM notes) = 0 THEN 'none' ELSE 'some' END",
	},
	"inner_order": {
		"SELECT {count(*)|count(*), max(score)|kind, count(*)|sum(score), min(last_name)|avg(big)|bool_and(flag)|array_agg(id)} FROM (SELECT *, status AS kind FROM contacts {|WHERE score > 2} ORDER BY {city, id|last_name|3, 1} {|LIMIT 4}) s {|GROUP BY kind} {|HAVING count(*) > 1}",
		"SELECT count(*), max(m) FROM (SELECT DISTINCT {city|status|score} AS m FROM contacts ORDER BY 1) s",
		"SELECT id, (SELECT count(*) FROM (SELECT c.id FROM contacts c WHERE c.company_id = o.id ORDER BY c.last_name) s) FROM companies o",
	},
	"coalesce_equals": {
		"SELECT id FROM contacts WHERE {|NOT }coalesce({city, 'city1'|city, 'q'|first_name, 'a'|email, ''}) = {'city1'|'a'|''|'q'} {AND|OR} coalesce({score|small|big|score}, {0|3}) = {0|3|4}",
		"SELECT count(*) FILTER (WHERE coalesce(flag, {true|false}) = {true|false}) FROM contacts",
		"SELECT c.id, o.id FROM contacts c {LEFT|RIGHT|FULL|} JOIN companies o ON o.id = c.company_id AND {coalesce(o.city, 'city1') = 'city1'|3 = coalesce(c.score, 3)} {|WHERE coalesce(c.score, 3) = {2|3}}",
	},
	"strpos_like": {
		"SELECT id{|, strpos(last_name, 'b') > 0} FROM contacts WHERE {|NOT }strpos(last_name, {'b'|'b%'|'%'|'_'|'B'|'\\c'|'abc'|'Ab'}) {>|<>|>=} {0|1}",
		"SELECT id, position('{a|b|%}' IN email) > 0 FROM contacts {|WHERE position('_' IN last_name) >= 1}",
		"SELECT id, (strpos(email, 'a') > 0) IS NULL FROM contacts",
	},
	"or_in": {
		"SELECT id{|, score = 1 OR score = 2 OR score = 3 OR score = 4 OR score = 5 OR score = 6 OR score = 7 OR score = 8} FROM contacts WHERE {|NOT }({id|small|big|score} = {1|2} OR id = {2|3} OR id = 3 OR id = 4 OR id = 5 OR id = 6 OR id = 7 OR id = 8)",
		"SELECT id FROM contacts c WHERE {|NOT }({c.|}{email = 'a' OR email = 'b' OR email = 'ab' OR email = 'd' OR email = 'e' OR email = 'f' OR email = 'g' OR email = '{h|}'|city = 'a'}) {AND|OR} {score > 2|flag}",
		"SELECT (small = 1 OR small = 2 OR small = 3 OR small = 40000 OR small = 5 OR small = 6 OR small = 7 OR small = 8) IS {NULL|TRUE}, id FROM contacts",
		"SELECT id FROM contacts WHERE born = '2022-01-01' OR born = '2022-01-02' OR born = '2022-01-03' OR born = '2022-01-04' OR born = 'infinity' OR born = '2022-01-06' OR born = '2022-01-07' OR born = '{2023-01-01|2022-12-31}'",
	},
	"limit_inside": {
		"ordered: SELECT {*|c.*, o.name|c.id, o.id AS x, last_name|c.score + 1, o} FROM contacts {AS |}c LEFT JOIN companies o ON o.id = {c.company_n|c.score|company_id} {|AND o.name = 'a'} {|LEFT JOIN companies p ON p.code = c.email} " +
			"{|WHERE c.score > 2|WHERE c.flag OR c.score IS NULL|WHERE EXISTS (SELECT 1 FROM notes n WHERE n.contact_id = c.id)} " +
			"ORDER BY {c.id|c.made DESC, c.id|c.score NULLS FIRST, c.id DESC|c.city, c.uid} {LIMIT|OFFSET 2 LIMIT} {5|(1 + 2)|0|NULL} {|OFFSET 3}",
		"ordered: SELECT o.name, contacts.id FROM contacts LEFT JOIN companies o ON o.id = company_n ORDER BY contacts.id {DESC|ASC} FETCH FIRST {3|1} ROWS ONLY",
	},
}
