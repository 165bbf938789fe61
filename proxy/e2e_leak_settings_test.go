package proxy_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// serverSetting is a row of pg_settings.
type serverSetting struct {
	name, kind, value string
	least, most       string
	choices           string // of an enum, as an array
	user              string // who can change it; "" is everybody
}

const settableSQL = `select name, vartype, setting, min_val, max_val, enumvals, case context when 'superuser' then 'postgres' end from pg_settings
	where context = 'user' or context = 'superuser' and (select rolsuper from pg_roles where rolname = current_user) order by name`

// settingStates are all settings that the lane's user may set, each to another
// value than it has: in all the ways where there is time, otherwise in one.
func (l *lane) settingStates(t *testing.T) (states []leakState) {
	t.Helper()
	for _, s := range l.changedSettings(t) {
		ways := settingWays
		if !soak {
			n := leakRandom(s.name).IntN(len(settingWays))
			ways = settingWays[n : n+1]
		}
		for _, w := range ways {
			if w.hides && strings.HasPrefix(s.name, "app.") {
				continue
			}
			states = append(states, leakState{
				name: "setting " + s.name + " " + w.name, user: s.user,
				steps: w.steps(s.name, s.value),
			})
		}
	}
	return states
}

// changedSettings returns the settings with their new values, each tried once.
func (l *lane) changedSettings(t *testing.T) (changed []serverSetting) {
	t.Helper()
	c := l.dial(t, l.direct)
	defer c.Close()
	for _, s := range settableSettings(t, c) {
		if unchangeable[s.name] != "" {
			continue
		}
		value, ok := anotherValue(t, c, s)
		if !ok {
			t.Errorf("no other value for %s is known, nor a reason that there is none", s.name)
			continue
		}
		s.value = value
		changed = append(changed, s)
	}
	return append(changed, serverSetting{name: "app.x", value: "left"}, serverSetting{name: "app.y", value: "it's \\ left"})
}

func settableSettings(t *testing.T, c *pgtest.Conn) (settings []serverSetting) {
	t.Helper()
	frames, err := c.Query("do $$ begin end $$; " + settableSQL) // plpgsql has some, too
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if f.Type == 'E' {
			t.Fatal(f)
		}
		var row pgproto3.DataRow
		if f.Type != 'D' {
			continue
		}
		if err := row.Decode(f.Body); err != nil {
			t.Fatal(err)
		}
		v := row.Values
		settings = append(settings, serverSetting{string(v[0]), string(v[1]), string(v[2]), string(v[3]), string(v[4]), string(v[5]), string(v[6])})
	}
	return settings
}

// anotherValue returns the first candidate that the server takes and that is
// not what the setting already is.
func anotherValue(t *testing.T, c *pgtest.Conn, s serverSetting) (value string, ok bool) {
	t.Helper()
	for _, v := range s.candidates() {
		frames, err := c.Query(fmt.Sprintf("begin; set local %s = %s; select setting from pg_settings where name = '%s'", s.name, quoteValue(v), s.name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			ok = ok || f.Type == 'D' && f.Value() != s.value
		}
		if _, err := c.Query("rollback"); err != nil {
			t.Fatal(err)
		}
		if ok {
			return v, true
		}
	}
	return "", false
}

// candidates are values that a setting may have, the most harmless one first:
// the client must still be able to work with it.
func (s serverSetting) candidates() []string {
	if v, special := otherValues[strings.ToLower(s.name)]; special {
		return []string{v}
	}
	switch s.kind {
	case "bool":
		return []string{"on", "off"}
	case "enum":
		return strings.Split(strings.Trim(s.choices, "{}"), ",")
	case "integer", "real":
		return s.numbers()
	}
	return nil
}

// numbers are the next ones, or those in the middle. A timeout is a long one.
func (s serverSetting) numbers() []string {
	if strings.HasSuffix(s.name, "_timeout") {
		return []string{"3600000"}
	}
	now, _ := strconv.ParseFloat(s.value, 64)
	least, _ := strconv.ParseFloat(s.least, 64)
	most, _ := strconv.ParseFloat(s.most, 64)
	var numbers []string
	for _, n := range []float64{now + 1, now - 1, (least + most) / 2} {
		if n >= least && n <= most {
			numbers = append(numbers, strconv.FormatFloat(n, 'f', -1, 64))
		}
	}
	return numbers
}

// otherValues are for settings that take few values, or some that would get in
// the way of the test.
var otherValues = map[string]string{
	"application_name":                 "left",
	"backtrace_functions":              "left",
	"client_connection_check_interval": "10000",
	"client_encoding":                  "LATIN1",
	"client_min_messages":              "error",
	"createrole_self_grant":            "set",
	"datestyle":                        "German",
	"default_table_access_method":      "leak_heap",
	"default_tablespace":               "pg_default",
	"default_text_search_config":       "pg_catalog.simple",
	"dynamic_library_path":             "$libdir:/nowhere",
	"extension_destdir":                "/nowhere",
	"output_plugin_libraries":          "left",
	"extension_control_path":           "$system:/nowhere",
	"lc_messages":                      "POSIX",
	"lc_monetary":                      "POSIX",
	"lc_numeric":                       "POSIX",
	"lc_time":                          "POSIX",
	"local_preload_libraries":          "left",
	"log_min_error_statement":          "panic",
	"log_min_messages":                 "panic",
	"plpgsql.extra_errors":             "all",
	"plpgsql.extra_warnings":           "all",
	"restrict_nonsystem_relation_kind": "view",
	"search_path":                      "leak",
	"session_preload_libraries":        "left",
	"temp_file_limit":                  "1000000",
	"temp_tablespaces":                 "pg_default",
	"timezone":                         "Europe/Paris",
	"timezone_abbreviations":           "India",
	"transaction_isolation":            "serializable",
	"wal_consistency_checking":         "heap",
}

// unchangeable are settings that have one value only, with the reason.
var unchangeable = map[string]string{
	"debug_discard_caches": "builds without assertions take 0 only",
}

// quoteValue makes a literal.
func quoteValue(v string) string {
	literal := "'" + strings.ReplaceAll(v, "'", "''") + "'"
	if strings.Contains(v, `\`) {
		return " E" + strings.ReplaceAll(literal, `\`, `\\`)
	}
	return literal
}
