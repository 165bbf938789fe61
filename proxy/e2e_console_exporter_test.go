package proxy_test

import (
	"context"
	drivers "database/sql"
	"fmt"
	"slices"
	"strconv"
	"testing"

	_ "github.com/lib/pq" // what the exporter uses
)

// pgbouncer_exporter is no package that could be imported, so this does what its
// version 0.12.1 does: the same texts, through the same driver, and the same demands on
// what comes back.

// exporterNumbers are the columns that it makes metrics of, by table. Each must be
// there, and a number or NULL.
var exporterNumbers = map[string][]string{
	"databases": {"pool_size", "reserve_pool_size", "max_connections", "current_connections", "paused", "disabled"},
	"stats_totals": {
		"query_count", "query_time", "bytes_received", "bytes_sent", "wait_time", "xact_count", "xact_time",
		"client_parse_count", "server_parse_count", "bind_count", "server_assignment_count",
	},
	"pools": {
		"cl_active", "cl_active_cancel_req", "cl_waiting", "cl_waiting_cancel_req", "sv_active", "sv_active_cancel",
		"sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login", "maxwait",
	},
}

// exporterLabels are the columns that it makes labels of. No two rows of a table may
// have the same.
var exporterLabels = map[string][]string{
	"databases":    {"name", "host", "port", "database", "force_user", "pool_mode"},
	"stats_totals": {"database"},
	"pools":        {"database", "user"},
}

// exporterLists and exporterConfig are the rows that it makes metrics of.
var (
	exporterLists = []string{
		"databases", "users", "pools", "free_clients", "used_clients", "login_clients", "free_servers", "used_servers",
		"dns_names", "dns_zones", "dns_queries",
	}
	exporterConfig = []string{"max_client_conn", "max_user_connections"}
)

func TestConsoleExporter(t *testing.T) {
	p := startProxy(t, plain(t), withCache)
	c := client(t, p.addr)
	value(t, c, "select 1")
	db, err := drivers.Open("postgres", "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for range 2 { // a scrape, and the next one on the same connection
		if len(table(t, db, "SHOW STATS")) == 0 {
			t.Error("SHOW STATS is empty")
		}
		if version := table(t, db, "SHOW VERSION;"); len(version) != 1 || len(version[0]) != 1 || version[0]["version"] == nil {
			t.Errorf("SHOW VERSION is %v", version)
		}
		for name, columns := range exporterNumbers {
			checkExported(t, table(t, db, fmt.Sprintf("SHOW %s;", name)), exporterLabels[name], columns)
		}
		checkNamed(t, table(t, db, "SHOW LISTS;"), "list", "items", exporterLists)
		checkNamed(t, table(t, db, "SHOW CONFIG;"), "key", "value", exporterConfig)
		states := make(map[string]int)
		for _, row := range table(t, db, "SHOW CLIENTS;") {
			states[fmt.Sprintf("%s %s %s", row["database"], row["user"], row["state"])]++
		}
		if states["postgres postgres idle"] != 1 || len(states) != 2 {
			t.Errorf("SHOW CLIENTS has %v", states)
		}
	}
}

// table returns the rows of a query, by the names of its columns.
func table(t *testing.T, db *drivers.DB, query string) (all []map[string]any) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, pointers := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		row := make(map[string]any)
		for i, name := range names {
			row[name] = values[i]
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// checkExported checks rows that become a metric for each of their columns.
func checkExported(t *testing.T, rows []map[string]any, labels, numbers []string) {
	t.Helper()
	seen := make(map[string]bool)
	for _, row := range rows {
		name := ""
		for _, l := range labels {
			switch row[l].(type) {
			case string, int64, nil:
				name += fmt.Sprint(row[l], ",")
			default:
				t.Errorf("%s is %v, which is no label", l, row[l])
			}
		}
		if seen[name] {
			t.Errorf("two rows are of %s", name)
		}
		seen[name] = true
		for _, n := range numbers {
			if v, there := row[n]; !there || !isNumber(v) {
				t.Errorf("%s of %s is %v", n, name, v)
			}
		}
	}
	if len(rows) == 0 {
		t.Errorf("there are no rows of %v", numbers)
	}
}

// isNumber reports whether the exporter takes a value.
func isNumber(v any) bool {
	switch v := v.(type) {
	case nil, int64, float64:
		return true
	case []byte:
		_, err := strconv.ParseFloat(string(v), 64)
		return err == nil
	case string:
		_, err := strconv.ParseFloat(v, 64)
		return err == nil
	}
	return false
}

// checkNamed checks rows that become a metric each.
func checkNamed(t *testing.T, rows []map[string]any, key, value string, wanted []string) {
	t.Helper()
	found := 0
	for _, row := range rows {
		if !slices.Contains(wanted, row[key].(string)) {
			continue
		}
		found++
		if !isNumber(row[value]) {
			t.Errorf("%s is %v", row[key], row[value])
		}
	}
	if found != len(wanted) {
		t.Errorf("of %v %d are there", wanted, found)
	}
}
