package claims

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

const (
	archivePage  = 25
	archivePages = archiveRows / archivePage
)

// pageOf asks for a page of the archive.
func pageOf(page int) question {
	return question{fmt.Sprintf("SELECT a.id, a.tenant_id, a.happened_at, a.subject FROM archive AS a "+
		"ORDER BY a.happened_at DESC, a.id DESC LIMIT %d OFFSET $1", archivePage), []any{int64((page - 1) * archivePage)}}
}

// pages: "OFFSET costs what it skips; through PgJay all pages cost the same". Each path
// is asked for itself: a page for which PostgreSQL reads the whole table leaves no
// cache of the processor to the one that comes next.
func pages(ctx context.Context, b *bench) error {
	const claimed, anywhere = "deep pages within 3 times of page 1", 200
	archive, err := b.openArchive(ctx)
	if err != nil {
		return err
	}
	proxied := b.plain.URL(archive)
	if err := b.countThrough(ctx, proxied); err != nil {
		return err
	}
	numbers := []int{1, 100, 10_000, archivePages}
	direct, err := b.directPages(ctx, archive, numbers)
	if err != nil {
		return err
	}
	pgjay, err := b.inTurns(ctx, proxied, numbers, unnamed)
	if err != nil {
		return err
	}
	jumps, err := jumpTo(ctx, proxied, anywhere)
	if err != nil {
		return err
	}
	var text []string
	for i, page := range numbers {
		text = append(text, fmt.Sprintf("page %d: %s and %s", page, ms(direct[i]), ms(pgjay[i])))
	}
	slowest := slices.Max(pgjay) / pgjay[0]
	measured := fmt.Sprintf("directly and through PgJay: %s; slowest to page 1: %.0f and %.1f times", strings.Join(text, ", "),
		slices.Max(direct)/direct[0], slowest)
	if !b.rewrites() {
		b.line(claimed, measured+" (this PgJay does not rewrite)", NotAvailable)
		return nil
	}
	b.add(claimed, measured, slowest <= 3)
	last := len(numbers) - 1
	b.figure(fmt.Sprintf("page %d of a list, LIMIT %d OFFSET %d", archivePages, archivePage, archiveRows-archivePage), times{direct[last], pgjay[last]})
	b.add("95 of 100 pages within 10 ms", fmt.Sprintf("%d pages of %d at random, through PgJay: median %s, 95 of 100 within %s, all within %s", anywhere, archivePages,
		ms(jumps[len(jumps)/2]), ms(jumps[len(jumps)*95/100]), ms(slices.Max(jumps))), jumps[len(jumps)*95/100] <= 10)
	return nil
}

// countThrough asks for pages until PgJay has counted the list through, which it does
// in the background, or some seconds have gone.
func (b *bench) countThrough(ctx context.Context, proxied *url.URL) error {
	return seed.With(ctx, proxied.String(), func(conn *pgx.Conn) error {
		var failed error
		b.until(ctx, func() bool {
			counted, err := b.plain.Metric(ctx, `pgjay_rewrite_offset_samples_total{result="done"}`)
			if err == nil {
				_, err = timeOne(ctx, conn, pageOf(archivePages/4))
			}
			failed = err
			return err != nil || counted > 0 || !b.rewrites()
		})
		return failed
	})
}

// directPages is what pages take directly, by the better of unnamed and prepared statements.
func (b *bench) directPages(ctx context.Context, u *url.URL, pages []int) ([]float64, error) {
	medians, err := b.inTurns(ctx, u, pages, unnamed)
	if err != nil {
		return nil, err
	}
	kept, err := b.inTurns(ctx, u, pages, prepared)
	if err != nil {
		return nil, err
	}
	for i := range medians {
		medians[i] = min(medians[i], kept[i])
	}
	return medians, nil
}

// inTurns asks for pages in turns on one connection, and returns the median of each.
func (b *bench) inTurns(ctx context.Context, u *url.URL, pages []int, mode pgx.QueryExecMode) (medians []float64, err error) {
	const unseen, rounds = 3, 15
	took := make([][]float64, len(pages))
	err = seed.With(ctx, u.String(), func(conn *pgx.Conn) error {
		for round := range unseen + rounds {
			for i, page := range pages {
				ms, err := way{conn, mode}.time(ctx, pageOf(page))
				if err != nil {
					return err
				}
				if round >= unseen {
					took[i] = append(took[i], ms)
				}
			}
		}
		return nil
	})
	for _, times := range took {
		medians = append(medians, median(times))
	}
	return medians, err
}

// jumpTo asks for pages here and there, and returns what they took, in order.
func jumpTo(ctx context.Context, u *url.URL, n int) (took []float64, err error) {
	r := rand.New(rand.NewPCG(1, 1))
	err = seed.With(ctx, u.String(), func(conn *pgx.Conn) error {
		for range n {
			ms, err := timeOne(ctx, conn, pageOf(1+r.IntN(archivePages)))
			if err != nil {
				return err
			}
			took = append(took, ms)
		}
		return nil
	})
	slices.Sort(took)
	return took, err
}
