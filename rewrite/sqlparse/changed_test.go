package sqlparse

import (
	"slices"
	"testing"
)

// TestChanged says which settings a text changes.
func TestChanged(t *testing.T) {
	for _, tt := range []struct {
		text    string
		names   []string
		unknown bool
	}{
		{text: "SELECT 1"},
		{text: "SET work_mem = 1", names: []string{"work_mem"}},
		{text: "set session Work_Mem to default; RESET work_mem", names: []string{"work_mem"}},
		{text: "SET LOCAL work_mem = 1"},
		{text: "SET TRANSACTION READ ONLY"},
		{text: "SET transaction_isolation = 'serializable'"},
		{text: "RESET transaction_isolation"},
		{text: "SET app.tenant = 'x'; SET a.b.c = 1", names: []string{"app.tenant", "a.b.c"}},
		{text: "SET session.x = 1; RESET time.x; SET schema.x = 1", names: []string{"session.x", "time.x", "schema.x"}},
		{text: "UPDATE pg_settings SET setting = '1' WHERE name = 'work_mem'", unknown: true},
		{text: "SELECT setting FROM pg_settings"},
		{text: `SET "app"."Tenant" = 'x'`, names: []string{"app.tenant"}},
		{text: `SET SESSION app /* */ . x = 'x'`, names: []string{"app.x"}},
		{text: `SET "app"."a tenant" = 'x'`, unknown: true},
		{text: `SET "TimeZone" = 'UTC'`, names: []string{"timezone"}},
		{text: "SET TIME ZONE 'UTC'", names: []string{"timezone"}},
		{text: "RESET TIME ZONE", names: []string{"timezone"}},
		{text: "SET NAMES 'utf8'", names: []string{"client_encoding"}},
		{text: "SET SCHEMA 'x'", names: []string{"search_path"}},
		{text: "SET XML OPTION DOCUMENT", names: []string{"xmloption"}},
		{text: "SET ROLE x", names: []string{"role"}},
		{text: "SET SESSION ROLE NONE", names: []string{"role"}},
		{text: "SET SESSION AUTHORIZATION x", names: []string{"session_authorization"}},
		{text: "RESET SESSION AUTHORIZATION", names: []string{"session_authorization"}},
		{text: "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
			names: []string{"default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable"}},
		{text: "RESET ALL", unknown: true},
		{text: "DISCARD ALL", unknown: true},
		{text: "SELECT set_config('app.x', $1, false), set_config('work_mem', '1', true)", names: []string{"app.x"}},
		{text: "SELECT set_config('App.X', (SELECT 'y' WHERE a IN ('b', 'c')), false)", names: []string{"app.x"}},
		{text: "SELECT set_config($1, 'x', false)", unknown: true},
		{text: "SELECT set_config('a' || 'b', 'x', false)", unknown: true},
		{text: "SELECT set_config(E'a', 'x', false)", unknown: true},
		{text: "SELECT set_config(set_config('a', 'b', false), 'x', false)", unknown: true},
		{text: "SELECT set_config('a', 'x', false", unknown: true},
		{text: "SELECT set_config('a''b', 'x', false)", unknown: true},
		{text: "SELECT set_config(setting_name => 'a', new_value => 'x', is_local => false)", unknown: true},
	} {
		names, known := Classify([]byte(tt.text)).Changed()
		if !slices.Equal(names, tt.names) && !tt.unknown || known == tt.unknown {
			t.Errorf("%s: changes %q, known %v", tt.text, names, known)
		}
	}
}
