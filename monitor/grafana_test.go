package monitor

import (
	"encoding/json"
	"fmt"
	"testing"
)

const grafanaFile = "../configs/grafana.json"

// grafanaRow is a row of the Grafana dashboard.
type grafanaRow struct {
	title  string
	panels []grafanaPanel
}

// grafanaPanel is a panel of it. unit is Grafana's name; a stat shows one number.
type grafanaPanel struct {
	title, unit string
	stat        bool
	queries     []grafanaQuery
}

// grafanaQuery is an expression and what its series are called.
type grafanaQuery struct{ expr, legend string }

func stat(title, unit, expr string) grafanaPanel {
	return grafanaPanel{title: title, unit: unit, stat: true, queries: []grafanaQuery{{expr, ""}}}
}

func graph(title, unit string, queries ...string) grafanaPanel {
	p := grafanaPanel{title: title, unit: unit}
	for i := 0; i < len(queries); i += 2 {
		p.queries = append(p.queries, grafanaQuery{queries[i], queries[i+1]})
	}
	return p
}

// Selectors: of metrics with a database and a user, with a database, with neither.
const (
	both     = `{instance=~"$instance",database=~"$database",user=~"$user"}`
	database = `{instance=~"$instance",database=~"$database"}`
	neither  = `{instance=~"$instance"}`
)

func quantile(q, metric, selector, by string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (le%s) (rate(pgjay_%s_bucket%s[$__rate_interval])))", q, by, metric, selector)
}

func rateBy(metric, selector, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(pgjay_%s%s[$__rate_interval]))", by, metric, selector)
}

func rateOf(metric, selector string) string {
	return fmt.Sprintf("sum(rate(pgjay_%s%s[$__rate_interval]))", metric, selector)
}

