package sqlparse

import (
	"strings"
	"testing"
)

func benchmark(b *testing.B, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	t := []byte(text)
	for b.Loop() {
		Classify(t)
	}
}

func BenchmarkPgbenchSelect(b *testing.B) {
	benchmark(b, "SELECT abalance FROM pgbench_accounts WHERE aid = 12345;")
}

func BenchmarkPgbenchInsert(b *testing.B) {
	benchmark(b, "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, 12345, -42, CURRENT_TIMESTAMP);")
}

func BenchmarkBegin(b *testing.B) { benchmark(b, "BEGIN;") }

func BenchmarkJoinWithFunctions(b *testing.B) {
	benchmark(b, `SELECT "c"."id", "c"."name", count(*) AS "n", max("i"."at") FROM "contacts" "c"
		LEFT OUTER JOIN "interactions" "i" ON ("i"."contact_id" = "c"."id") WHERE ("c"."tenant_id" = $1
		AND lower("c"."email") LIKE $2 ESCAPE '\') GROUP BY "c"."id", "c"."name" ORDER BY count(*) DESC LIMIT 25`)
}

func BenchmarkLongIn(b *testing.B) {
	benchmark(b, "SELECT * FROM contacts WHERE id IN ("+strings.Repeat("123456, ", 9999)+"1)")
}

func BenchmarkLongInsert(b *testing.B) {
	benchmark(b, "INSERT INTO contacts (id, name, email) VALUES "+strings.Repeat("(1, 'Ada Lovelace', 'ada@example.com'), ", 2500)+"(1, '', '')")
}

func BenchmarkLongLiteral(b *testing.B) {
	benchmark(b, "INSERT INTO documents (body) VALUES ('"+strings.Repeat("Lorem ipsum dolor sit amet. ", 4000)+"')")
}

func BenchmarkReset(b *testing.B) {
	c := Classify([]byte("RESET search_path"))
	for b.Loop() {
		if reset, _ := c.Resets("search_path"); !reset {
			b.Fatal("no")
		}
	}
}
