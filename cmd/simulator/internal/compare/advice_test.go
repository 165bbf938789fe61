package compare

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// TestWaitForAdvice has advice come late, in two parts, and not at all.
func TestWaitForAdvice(t *testing.T) {
	index := func(column string) map[string]any {
		return map[string]any{"ddl": "CREATE INDEX CONCURRENTLY ON contacts (" + column + ")"}
	}
	for _, c := range []struct {
		first, second time.Duration
		want          int
		took          time.Duration
	}{{3 * time.Second, 4 * time.Second, 2, 6 * time.Second}, {time.Hour, time.Hour, 0, 10 * time.Second}, {0, time.Hour, 1, 2 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			got, err := waitForAdvice(t.Context(), func() (rows []map[string]any, err error) {
				for at, column := range map[time.Duration]string{c.first: "title", c.second + 1: "seniority"} {
					if time.Since(begin) >= at {
						rows = append(rows, index(column))
					}
				}
				return rows, nil
			})
			if took := time.Since(begin).Round(time.Second); err != nil || len(got) != c.want || took != c.took {
				t.Errorf("%d after %v: %q after %v, %v", c.want, c.took, got, took, err)
			}
		})
	}
}

// TestAdvised wants a path without advice not to be measured.
func TestAdvised(t *testing.T) {
	for _, c := range []struct {
		statements []string
		err        error
		want       Path
		failed     bool
	}{
		{nil, nil, Path{What: "w", Missing: "no index was advised"}, false},
		{[]string{"a", "b"}, nil, Path{What: "w (2)"}, false},
		{nil, fmt.Errorf("SHOW ADVICE: %w", servers.ErrUnknown), Path{What: "w", Missing: "SHOW ADVICE: this PgJay does not know it"}, false},
		{nil, context.Canceled, Path{What: "w"}, true},
	} {
		p := Path{What: "w"}
		if err := p.advised(c.statements, c.err); p.What != c.want.What || p.Missing != c.want.Missing || errors.Is(err, context.Canceled) != c.failed {
			t.Errorf("%q, %v: %+v, %v", c.statements, c.err, p, err)
		}
	}
}
