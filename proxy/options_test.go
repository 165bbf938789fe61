package proxy

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy/wire"
)

const (
	optionHint = "Try \"postgres --help\" for more information."
	badSwitch  = "invalid command-line argument for server process: "
)

// switchTable has values of the parameter options. What each one sets, or how
// PostgreSQL 15 refuses it, was tried on PostgreSQL 15.
var switchTable = []struct {
	options string
	want    string // name=value, one after the other, separated by ";"
	message string
}{
	{"", "", ""},
	{"   ", "", ""},
	{"-c work_mem=2MB", "work_mem=2MB", ""},
	{"-cwork_mem=2MB", "work_mem=2MB", ""},
	{"--work-mem=3MB", "work_mem=3MB", ""},
	{"-c work-mem=3MB", "work_mem=3MB", ""},
	{"-c WORK_MEM=2MB", "work_mem=2MB", ""},
	{"-c work_mem=2MB -c work_mem=4MB", "work_mem=2MB;work_mem=4MB", ""},
	{"-c search_path=a,b", "search_path=a,b", ""},
	{"-c a.b=c\\ d\\\\e", "a.b=c d\\e", ""},
	{"-c a.b=c=d", "a.b=c=d", ""},
	{"-c a.b=", "a.b=", ""},
	{"-c a.b=x\\", "a.b=x", ""},
	{"-c foo", "", "-c foo requires a value"},
	{"--foo", "", "--foo requires a value"},
	{"--single", "", "--single requires a value"},
	{"-c =x", "", `unrecognized configuration parameter ""`},
	{"--=x", "", `unrecognized configuration parameter ""`},
	{"-c user=postgres", "", `unrecognized configuration parameter "user"`},
	{"-c USER=postgres", "", `unrecognized configuration parameter "USER"`},
	{"--database=x", "", `unrecognized configuration parameter "database"`},
	{"-c", "", badSwitch + "-c"},
	{"-X", "", badSwitch + "-X"},
	{"-eX", "", badSwitch + "-eX"},
	{"-eXs", "", badSwitch + "-eXs"}, // PostgreSQL: "postgres"
	{"-é", "", badSwitch + "-é"},
	{"-:", "", badSwitch + "-:"},
	{"foo", "", badSwitch + "foo"},
	{"foo -S 64", "", badSwitch + "foo"},
	{"-S 64 foo bar", "", badSwitch + "foo"},
	{"foo -X", "", badSwitch + "-X"},
	{"-", "", badSwitch + "-"},
	{"\\", "", badSwitch},
	{"--", "", ""},
	{"-- -e", "", badSwitch + "-e"},
	{"-e -- -S 64", "", badSwitch + "-S"},
	{"-S", "", badSwitch + "-S"},
	{"-S 64", "work_mem=64", ""},
	{"-S64", "work_mem=64", ""},
	{"-eS 64", "datestyle=euro;work_mem=64", ""},
	{"-e-work-mem=2MB", "datestyle=euro;work_mem=2MB", ""},
	{" \t-e\v\f\r\n", "datestyle=euro", ""},
	{"-S -e", "work_mem=-e", ""},
	{"-fs -fi -fo -fb -ft -fn -fm -fh", "enable_seqscan=false;enable_indexscan=false;enable_indexonlyscan=false;" +
		"enable_bitmapscan=false;enable_tidscan=false;enable_nestloop=false;enable_mergejoin=false;enable_hashjoin=false", ""},
	{"-fsomething", "enable_seqscan=false", ""},
	{"-f ?", "", badSwitch + "?"},
	{"-f?", "", badSwitch + "-f?"},
	{"-tpa -t planner -te", "log_parser_stats=true;log_planner_stats=true;log_executor_stats=true", ""},
	{"-tx", "", badSwitch + "-tx"},
	{"-tp", "", badSwitch + "-tp"},
	{"-d 0", "log_min_messages=notice", ""},
	{"-d x", "log_min_messages=notice", ""},
	{"-d -3", "log_min_messages=notice", ""},
	{"-d 1", "log_min_messages=debug1", ""},
	{"-d +3x", "log_min_messages=debug3;log_statement=all;debug_print_parse=true", ""},
	{"-d 5", "log_min_messages=debug5;log_statement=all;debug_print_parse=true;debug_print_plan=true;debug_print_rewritten=true", ""},
	{"-B 5 -N 6 -p 7 -h x -k y", "shared_buffers=5;max_connections=6;port=7;listen_addresses=x;unix_socket_directories=y", ""},
	{"-F -i -l -O -P -s -W 0", "fsync=false;listen_addresses=*;ssl=true;allow_system_table_mods=true;" +
		"ignore_system_indexes=true;log_statement_stats=true;post_auth_delay=0", ""},
	{"-b -E -j -n -T -C x -D x -r x -v 2", "", ""},
	{"-A x", "", badSwitch + "-A"},
	{"-o x", "", badSwitch + "-o"},
}