var grafanaRows = []grafanaRow{
	{"Overview", []grafanaPanel{
		stat("Queries", "reqps", rateOf("queries_total", both)),
		stat("99 % of the time", "s", quantile("0.99", "query_duration_seconds", database, "")),
		stat("Waiting clients", "short", "sum(pgjay_pool_waiting_clients"+both+")"),
		stat("From the cache", "percentunit", `sum(rate(pgjay_queries_total{instance=~"$instance",database=~"$database",user=~"$user",source=~"cache|coalesced"}[$__rate_interval])) / `+rateOf("queries_total", both)),
		stat("PgJay's own part, 99 %", "s", quantile("0.99", "overhead_duration_seconds", database, "")),
		stat("Errors", "reqps", rateOf("query_errors_total", database)),
	}},
	{"Latency", []grafanaPanel{
		graph("As clients see it", "s",
			quantile("0.5", "query_duration_seconds", database, ""), "50 %",
			quantile("0.95", "query_duration_seconds", database, ""), "95 %",
			quantile("0.99", "query_duration_seconds", database, ""), "99 %"),
		graph("By command, 95 %", "s", quantile("0.95", "query_duration_seconds", database, ", command"), "{{command}}"),
		graph("By source, 95 %", "s", quantile("0.95", "query_duration_seconds", database, ", source"), "{{source}}"),
		graph("Of what, 95 %", "s",
			quantile("0.95", "query_backend_duration_seconds", database, ""), "PostgreSQL",
			quantile("0.95", "overhead_duration_seconds", database, ""), "PgJay",
			quantile("0.95", "pool_wait_duration_seconds", both, ""), "waiting for a backend"),
	}},
	{"Traffic", []grafanaPanel{
		graph("Queries by command", "reqps", rateBy("queries_total", both, "command"), "{{command}}"),
		graph("Rows by command", "short", rateBy("query_rows_total", database, "command"), "{{command}}"),
		graph("Transactions", "reqps", rateBy("transactions_total", both, "result"), "{{result}}"),
		graph("Errors by SQLSTATE class", "reqps", rateBy("query_errors_total", database, "sqlstate_class"), "{{sqlstate_class}}"),
		graph("Bytes", "Bps",
			rateOf("client_received_bytes_total", both), "from clients", rateOf("client_sent_bytes_total", both), "to clients",
			rateOf("server_received_bytes_total", both), "from PostgreSQL", rateOf("server_sent_bytes_total", both), "to PostgreSQL"),
	}},
	{"Clients", []grafanaPanel{
		graph("Clients", "short", "sum by (state) (pgjay_client_connections"+both+")", "{{state}}", "sum(pgjay_client_connections_limit"+neither+")", "limit"),
		graph("Opened and ended", "reqps", rateOf("client_connections_opened_total", neither), "opened",
			rateBy("client_connections_closed_total", neither, "reason"), "{{reason}}"),
		graph("Pinned sessions", "short", "sum by (reason) (pgjay_pinned_sessions"+neither+")", "{{reason}}"),
		graph("Timeouts, retries, refusals", "reqps", rateBy("timeouts_total", neither, "kind"), "timeout: {{kind}}",
			rateBy("retries_total", neither, "reason"), "retry: {{reason}}", rateBy("client_connections_rejected_total", neither, "reason"), "refused: {{reason}}"),
	}},
	{"Pools", []grafanaPanel{
		graph("Backends", "short", "sum by (state) (pgjay_pool_server_connections"+both+")", "{{state}}",
			"sum(pgjay_pool_server_connections_limit"+both+")", "limit"),
		graph("Servers that answer", "short", "min by (backend, role) (pgjay_backend_up"+neither+")", "{{backend}} {{role}}"),
		graph("Waiting clients", "short", "sum by (database, user) (pgjay_pool_waiting_clients"+both+")", "{{database}} {{user}}"),
		graph("Wait for a backend, 95 %", "s", quantile("0.95", "pool_wait_duration_seconds", both, ", database, user"), "{{database}} {{user}}"),
		graph("Logins to PostgreSQL", "reqps", rateBy("pool_server_connects_total", both, "result"), "{{result}}",
			rateBy("pool_server_disconnects_total", both, "reason"), "closed: {{reason}}"),
		graph("A backend is held for, 95 %", "s", quantile("0.95", "pool_checkout_duration_seconds", both, ", database, user"), "{{database}} {{user}}"),
	}},
	{"Prepared statements", []grafanaPanel{
		graph("Messages", "reqps", rateBy("parses_total", both, "side"), "Parse: {{side}}", rateOf("binds_total", both), "Bind"),
		graph("On the backend", "reqps", rateBy("prepared_statement_lookups_total", both, "result"), "{{result}}",
			rateOf("prepared_statement_evictions_total", both), "made room"),
		graph("Statements", "short", "sum by (scope) (pgjay_prepared_statements"+neither+")", "{{scope}}"),
		graph("Memory of clients' statements", "bytes", "sum(pgjay_prepared_statements_bytes"+neither+")", "used"),
	}},
	{"Cache", []grafanaPanel{
		graph("Looked up", "reqps", rateBy("cache_lookups_total", neither, "outcome"), "{{outcome}}"),
		graph("Refused", "reqps", rateBy("cache_refusals_total", neither, "reason"), "{{reason}}"),
		graph("Memory", "bytes", "sum(pgjay_cache_bytes"+neither+")", "used", "sum(pgjay_cache_limit_bytes"+neither+")", "limit"),
		graph("Seconds saved a second", "short", rateOf("cache_saved_seconds_total", neither), "saved"),
		graph("Made room, outdated", "reqps", rateOf("cache_evictions_total", neither), "made room",
			rateBy("cache_outdated_total", neither, "cause"), "outdated: {{cause}}"),
		graph("Compared", "short", "sum(pgjay_cache_verified_total"+neither+")", "compared", "sum(pgjay_cache_mismatches_total"+neither+")", "differed"),
	}},
	{"Statements and plans", []grafanaPanel{
		graph("Slow statements, explanations", "reqps", rateOf("slow_queries_total", neither), "slow",
			rateBy("explain_runs_total", neither, "mode, result"), "{{mode}}: {{result}}"),
		graph("Not executed for a plan", "reqps", rateBy("explain_skips_total", neither, "reason"), "{{reason}}"),
		graph("Explanations, 95 %", "s", quantile("0.95", "explain_duration_seconds", neither, ", mode"), "{{mode}}"),
		graph("Other plans", "short", "sum by (direction) (increase(pgjay_plan_changes_total"+database+"[1h]))", "{{direction}}"),
		graph("Time of the top statements", "s", rateBy("statement_duration_seconds_total", database, "fingerprint"), "{{fingerprint}}"),
		graph("Findings", "short", "sum by (check) (pgjay_plan_findings"+neither+") > 0", "{{check}}"),
		graph("Index advice", "short", "sum by (status) (pgjay_index_advice"+neither+")", "{{status}}"),
		graph("Shapes", "short", "sum(pgjay_fingerprints"+neither+")", "shapes", "sum(pgjay_fingerprints_limit"+neither+")", "limit"),
	}},
	{"Process", []grafanaPanel{
		graph("CPU", "percentunit", "rate(process_cpu_seconds_total"+neither+"[$__rate_interval])", "{{instance}}"),
		graph("Memory", "bytes", "process_resident_memory_bytes"+neither, "{{instance}}"),
		graph("File descriptors", "short", "process_open_fds"+neither, "{{instance}}"),
	}},
}

