package claims

import (
	"context"
	"fmt"
	"strings"
)

// pages: "OFFSET costs what it skips; through PgJay all pages cost the same".
func pages(ctx context.Context, b *bench) error {
	const size = 25
	archive, err := b.openArchive(ctx)
	if err != nil {
		return err
	}
	var text []string
	var first, worst times
	for _, page := range []int{1, 100, 10_000, 40_000} {
		q := question{"SELECT a.id, a.tenant_id, a.happened_at, a.subject FROM archive AS a ORDER BY a.happened_at DESC, a.id DESC LIMIT 25 OFFSET $1",
			[]any{int64((page - 1) * size)}}
		t, err := b.time(ctx, archive, b.plain, 15, q)
		if err != nil {
			return err
		}
		if page == 1 {
			first = t
		}
		worst = times{max(worst.direct, t.direct), max(worst.pgjay, t.pgjay)}
		text = append(text, fmt.Sprintf("page %d: %s and %s", page, ms(t.direct), ms(t.pgjay)))
	}
	measured := fmt.Sprintf("directly and through PgJay: %s; slowest to page 1: %.0f and %.1f times", strings.Join(text, ", "),
		worst.direct/first.direct, worst.pgjay/first.pgjay)
	if !b.rewrites() {
		b.line("deep pages within 3 times of page 1", measured+" (this PgJay does not rewrite)", NotAvailable)
		return nil
	}
	b.add("deep pages within 3 times of page 1", measured, worst.pgjay <= 3*first.pgjay)
	return nil
}
