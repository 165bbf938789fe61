package claims

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// imports: "in batches of 200".
func imports(ctx context.Context, b *bench) error {
	const contacts = 4_000
	rates := make(map[int]float64)
	var text []string
	for _, batch := range []int{1, 50, 200, 1000} {
		var both [2]float64
		for i, u := range []string{"direct", "proxied"} {
			target := b.url
			if u == "proxied" {
				target = b.plain.URL(b.url)
			}
			took, err := b.loadContacts(ctx, target, loading{contacts, batch, 2, seed.MultiRow})
			if err != nil {
				return err
			}
			both[i] = contacts / took.Seconds()
		}
		rates[batch] = both[1]
		text = append(text, fmt.Sprintf("%d: %.0f and %.0f", batch, both[0], both[1]))
	}
	b.add("imports in batches of 200 (the client's doing; 2 times one by one, on the same path, is taken for it)", "rows/s by size of batch, directly and through PgJay: "+strings.Join(text, "; ")+
		fmt.Sprintf("; 200 is %.1f times 1", rates[200]/rates[1]), rates[200] >= 2*rates[1])
	return nil
}