// configs/grafana.json is made of grafanaRows.
func TestGrafana(t *testing.T) {
	body, err := json.MarshalIndent(grafanaDashboard(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	expectFile(t, grafanaFile, append(body, '\n'))
}

func grafanaDashboard() map[string]any {
	var panels []any
	y, id := 0, 0
	for _, row := range grafanaRows {
		id++
		panels = append(panels, map[string]any{"id": id, "type": "row", "title": row.title, "gridPos": place(0, y, 24, 1)})
		y++
		x, height := 0, 0
		for _, p := range row.panels {
			id++
			w, h := 8, 8
			if p.stat {
				w, h = 4, 4
			}
			if x+w > 24 {
				x, y = 0, y+height
			}
			height = h
			panels = append(panels, p.json(id, place(x, y, w, h)))
			x += w
		}
		y += height
	}
	return map[string]any{
		"title": "PgJay", "uid": "pgjay", "schemaVersion": 39, "tags": []string{"postgresql"}, "refresh": "30s",
		"time": map[string]string{"from": "now-1h", "to": "now"}, "panels": panels,
		"templating": map[string]any{"list": []any{
			map[string]any{"name": "DS_PROMETHEUS", "label": "Data source", "type": "datasource", "query": "prometheus"},
			variable("instance", "label_values(pgjay_build_info, instance)"),
			variable("database", "label_values(pgjay_client_connections, database)"),
			variable("user", "label_values(pgjay_client_connections, user)"),
		}},
	}
}

func place(x, y, w, h int) map[string]int { return map[string]int{"x": x, "y": y, "w": w, "h": h} }

var grafanaSource = map[string]string{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}

func variable(name, query string) map[string]any {
	return map[string]any{
		"name": name, "type": "query", "datasource": grafanaSource, "query": query, "refresh": 2, "multi": true, "includeAll": true,
		"allValue": ".*", "current": map[string]any{"text": "All", "value": "$__all"},
	}
}

func (p grafanaPanel) json(id int, at map[string]int) map[string]any {
	kind := "timeseries"
	if p.stat {
		kind = "stat"
	}
	var targets []any
	for i, q := range p.queries {
		target := map[string]any{"refId": string(rune('A' + i)), "expr": q.expr, "datasource": grafanaSource}
		if q.legend != "" {
			target["legendFormat"] = q.legend
		}
		targets = append(targets, target)
	}
	return map[string]any{
		"id": id, "type": kind, "title": p.title, "datasource": grafanaSource, "gridPos": at, "targets": targets,
		"fieldConfig": map[string]any{"defaults": map[string]any{"unit": p.unit}, "overrides": []any{}},
	}
}
