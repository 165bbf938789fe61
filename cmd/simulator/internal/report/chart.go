package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
)

// Sizes of all charts, in the units of the SVG.
const (
	chartWidth = 860
	labelWidth = 210
	barsWidth  = chartWidth - labelWidth - 110
	rowHeight  = 30
)

// chart begins an SVG with what a screen reader says of it.
func chart(height int, title, description string) *strings.Builder {
	b := new(strings.Builder)
	fmt.Fprintf(b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s"><title>%[3]s</title><desc>%s</desc>`,
		chartWidth, height, template.HTMLEscapeString(title), template.HTMLEscapeString(description))
	return b
}

func finish(b *strings.Builder) template.HTML {
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// rateChart is a bar for each path.
func rateChart(paths []compare.Measured) template.HTML {
	most, said := 1.0, ""
	for _, p := range paths {
		most = max(most, p.QPS)
		if p.Missing == "" {
			said += fmt.Sprintf("%s %.0f; ", p.Name, p.QPS)
		}
	}
	b := chart(rowHeight*len(paths), "Queries a second on each path", said)
	for i, p := range paths {
		y := rowHeight * i
		class := "pgjay"
		if p.Against == "" {
			class = "direct"
		}
		label(b, y, p.Name)
		if p.Missing != "" {
			fmt.Fprintf(b, `<text class="faint" x="%d" y="%d">not available</text>`, labelWidth, y+20)
			continue
		}
		width := p.QPS / most * barsWidth
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, labelWidth, y+5, width, rowHeight-10)
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%.0f</text>`, labelWidth+width+8, y+20, p.QPS)
	}
	return finish(b)
}

func label(b *strings.Builder, y int, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-10, y+20, template.HTMLEscapeString(text))
}

// gainChart is a dot and a whisker for each pattern, on a logarithmic scale.
func gainChart(gains []compare.PatternGain) template.HTML {
	least, most, said := 0.5, 2.0, ""
	for _, g := range gains {
		low, high := bounds(g.Gain)
		least, most = min(least, max(low, 0.01)), max(most, high)
		said += fmt.Sprintf("%s %.2f times as fast; ", g.Pattern, g.Gain.Ratio)
	}
	x := logScale(least, most, labelWidth, labelWidth+barsWidth)
	height := rowHeight*len(gains) + 24
	b := chart(height, "How many times as fast each pattern is through PgJay", said)
	for _, tick := range ticks(least, most) {
		fmt.Fprintf(b, `<line class="axis" x1="%.1f" x2="%.1[1]f" y1="0" y2="%d"/><text class="faint" x="%.1[1]f" y="%[3]d" text-anchor="middle">%[4]g</text>`,
			x(tick), height-20, height-5, tick)
	}
	fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1[1]f" y1="0" y2="%d"/>`, x(1), height-20)
	for i, g := range gains {
		y := rowHeight*i + rowHeight/2
		label(b, rowHeight*i, g.Pattern)
		low, high := bounds(g.Gain)
		fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%d" y2="%[3]d"/>`, x(low), x(high), y)
		fmt.Fprintf(b, `<circle class="pgjay" cx="%.1f" cy="%d" r="6"/>`, x(g.Gain.Ratio), y)
		fmt.Fprintf(b, `<text x="%d" y="%d">%.2f</text>`, labelWidth+barsWidth+30, y+5, g.Gain.Ratio)
	}
	return finish(b)
}

// bounds are those of an interval, or of the dot alone.
func bounds(i compare.Interval) (low, high float64) {
	if !i.Known() {
		return i.Ratio, i.Ratio
	}
	return i.Low, i.High
}

// logScale maps from least..most to from..to.
func logScale(least, most float64, from, to int) func(float64) float64 {
	return func(v float64) float64 {
		v = min(max(v, least), most)
		return float64(from) + float64(to-from)*math.Log(v/least)/math.Log(most/least)
	}
}

// ticks are 1, 2 and 5 times the powers of ten that lie between.
func ticks(least, most float64) []float64 {
	var all []float64
	for power := math.Pow(10, math.Floor(math.Log10(least))); power <= most; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v := step * power; v >= least && v <= most {
				all = append(all, v)
			}
		}
	}
	return all
}

// latencyChart is a line of percentiles for PostgreSQL alone, and one for PgJay.
func latencyChart(paths []compare.Measured) template.HTML {
	if len(paths) == 0 {
		return ""
	}
	const height, bottom = 260, 220
	base, pgjay := paths[0], paths[len(paths)-1]
	a, z := percentiles(base.Latencies), percentiles(pgjay.Latencies)
	least, most := min(a[0], z[0])/2, max(a[len(a)-1], z[len(z)-1])*1.2
	y := logScale(max(least, 0.001), max(most, 0.01), bottom, 10)
	b := chart(height, "Percentiles of latency", fmt.Sprintf("PostgreSQL alone: p50 %.2f ms, p99 %.2f ms. PgJay: p50 %.2f ms, p99 %.2f ms.",
		base.Latencies.P50, base.Latencies.P99, pgjay.Latencies.P50, pgjay.Latencies.P99))
	for _, tick := range ticks(max(least, 0.001), max(most, 0.01)) {
		fmt.Fprintf(b, `<line class="axis" x1="80" x2="700" y1="%.1f" y2="%.1[1]f"/><text class="faint" x="70" y="%.1[2]f" text-anchor="end">%[3]g ms</text>`,
			y(tick), y(tick)+4, tick)
	}
	names := []string{"p50", "p90", "p95", "p99", "max"}
	for i, name := range names {
		fmt.Fprintf(b, `<text class="faint" x="%d" y="%d" text-anchor="middle">%s</text>`, percentileX(i), bottom+25, name)
	}
	curve(b, "line base", a, y, base.Name)
	curve(b, "line", z, y, pgjay.Name)
	return finish(b)
}

func percentiles(l compare.Latencies) []float64 { return []float64{l.P50, l.P90, l.P95, l.P99, l.Max} }

func percentileX(i int) int { return 110 + i*140 }

func curve(b *strings.Builder, class string, values []float64, y func(float64) float64, name string) {
	fmt.Fprintf(b, `<polyline class="%s" points="`, class)
	for i, v := range values {
		fmt.Fprintf(b, "%d,%.1f ", percentileX(i), y(v))
	}
	last := len(values) - 1
	fmt.Fprintf(b, `"/><text x="%d" y="%.1f">%s</text>`, percentileX(last)+12, y(values[last])+4, template.HTMLEscapeString(name))
}
