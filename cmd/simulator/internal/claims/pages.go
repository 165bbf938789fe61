package claims

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// pages: "OFFSET costs what it skips; through PgJay all pages cost the same".
func pages(ctx context.Context, b *bench) error {
	const size = 25
	archive, err := b.openArchive(ctx)
	if err != nil {
		return err
	}
	of := func(page int) question {
		return question{"SELECT a.id, a.tenant_id, a.happened_at, a.subject FROM archive AS a ORDER BY a.happened_at DESC, a.id DESC LIMIT 25 OFFSET $1",
			[]any{int64((page - 1) * size)}}
	}
	if b.rewrites() {
		if err := b.bookmarked(ctx, archive, of(10_000)); err != nil {
			return err
		}
	}
	var text []string
	var first, worst times
	for _, page := range []int{1, 100, 10_000, 40_000} {
		t, err := b.time(ctx, archive, b.plain, 15, of(page))
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

// bookmarked asks for a page until PgJay has got to know the list, or some seconds
// have gone: it counts through lists in the background.
func (b *bench) bookmarked(ctx context.Context, archive *url.URL, q question) error {
	return seed.With(ctx, b.plain.URL(archive).String(), func(conn *pgx.Conn) error {
		var err error
		first := 0.0
		b.until(ctx, func() bool {
			var took float64
			took, err = timeOne(ctx, conn, q)
			if first == 0 {
				first = took
			}
			return err != nil || took < first/5
		})
		return err
	})
}
