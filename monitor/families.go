package monitor

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "pgjay"

// family is a metric as docs/metrics.md describes it.
type family struct {
	name   string
	kind   string // counter, gauge or histogram
	labels []string
	help   string
}

// book makes metrics and remembers which there are, in order.
type book struct {
	registry *prometheus.Registry
	families []family
}

func (b *book) note(kind, name, help string, labels []string) string {
	name = prometheus.BuildFQName(namespace, "", name)
	b.families = append(b.families, family{name, kind, slices.Clone(labels), help})
	return name
}

func (b *book) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: b.note("counter", name, help, nil), Help: help})
	b.registry.MustRegister(c)
	return c
}

func (b *book) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: b.note("gauge", name, help, nil), Help: help})
	b.registry.MustRegister(g)
	return g
}

func (b *book) counters(name, help string, labels ...string) *prometheus.CounterVec {
	opts := prometheus.CounterOpts{Name: b.note("counter", name, help, labels), Help: help}
	c := prometheus.NewCounterVec(opts, labels)
	b.registry.MustRegister(c)
	return c
}

func (b *book) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	opts := prometheus.GaugeOpts{Name: b.note("gauge", name, help, labels), Help: help}
	g := prometheus.NewGaugeVec(opts, labels)
	b.registry.MustRegister(g)
	return g
}

// durations makes histograms of both kinds, with the resolution of those that
// the loops write.
func (b *book) durations(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            b.note("histogram", name, help, labels),
		Help:                            help,
		Buckets:                         durationBuckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramZeroThreshold:    zeroThreshold,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: nativeResetAfter,
	}, labels)
	b.registry.MustRegister(h)
	return h
}

// page is the part of a book that a collector brings to each scrape.
type page struct {
	book  *book
	descs []*prometheus.Desc
}

func (p *page) desc(kind, name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(p.book.note(kind, name, help, labels), help, labels, nil)
	p.descs = append(p.descs, d)
	return d
}

// Describe implements prometheus.Collector.
func (p *page) Describe(out chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		out <- d
	}
}