func TestOptions(t *testing.T) {
	for _, test := range switchTable {
		settings, err := startupSettings([]wire.Param{{Name: "user", Value: "u"}, {Name: "options", Value: test.options}})
		if test.message == "" {
			if got := joinSettings(settings); err != nil || got != test.want {
				t.Errorf("%q: %s, %v; want %s", test.options, got, err, test.want)
			}
			continue
		}
		want := wire.Error{Severity: "FATAL", Code: "42601", Message: test.message}
		switch {
		case strings.HasPrefix(test.message, badSwitch):
			want.Hint = optionHint
		case strings.HasPrefix(test.message, "unrecognized"):
			want.Code = "42704"
		}
		var told *wire.Error
		if !errors.As(err, &told) || *told != want {
			t.Errorf("%q: %v, %+v; want %+v", test.options, settings, told, want)
		}
	}
}

func joinSettings(settings []setting) string {
	var texts []string
	for _, s := range settings {
		texts = append(texts, s.name+"="+s.value)
	}
	return strings.Join(texts, ";")
}

func TestStartupSettings(t *testing.T) {
	got, err := startupSettings([]wire.Param{
		{Name: "user", Value: "u"},
		{Name: "DateStyle", Value: "German"},
		{Name: "options", Value: "-c ignored=1"},
		{Name: "application_name", Value: "psql"},
		{Name: "database", Value: "d"},
		{Name: "options", Value: "-e -c work_mem=2MB"},
		{Name: "replication", Value: "off"},
		{Name: "work_mem", Value: "3MB"},
	})
	want := []setting{{"datestyle", "euro"}, {"work_mem", "2MB"}, {"datestyle", "German"}, {"application_name", "psql"}, {"work_mem", "3MB"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSpecialParameters(t *testing.T) {
	for name, ok := range map[string]bool{
		"User": false, "DATABASE": false, "Options": false, "Replication": false, "": false,
		"role": true, "session_authorization": true,
	} {
		_, err := startupSettings([]wire.Param{{Name: name, Value: "postgres"}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for value, ok := range map[string]bool{
		"database": true, "true": true, "T": true, "yes": true, "y": true, "on": true, "1": true,
		"false": true, "f": true, "No": true, "off": true, "of": true, "0": true,
		"": false, "o": false, "Database": false, "truex": false, "2": false, "onn": false,
	} {
		_, err := replication([]wire.Param{{Name: "replication", Value: value}})
		if (err == nil) != ok {
			t.Errorf("replication=%q: %v", value, err)
		}
	}
}

// FuzzOptions: the parser does not panic, no name is one that means something
// else in a StartupMessage, and a value given by -c comes out as it is.
func FuzzOptions(f *testing.F) {
	for _, test := range switchTable {
		f.Add(test.options, test.options)
	}
	escape := strings.NewReplacer("\\", "\\\\", " ", "\\ ", "\t", "\\\t", "\n", "\\\n", "\v", "\\\v", "\f", "\\\f", "\r", "\\\r")
	f.Fuzz(func(t *testing.T, options, value string) {
		settings, err := startupSettings([]wire.Param{{Name: "options", Value: options}})
		if err != nil && settings != nil {
			t.Error("settings in spite of an error")
		}
		for _, s := range settings {
			if s.name != strings.ToLower(s.name) || slices.Contains([]string{"", "user", "database", "options", "replication"}, s.name) {
				t.Errorf("name %q", s.name)
			}
		}
		settings, err = startupSettings([]wire.Param{{Name: "options", Value: "-c a.b=" + escape.Replace(value) + " -S 1"}})
		if want := []setting{{"a.b", value}, {"work_mem", "1"}}; err != nil || !reflect.DeepEqual(settings, want) {
			t.Errorf("got %v, %v", settings, err)
		}
	})
}
