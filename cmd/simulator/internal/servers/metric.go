package servers

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
)

// Metric is the sum of the samples whose name and labels begin like this.
func (p *PgJay) Metric(ctx context.Context, beginning string) (sum float64, err error) {
	text, _, err := p.Get(ctx, "/metrics", false)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, beginning) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum += value
	}
	return sum, nil
}
