package proxy_test

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/explain"
)

// collector is an OpenTelemetry collector.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []toldSpan // guarded by mu
	raw   strings.Builder
}

type toldSpan struct {
	trace, parent, name string
	took                time.Duration
	attributes          map[string]string
}

func startCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := &v1.ExportTraceServiceRequest{}
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
			t.Errorf("%s: %q, %v", r.URL, body, err)
		}
		c.take(request, string(body))
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(request *v1.ExportTraceServiceRequest, raw string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.WriteString(raw)
	for _, s := range request.ResourceSpans[0].ScopeSpans[0].Spans {
		out := toldSpan{
			trace: hex.EncodeToString(s.TraceId), parent: hex.EncodeToString(s.ParentSpanId), name: s.Name,
			took: time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano), attributes: map[string]string{},
		}
		for _, a := range s.Attributes {
			out.attributes[a.Key] = a.Value.GetStringValue()
		}
		c.spans = append(c.spans, out)
	}
}

// find waits for the span of a statement.
func (c *collector) find(t *testing.T, text string) (found toldSpan) {
	t.Helper()
	eventually(t, "a span of "+text, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.IndexFunc(c.spans, func(s toldSpan) bool { return s.attributes["db.query.text"] == text })
		if i >= 0 {
			found = c.spans[i]
		}
		return i >= 0
	})
	return found
}

// A statement is a span below the one that its comment names, in every protocol and also when
// it fails; others are none, but for slow ones. No literal gets out.
func TestTraces(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	c := startCollector(t)
	p := startObserving(t, plain(t), func(m *monitor.Config) {
		m.OTLP, m.Explain, m.SlowThreshold = c.URL, explain.Off, 200*time.Millisecond
	})
	conn, ctx := dial(t, p.addr), context.Background()
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	comment := func(flags string) string {
		return " /*x='mark4711',traceparent='00-" + trace + "-" + parent + "-" + flags + "'*/"
	}
	for _, sql := range []string{
		"select 'mark4711' as simple" + comment("01"), "select 'mark4711' as not_sampled" + comment("00"), "select 'mark4711' as no_comment",
		"select 'mark4711'::int as failed" + comment("01"), "select pg_sleep(0.3) as slow",
	} {
		_, _ = conn.Exec(ctx, sql).ReadAll()
	}
	if r := conn.ExecParams(ctx, "select $1::text as extended"+comment("01"), [][]byte{[]byte(mark)}, nil, nil, nil).Read(); r.Err != nil {
		t.Fatal(r.Err)
	}
	for text, code := range map[string]string{"select $1 as simple": "", "select $1::int as failed": "22P02", "select $1::text as extended": ""} {
		s := c.find(t, text)
		a := s.attributes
		if s.trace != trace || s.parent != parent || s.name != "SELECT postgres" || s.took <= 0 || a["db.system.name"] != "postgresql" ||
			a["db.namespace"] != "postgres" || a["db.operation.name"] != "SELECT" || a["db.response.status_code"] != code || a["pgjay.source"] != "backend" {
			t.Errorf("%s: %+v", text, s)
		}
	}
	if s := c.find(t, "select pg_sleep($1) as slow"); s.parent != "" || s.took < 300*time.Millisecond {
		t.Errorf("the slow one: %+v", s)
	}
	eventually(t, "all are counted", func() bool { return strings.Contains(metricsText(p), `pgjay_trace_spans_total{result="sent"} 4`) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) != 4 || strings.Contains(c.raw.String(), mark) {
		t.Errorf("%d spans: %q", len(c.spans), c.raw.String())
	}
}
