// Package trace tells an OpenTelemetry collector of statements: each is a span, below the one
// that its comment names. Nothing here runs on an event loop, and no client waits for it:
// what the collector does not take in time is dropped, and counted.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgjay/pgjay/monitor/digest"
)

// maxQueued is how many statements may wait to be told.
const maxQueued = 4096

// Tracer hands statements over. Its methods may be called by any goroutine.
type Tracer struct {
	queue    chan digest.Record
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	parents  propagation.TraceContext
	log      *slog.Logger
	sent     atomic.Uint64
	dropped  atomic.Uint64
}

// New makes a Tracer for a collector that is reached by OTLP over HTTP at this URL. Nothing
// is told before Run.
func New(url, version string, log *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(tracesURL(url)))
	if err != nil {
		return nil, fmt.Errorf("telling traces: %w", err)
	}
	t := &Tracer{queue: make(chan digest.Record, maxQueued), log: log}
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // who has begun the trace has decided
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "pgjay"), attribute.String("service.version", version))),
		sdk.WithBatcher(&counted{exporter, t}, sdk.WithBlocking()), // our own queue is where statements are dropped
	)
	t.tracer = t.provider.Tracer("github.com/pgjay/pgjay")
	return t, nil
}

// tracesURL adds the usual path to a URL that has none.
func tracesURL(url string) string {
	url = strings.TrimSuffix(url, "/")
	if _, rest, _ := strings.Cut(url, "://"); !strings.Contains(rest, "/") {
		url += "/v1/traces"
	}
	return url
}

// Offer queues a statement that has a Trace. It never blocks.
func (t *Tracer) Offer(rec *digest.Record) {
	select {
	case t.queue <- *rec:
	default:
		t.dropped.Add(1)
	}
}

// Counts returns how many statements were told, and how many could not be.
func (t *Tracer) Counts() (sent, dropped uint64) { return t.sent.Load(), t.dropped.Load() }

// lastly is how long the collector has to take the rest.
const lastly = 2 * time.Second

// Run tells until ctx ends.
func (t *Tracer) Run(ctx context.Context) {
	for {
		select {
		case rec := <-t.queue:
			t.tell(&rec)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), lastly)
			defer cancel()
			if err := t.provider.Shutdown(ctx); err != nil {
				t.log.Debug("the last traces could not be told", "error", err)
			}
			return
		}
	}
}

// tell makes a span of a statement. The names of attributes are OpenTelemetry's.
func (t *Tracer) tell(rec *digest.Record) {
	ctx := t.parents.Extract(context.Background(), propagation.MapCarrier{"traceparent": rec.Trace.Parent})
	owner, text := rec.Shape.Owner(), rec.Shape.Text()
	operation := firstWord(text)
	_, span := t.tracer.Start(ctx, operation+" "+owner.Database,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(rec.Trace.Ended.Add(-time.Duration(rec.Duration))),
		trace.WithAttributes(
			attribute.String("db.system.name", "postgresql"),
			attribute.String("db.namespace", owner.Database),
			attribute.String("db.operation.name", operation),
			attribute.String("db.query.text", text),
			attribute.Int64("db.response.returned_rows", int64(rec.Rows)),
			attribute.String("pgjay.shape", rec.Shape.ID().String()),
			attribute.String("pgjay.source", rec.Source.String()),
			attribute.Float64("pgjay.wait", time.Duration(rec.Wait).Seconds()),
			attribute.Float64("pgjay.backend", time.Duration(rec.Backend).Seconds()),
		))
	if rec.Calls > 1 {
		span.SetAttributes(attribute.Int64("db.operation.batch.size", int64(rec.Calls)))
	}
	if rec.Code != [5]byte{} {
		code := string(rec.Code[:])
		span.SetAttributes(attribute.String("db.response.status_code", code), attribute.String("error.type", code))
		span.SetStatus(codes.Error, "") // a message of PostgreSQL's may have values in it
	}
	span.End(trace.WithTimestamp(rec.Trace.Ended))
}

// firstWord is the command of a statement.
func firstWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
	if end < 0 {
		end = len(text)
	}
	return strings.ToUpper(text[:end])
}

// counted is an exporter that counts.
type counted struct {
	sdk.SpanExporter
	tracer *Tracer
}

// ExportSpans implements sdk.SpanExporter. The error stays here: who handles it logs it.
func (c *counted) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := c.SpanExporter.ExportSpans(ctx, spans); err != nil {
		c.tracer.dropped.Add(uint64(len(spans)))
		c.tracer.log.Debug("traces could not be told", "spans", len(spans), "error", err)
		return nil
	}
	c.tracer.sent.Add(uint64(len(spans)))
	return nil
}
