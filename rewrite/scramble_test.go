package rewrite

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// TestRulesScrambled gives rules statements that nobody has thought of: the texts of the
// cases with some tokens taken out, put in or exchanged. What is made of those that
// PostgreSQL takes must be equal to them, and nothing may panic.
func TestRulesScrambled(t *testing.T) {
	w := newWorld(t, crm)
	var texts []string
	for _, r := range allRules() {
		for _, c := range ruleCases[r.Name()] {
			texts = append(texts, strings.TrimPrefix(c.in, oddPath))
		}
	}
	tries, budget := 3000, 4*time.Second
	if *manyPairs > 0 {
		tries, budget = 20**manyPairs, time.Hour
	}
	r := rand.New(rand.NewPCG(3, 4))
	w.fill(r)
	begun, parsed, compared := time.Now(), 0, 0
	for n := 0; n < tries && time.Since(begun) < budget; n++ {
		if n%500 == 499 {
			w.fill(r)
		}
		text := scramble(r, texts)
		tree, facts, ok := sqlparse.Tree(text)
		if !ok || len(tree.Stmts) != 1 || tree.Stmts[0].Stmt.GetSelectStmt() == nil {
			continue
		}
		parsed++
		q := &Query{Text: text, Tree: tree, Scope: w.scope}
		for _, rule := range allRules() {
			m := rule.Match(q)
			if len(m.Edits) == 0 || Gate(q, facts) != "" {
				continue
			}
			made, _, err := Splice(q, &m)
			if err != nil {
				t.Logf("%s: %s: %v", rule.Name(), text, err)
				continue
			}
			if _, err := w.conn.Prepare(t.Context(), "", text, nil); err != nil {
				continue
			}
			compared++
			if difference := w.differ(text, made, false); difference != "" && !isOpen(text) {
				t.Errorf("%s: %s", rule.Name(), difference)
			}
		}
	}
	t.Logf("%d parsed, %d compared", parsed, compared)
}

// isOpen reports whether the rows of a statement may differ: LIMIT, OFFSET and DISTINCT ON
// choose among equals.
func isOpen(text string) bool {
	return strings.Contains(text, "LIMIT") || strings.Contains(text, "OFFSET") || strings.Contains(text, "FETCH") || strings.Contains(text, "ON (")
}

// instead are words that can often stand for one another.
var instead = [][]string{
	{"AND", "OR", "AND NOT"}, {"=", "<", ">", "<>", ">="}, {"LEFT", "RIGHT", "FULL", "INNER"}, {"DESC", "ASC", ""}, {"FIRST", "LAST"}, {"ANY", "ALL"},
	{"UNION", "EXCEPT", "INTERSECT", "UNION ALL"}, {"count", "max", "min", "sum"}, {"JOIN", "LEFT JOIN", "CROSS JOIN"}, {"SELECT", "SELECT DISTINCT"},
	{"EXISTS", "NOT EXISTS"}, {"IN", "NOT IN"}, {"WHERE", "WHERE NOT", "WHERE true AND", "WHERE false OR"}, {"id", "contact_id", "company_n", "score"},
	{"kind", "city", "email", "last_name"}, {"contacts", "activities", "notes"}, {"*", "1", "score"}, {"0", "1", "3"}, {"'x'", "'a'", "NULL"},
}

// scramble changes a statement in one to three places, mostly so that it can still be
// understood.
func scramble(r *rand.Rand, texts []string) string {
	words := wordsOf(texts[r.IntN(len(texts))])
	other := wordsOf(texts[r.IntN(len(texts))])
	for range 1 + r.IntN(3) {
		at := r.IntN(len(words))
		switch r.IntN(8) {
		case 0:
			words = slices.Delete(words, at, at+1)
		case 1:
			words = slices.Insert(words, at, other[r.IntN(len(other))])
		case 2:
			words = append(words, []string{"LIMIT 3", "OFFSET 1", "ORDER BY 1", "GROUP BY 1", "AND true", "OR false"}[r.IntN(6)])
		default:
			substitute(r, words)
		}
		if len(words) == 0 {
			return ""
		}
	}
	return strings.Join(words, " ")
}

func substitute(r *rand.Rand, words []string) {
	for range 20 {
		at, group := r.IntN(len(words)), instead[r.IntN(len(instead))]
		if slices.Contains(group, words[at]) {
			words[at] = group[r.IntN(len(group))]
			return
		}
	}
}

func wordsOf(text string) (words []string) {
	tokens, _ := sqlparse.Tokens(text)
	for i, t := range tokens {
		if i > 0 && t.Start == tokens[i-1].End && t.Word != "" && tokens[i-1].Word != "" && strings.ContainsAny(t.Word[:1]+tokens[i-1].Word[:1], "<>=!:") {
			words[len(words)-1] += t.Word // an operator of two characters
			continue
		}
		words = append(words, text[t.Start:t.End])
	}
	return words
}
