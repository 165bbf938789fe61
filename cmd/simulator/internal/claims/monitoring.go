package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// aboutSeventy is "about 70 %".
const aboutSeventy = 70

const compressionClaim = "70 % less by compression over 1,000 bytes"

// gzip: "about 70 % less over 1,000 bytes".
func gzip(ctx context.Context, b *bench) error {
	if err := b.compressedAnswers(ctx); err != nil {
		return err
	}
	if _, err := load.Run(ctx, load.New(b.options.Data), 0, 300, loadOptions(b.cached.URL(b.url), load.Pooled)); err != nil {
		return err // these statements fill the dashboard
	}
	for _, path := range []string{"/api/statements", "/api/cache"} {
		err := b.compressedPage(ctx, path)
		if !errors.Is(err, servers.ErrUnknown) {
			return err
		}
	}
	b.line(compressionClaim, "this PgJay's dashboard has no such page", NotAvailable)
	return b.compressedPage(ctx, "/metrics")
}

// compressedAnswers has lists of several lengths kept in the cache.
func (b *bench) compressedAnswers(ctx context.Context) error {
	var lists []packed
	for _, rows := range []int{25, 100, 500} {
		inBefore, outBefore, err := b.compressed(ctx)
		if err != nil {
			return err
		}
		list := fmt.Sprintf("WHERE c.tenant_id = $1 ORDER BY c.last_name, c.id LIMIT %d", rows)
		if _, err := b.time(ctx, b.url, b.cached, 5, question{load.SimpleList + list, []any{int64(1)}}); err != nil {
			return err
		}
		in, out, err := b.compressed(ctx)
		if err != nil {
			return err
		}
		lists = append(lists, packed{rows, in - inBefore, out - outBefore})
	}
	text, met := compressedLists(lists)
	b.add(compressionClaim, text, met)
	return nil
}

// packed is what became of the answers with so many rows, in bytes.
type packed struct {
	rows          int
	input, output float64 // of those that are kept compressed
}

// compressedLists says what compression saves. Where nothing was compressed, nothing
// was saved.
func compressedLists(lists []packed) (text string, met bool) {
	var input, output float64
	var parts []string
	for _, l := range lists {
		if l.input == 0 {
			parts = append(parts, fmt.Sprintf("%d rows are kept as they are", l.rows))
			continue
		}
		input, output = input+l.input, output+l.output
		parts = append(parts, fmt.Sprintf("%d rows %.0f %% less", l.rows, 100-100*l.output/l.input))
	}
	text = "lists in the cache: " + strings.Join(parts, ", ")
	if input == 0 {
		return text, false
	}
	saved := 100 - 100*output/input
	return fmt.Sprintf("%s; together %.0f KB became %.0f KB, %.0f %% less", text, input/1024, output/1024, saved), saved >= aboutSeventy
}

// compressed is how many bytes of answers the cache has compressed so far, and what
// became of them.
func (b *bench) compressed(ctx context.Context) (input, output float64, err error) {
	if input, err = b.cached.Metric(ctx, "pgjay_cache_compression_input_bytes_total"); err != nil {
		return 0, 0, err
	}
	output, err = b.cached.Metric(ctx, "pgjay_cache_compression_output_bytes_total")
	return input, output, err
}

// compressedPage compares a page with and without compression.
func (b *bench) compressedPage(ctx context.Context, path string) error {
	plain, _, err := b.cached.Get(ctx, path, false)
	if err != nil {
		return err
	}
	short, gzipped, err := b.cached.Get(ctx, path, true)
	if err != nil {
		return err
	}
	if !gzipped {
		b.line(compressionClaim, path+" is not compressed", Short)
		return nil
	}
	saved := 100 - 100*float64(len(short))/float64(len(plain))
	b.add(compressionClaim, fmt.Sprintf("%s: %d bytes became %d, %.0f %% less", path, len(plain), len(short), saved), saved >= aboutSeventy)
	return nil
}
