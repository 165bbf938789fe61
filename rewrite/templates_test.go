package rewrite

// ruleTemplates are statements around each rule, see expand. Those whose order is total
// begin with "ordered: ".
var ruleTemplates = map[string][]string{
	"nulls_order": {
		"ordered: SELECT {c.id|*|made, c.id} FROM contacts c {|WHERE score > 2} ORDER BY c.{made|last_name|status} {DESC NULLS LAST|NULLS FIRST|ASC NULLS FIRST|DESC}, c.id {DESC NULLS LAST|NULLS FIRST|} {|LIMIT 5}",
		"ordered: SELECT c.id, o.id FROM contacts c {LEFT |RIGHT |FULL |}JOIN companies o ON o.id = c.company_n ORDER BY c.id DESC NULLS LAST, o.id {DESC NULLS LAST|NULLS FIRST}",
		"ordered: SELECT {made|score} AS made, id FROM contacts ORDER BY made DESC NULLS LAST, id NULLS FIRST",
		"ordered: SELECT status, count(*) FROM contacts GROUP BY {status|ROLLUP(status)} ORDER BY status DESC NULLS LAST",
	},
	"any_contains": {
		"SELECT {id|c.id, keywords|count(*)} FROM contacts c WHERE {|NOT }{'x'|'y'|NULL|'q'::text} = ANY({keywords|c.keywords|tags}) {AND|OR} {|NOT }{1|'2'|7} = ANY({nums|bigs})",
		"SELECT count(*) FILTER (WHERE {|NOT }'x' = ANY(keywords)), {'x' = ANY(max(keywords))|max(id)} FROM contacts",
		"SELECT o.id, c.id FROM companies o {LEFT |}JOIN contacts c ON c.company_id = o.id AND {'x'|'z'} = ANY(c.{keywords|tags}) {|WHERE c.id IS NULL}",
		"SELECT 1 FROM companies o WHERE {|NOT }EXISTS (SELECT FROM contacts c WHERE c.company_id = o.id AND 'x' = ANY(c.keywords))",
	},
	"unused_left_join": {
		"SELECT DISTINCT {c.city|c.city, c.score|1|c.city || 'x', count(*)} FROM contacts c {|JOIN companies o ON o.id = c.company_id} LEFT JOIN {activities|notes} a ON a.contact_id = c.id{| AND a.id > 3} {|LEFT JOIN notes n ON n.contact_id = c.id} {|WHERE c.score > 1|WHERE c.flag} {|GROUP BY 1|LIMIT 1000}",
		"SELECT DISTINCT {c.city|c.city, a.kind|o.name} FROM contacts c {LEFT |RIGHT |FULL |}JOIN companies o ON o.id = c.company_n {LEFT |}JOIN activities a ON a.contact_id = c.id {LEFT |RIGHT |}JOIN notes n ON n.contact_id = {c|a|o}.id {|WHERE c.score > 1}",
		"SELECT DISTINCT c.city{|, a.kind|, n.id} FROM ((contacts c LEFT JOIN companies o ON o.id = c.company_n) {LEFT |RIGHT |}JOIN activities a ON a.contact_id = {c|o}.id) LEFT JOIN notes n ON n.contact_id = {c|a|o}.id",
		"SELECT DISTINCT c.city FROM contacts c LEFT JOIN (companies o LEFT JOIN activities a ON a.contact_id = o.id) ON o.id = c.company_n {|LEFT JOIN notes n ON n.contact_id = o.id}",
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
	"count_column": {
		"SELECT {city, |}count({c.id|c.score|last_name|o.name|ALL c.made}), count({o.id|c.id}) {|FILTER (WHERE c.flag)} FROM contacts c {LEFT |RIGHT |FULL |}JOIN companies o ON o.id = c.company_n {GROUP BY c.city|GROUP BY ROLLUP (c.city)|}",
		"SELECT o.id, (SELECT count({c.id|o.id|c.city}) FROM contacts c WHERE c.company_n = o.id) FROM companies o",
		"SELECT id, count(id) OVER (PARTITION BY status) FROM contacts {|WHERE score > 2}",
	},
	"fk_join": {
		"SELECT {c.id, c.city|count(*)|o.name} FROM contacts c {JOIN|LEFT JOIN} companies o ON {o.id = c.company_{id|n|late}|c.company_{id|n} = o.id} {|LEFT JOIN notes n ON n.contact_id = c.id|JOIN activities a ON a.contact_id = c.id} {|WHERE c.score > 1 OR c.flag|WHERE o.id > 2}",
		"SELECT a.id FROM activities a {|LEFT }JOIN contacts c ON c.id = a.contact_id JOIN companies o ON o.id = c.company_{id|n} JOIN companies p ON p.id = {c|a}.company_n {|WHERE a.amount > 1}",
		"SELECT r.part_id FROM part_refs r JOIN parts{|_a|_b} p ON p.id = r.part_id AND p.day = r.part_day {|JOIN companies o ON o.id = p.company_id}",
		"SELECT n.id FROM notes n {LEFT |RIGHT |}JOIN (contacts c JOIN companies o ON o.id = c.company_{id|n}) ON n.contact_id = c.id",
		"SELECT p.id FROM parts{|_a} p JOIN companies o ON o.id = p.company_id {|WHERE p.day > '2020-07-01'}",
		"SELECT x.id FROM companies x WHERE {|NOT }EXISTS (SELECT 1 FROM contacts c JOIN companies o ON o.id = c.company_n WHERE c.company_id = x.id)",
	},
	"not_in": {
		"SELECT {id|count(*)} FROM contacts WHERE {|NOT }{id|big|small|company_id} NOT IN (SELECT {contact_id|id|DISTINCT contact_id} FROM activities {|WHERE amount > 2 OR kind = 'call'} {|ORDER BY 1})",
		"SELECT c.id, c.id NOT IN (SELECT {company_n|contact_id} FROM activities a {WHERE company_n IS NOT NULL|} {|AND a.amount < c.score}) FROM contacts c",
		"SELECT c.id FROM contacts c {LEFT |}JOIN companies o ON o.id = c.company_n WHERE NOT ({c|o}.id = ANY (SELECT n.contact_id FROM notes n {|JOIN activities a ON a.id = n.id}))",
		"SELECT id FROM contacts WHERE last_name NOT IN (SELECT name FROM companies {|WHERE id > 3|WHERE false})",
	},
	"or_union": {
		"SELECT {c.id, o.id|o.name, c.city, 'x' AS w|*} FROM contacts c {JOIN|LEFT JOIN|FULL JOIN} companies o ON o.id = c.company_{id|n} WHERE {c.score = 2|c.flag|c.email LIKE 'a%'|c.score > 3 AND c.flag} OR {o.name = 'a'|o.city IS NULL|o.city = 'city1'|NOT o.city = 'city1'}",
		"SELECT x.id FROM notes x WHERE {|NOT }x.contact_id IN (SELECT c.id FROM contacts c, activities a WHERE {a.amount = 2|a.kind IS NULL} OR c.score > 4)",
		"SELECT count(*) FROM (SELECT c.id FROM contacts c, companies o WHERE o.name = 'a' OR c.flag) s",
	},
	"distinct_unique": {
		"SELECT DISTINCT {c.id|c.*|c.uid, c.id + 1 AS x|c.id, a.id AS a|c.city} FROM contacts c {|LEFT JOIN activities a ON {a.contact_id|a.id} = c.id|JOIN activities a ON a.id = c.score AND a.amount > 1} {|WHERE c.score > 2} {|ORDER BY 1 LIMIT 1000}",
		"SELECT id FROM companies WHERE id IN (SELECT DISTINCT c.id FROM contacts c LEFT JOIN companies o ON o.{id|late} = c.company_n)",
		"SELECT DISTINCT * FROM {parts|contacts|companies} p",
		"SELECT DISTINCT p.id, p.day, o.name FROM parts p {LEFT |}JOIN companies o ON p.company_id = o.id",
	},
	"distinct_exists": {
		"SELECT DISTINCT {c.id, c.city|c.*|c.uid|c.score} FROM contacts c {|LEFT }JOIN activities {AS |}a ON a.contact_id = c.id {|AND a.amount > 2} {|WHERE a.kind = 'call' OR c.score = 2|WHERE c.score > 1 AND a.amount IS NULL|WHERE kind IS NULL} {|ORDER BY 1}",
		"SELECT count(*) FROM (SELECT DISTINCT o.id, o.name FROM companies o JOIN contacts c ON c.company_n = o.id WHERE NOT (c.score = 3) {AND|OR} o.city IS NULL) s",
	},
	"nulls_split": {
		"ordered: SELECT {*|id, seen|score, c.id AS x} FROM contacts c {|WHERE score > 2 OR flag|WHERE city IS NULL|WHERE false} ORDER BY {seen DESC NULLS LAST|seen NULLS FIRST|score DESC NULLS LAST|c.score ASC NULLS FIRST|born DESC NULLS LAST|seen DESC NULLS FIRST}" +
			"{|, made DESC|, city NULLS FIRST}, id {|DESC} LIMIT {0|1|5|20|100} {|OFFSET 3|OFFSET 15|OFFSET 0}",
		"ordered: SELECT id FROM contacts ORDER BY contacts.price DESC NULLS LAST, uid OFFSET 2 ROWS FETCH NEXT {4|8} ROWS ONLY",
	},
	"date_range": {
		"SELECT id FROM contacts WHERE {|NOT }{made|seen|contacts.seen}::date = {'2022-01-01'|'2021-12-31'|'2022-12-31'::date|'2023-01-01 00:00:00'::timestamp} {|OR flag}",
		"SELECT id, date_trunc('{year|month|day|hour|minute}', {made|seen}) = '{2022-01-01|2022-01-02|2022-12-31 23:00:00|2022-01-01 13:10:00}' FROM contacts {|WHERE date(seen) = '2022-01-02'}",
		"SELECT id FROM contacts WHERE {extract(year FROM {made|seen|born})|date_part('year', {made|born})} = {2022|2021|2023|1}",
		"SELECT (CAST(seen AS date) = '2022-01-01') IS NULL, id FROM contacts",
	},
	"left_like": {
		"SELECT id{|, left(email, 1) = 'a'} FROM contacts WHERE {|NOT }left({last_name|email|city}, {1|2|3}) = '{a|ab|b%|b_c|b|Ab|abc|cit|b%c}'",
		"SELECT (left(email, 2) = '{ab|a|A}') IS {NULL|TRUE}, id FROM contacts",
	},
	"self_join": {
		"SELECT {a.id, b.email|b.id, a.city|count(*)|b.*} FROM contacts a JOIN contacts b ON {a.id = b.id|b.uid = a.uid|b.company_id = a.company_id} {|LEFT JOIN notes n ON n.contact_id = b.id} {|WHERE b.score > 2 OR a.flag|WHERE b.seen IS NULL}",
		"SELECT q.keywords FROM parts p {|LEFT }JOIN parts q ON p.id = q.id AND p.day = q.day {|WHERE q.company_id > 2}",
		"SELECT o.id FROM companies o JOIN contacts c ON c.company_n = o.id JOIN contacts d ON d.id = c.id WHERE d.city IS NOT NULL",
	},
	"union_all": {
		"SELECT {id|uid}, {status|score, status} FROM contacts WHERE status = 'lead' {|AND score > 2} UNION {|DISTINCT }SELECT {id|uid}, {status|score, status} FROM contacts WHERE {flag AND |}status = {'won'|'lost'|'lead'} {|ORDER BY 1 LIMIT 5}",
		"SELECT 'a' AS what, {c.id|c.city} FROM contacts c {|LEFT JOIN companies o ON o.id = c.company_n} UNION (SELECT {'b'|'a'}, {id|DISTINCT contact_id} FROM activities)",
		"SELECT count(*) FROM (SELECT id, score FROM contacts WHERE score = 1 UNION SELECT id, score FROM contacts WHERE score = {2|1|3}) s",
	},
	"loose_scan": {
		"SELECT DISTINCT {kind|grade|code|v.kind AS k|v.code} FROM visits v",
		"SELECT id FROM contacts WHERE {city|email|'k1'} {|NOT }IN (SELECT DISTINCT {kind|code} FROM visits)",
		"SELECT count(*), max(x) FROM (SELECT DISTINCT {kind|grade} AS x FROM visits) s",
	},
	"count_distinct": {
		"SELECT count(DISTINCT {city|score|flag|born|c.seen|uid|email}) {|AS n} FROM contacts c {|WHERE score > 2|WHERE false}",
		"SELECT o.id, (SELECT count(DISTINCT {c.city|c.score}) FROM contacts c WHERE c.company_{id|n} = o.id) FROM companies o",
		"SELECT count(DISTINCT a.kind) FROM activities a {LEFT |RIGHT |}JOIN contacts c ON c.id = a.contact_id",
	},
	"window_count": {
		"ordered: SELECT {id, |c.*, }{count(*) OVER ()|1 + count(*) OVER () AS n} FROM contacts c {|WHERE score > 2 OR flag|WHERE false} ORDER BY {id|made, id DESC} LIMIT {5|1|0|100} {|OFFSET 3|OFFSET 50}",
		"ordered: SELECT c.id, o.name, count(*) OVER () AS total FROM contacts c {|LEFT }JOIN companies o ON o.id = c.company_n ORDER BY c.id LIMIT 4",
		"ordered: SELECT o.id, (SELECT count(*) OVER () FROM contacts c WHERE c.company_id = o.id ORDER BY c.id LIMIT 1) FROM companies o ORDER BY id",
	},
	"exists_or": {
		"SELECT c.id FROM contacts c WHERE {EXISTS (SELECT 1 FROM activities a WHERE a.contact_id = c.id{| AND a.amount > 2| AND (a.kind = 'x' OR a.amount = 1)}) OR EXISTS (SELECT 1 FROM notes n WHERE {n.contact_id = c.id|c.id = n.id AND n.body = 'a'})} {|OR EXISTS (SELECT 1 FROM deals d WHERE d.id = c.id)} {|AND c.flag}",
		"SELECT o.id FROM contacts c {LEFT |}JOIN companies o ON o.id = c.company_n WHERE EXISTS (SELECT FROM activities a WHERE a.company_n = o.id) OR EXISTS (SELECT FROM contacts d {|JOIN notes n ON n.contact_id = d.id} WHERE d.company_{n|id} = o.id)",
	},
	"left_null": {
		"SELECT {c.id|count(*)|c.*} FROM contacts c LEFT JOIN {activities|notes} a ON a.contact_id = c.id {|AND a.id > 3|AND c.flag} {|LEFT JOIN companies o ON o.id = c.company_n} WHERE a.{contact_id|id} IS NULL {|AND c.score > 2|AND o.name = 'a'}",
		"SELECT o.id FROM companies o LEFT JOIN contacts c ON o.id = c.company_n OR c.score = o.id WHERE c.made IS NULL",
		"SELECT n.id FROM notes n {LEFT |RIGHT |}JOIN (contacts c LEFT JOIN activities a ON a.contact_id = c.id) ON c.id = n.contact_id WHERE a.id IS NULL",
	},
}
