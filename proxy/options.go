package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// setting is a run-time parameter that a client gives at start-up. The name is
// in lower case.
type setting struct{ name, value string }

// startupSettings returns the run-time parameters in a StartupMessage, in the
// order in which PostgreSQL applies them (postinit.c, process_startup_options):
// first the switches in the parameter options, then the parameters of the
// message. A later one of the same name overrides an earlier one. Whether a
// parameter exists and may be set is for PostgreSQL to say.
func startupSettings(params []wire.Param) ([]setting, error) {
	var options string
	var named []setting
	for _, p := range params {
		switch p.Name {
		case "user", "database", "replication":
		case "options":
			options = p.Value
		default:
			named = append(named, setting{p.Name, p.Value})
		}
	}
	settings, err := parseSwitches(splitOptions(options))
	if err != nil {
		return nil, err
	}
	settings = append(settings, named...)
	for i := range settings {
		if err := checkName(settings[i].name); err != nil {
			return nil, err
		}
		settings[i].name = strings.ToLower(settings[i].name)
	}
	return settings, nil
}

// checkName refuses names that no run-time parameter has, but that mean
// something else in a StartupMessage. A client that could smuggle one of them
// into the StartupMessage of a backend would choose whom the backend is logged
// in as.
func checkName(name string) error {
	switch strings.ToLower(name) {
	case "", "user", "database", "options", "replication":
		return &wire.Error{Severity: "FATAL", Code: "42704", Message: fmt.Sprintf("unrecognized configuration parameter \"%s\"", name)}
	}
	return nil
}

// checkReplication refuses what is neither a boolean (bool.c, parse_bool) nor
// "database".
func checkReplication(value string) error {
	v := strings.ToLower(value)
	switch {
	case value == "database", v == "1", v == "0", v == "on", v == "of", v == "off":
		return nil
	case v != "" && (strings.HasPrefix("true", v) || strings.HasPrefix("false", v) ||
		strings.HasPrefix("yes", v) || strings.HasPrefix("no", v)):
		return nil
	}
	return &wire.Error{
		Severity: "FATAL", Code: "22023",
		Message: fmt.Sprintf("invalid value for parameter \"replication\": \"%s\"", value),
		Hint:    "Valid values are: \"false\", 0, \"true\", 1, \"database\".",
	}
}

// splitOptions cuts the parameter options into arguments at white space. A
// backslash takes the special meaning from the next character (postinit.c,
// pg_split_opts).
func splitOptions(options string) (args []string) {
	for {
		options = strings.TrimLeft(options, whiteSpace)
		if options == "" {
			return args
		}
		var arg []byte
		arg, options = splitOption(options)
		args = append(args, string(arg))
	}
}

const whiteSpace = " \t\n\v\f\r"

// splitOption cuts off the first argument.
func splitOption(options string) (arg []byte, rest string) {
	escaped := false
	for i := range len(options) {
		c := options[i]
		switch {
		case escaped:
			arg, escaped = append(arg, c), false
		case c == '\\':
			escaped = true
		case strings.IndexByte(whiteSpace, c) >= 0:
			return arg, options[i:]
		default:
			arg = append(arg, c)
		}
	}
	return arg, ""
}

// The server's switches, as getopt has them: those with an argument and those
// without (postgres.c, process_postgres_switches).
const (
	switchesWithValue = "BCcDdfhkNprStvW-"
	switchesAlone     = "bEeFijlnOPsT"
)

// parseSwitches turns the arguments into settings. As with getopt, switches may
// be joined (-eS64), switches and other arguments may be mixed, and "--" ends
// the switches; any other argument is an error.
func parseSwitches(args []string) (settings []setting, err error) {
	var others []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			others = append(others, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			others = append(others, arg)
			continue
		}
		if settings, args, err = parseJoined(settings, arg, args); err != nil {
			return nil, err
		}
	}
	if len(others) > 0 {
		return nil, badArgument(others[0])
	}
	return settings, nil
}

// parseJoined handles the switches that are joined in arg. The value of the last
// one may be the next argument.
func parseJoined(settings []setting, arg string, args []string) ([]setting, []string, error) {
	for i := 1; i < len(arg); i++ {
		letter := arg[i]
		if strings.IndexByte(switchesAlone, letter) >= 0 {
			settings = append(settings, plainSwitch(letter)...)
			continue
		}
		if strings.IndexByte(switchesWithValue, letter) < 0 {
			return nil, nil, badArgument(arg)
		}
		value, at := arg[i+1:], arg
		if value == "" {
			if len(args) == 0 {
				return nil, nil, badArgument(arg)
			}
			value, at, args = args[0], args[0], args[1:]
		}
		more, err := valueSwitch(letter, value, at)
		return append(settings, more...), args, err
	}
	return settings, args, nil
}

// badArgument names the argument that is wrong. (PostgreSQL names the one before
// it when the wrong switch is joined to others.)
func badArgument(arg string) error {
	return &wire.Error{
		Severity: "FATAL", Code: "42601",
		Message: "invalid command-line argument for server process: " + arg,
		Hint:    "Try \"postgres --help\" for more information.",
	}
}

// plainSwitch returns what a switch without a value sets. Those that only the
// server itself may give are ignored: b, E, j, n, T.
func plainSwitch(letter byte) []setting {
	switch letter {
	case 'e':
		return []setting{{"datestyle", "euro"}}
	case 'F':
		return []setting{{"fsync", "false"}}
	case 'i':
		return []setting{{"listen_addresses", "*"}}
	case 'l':
		return []setting{{"ssl", "true"}}
	case 'O':
		return []setting{{"allow_system_table_mods", "true"}}
	case 'P':
		return []setting{{"ignore_system_indexes", "true"}}
	case 's':
		return []setting{{"log_statement_stats", "true"}}
	}
	return nil
}

// valueSwitch returns what a switch with a value sets. Those that only the
// server itself may give are ignored: C, D, r, v. at is the argument to complain
// about.
func valueSwitch(letter byte, value, at string) ([]setting, error) {
	switch letter {
	case 'c', '-':
		return longOption(letter, value)
	case 'd':
		return debugSwitch(value), nil
	case 'f':
		return offSwitch(value, at)
	case 't':
		return statsSwitch(value, at)
	case 'B':
		return []setting{{"shared_buffers", value}}, nil
	case 'h':
		return []setting{{"listen_addresses", value}}, nil
	case 'k':
		return []setting{{"unix_socket_directories", value}}, nil
	case 'N':
		return []setting{{"max_connections", value}}, nil
	case 'p':
		return []setting{{"port", value}}, nil
	case 'S':
		return []setting{{"work_mem", value}}, nil
	case 'W':
		return []setting{{"post_auth_delay", value}}, nil
	}
	return nil, nil
}

// longOption is -c name=value or --name=value. Dashes in the name stand for
// underscores (guc.c, ParseLongOption).
func longOption(letter byte, text string) ([]setting, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		prefix := "-c "
		if letter == '-' {
			prefix = "--"
		}
		return nil, &wire.Error{Severity: "FATAL", Code: "42601", Message: prefix + text + " requires a value"}
	}
	return []setting{{strings.ReplaceAll(name, "-", "_"), value}}, nil
}

// debugSwitch is -d level (postgres.c, set_debug_options).
func debugSwitch(value string) []setting {
	level := leadingInt(value)
	if level <= 0 {
		return []setting{{"log_min_messages", "notice"}}
	}
	settings := []setting{{"log_min_messages", "debug" + strconv.Itoa(level)}}
	for i, s := range []setting{
		{"log_statement", "all"},
		{"debug_print_parse", "true"},
		{"debug_print_plan", "true"},
		{"debug_print_rewritten", "true"},
	} {
		if level >= i+2 {
			settings = append(settings, s)
		}
	}
	return settings
}

// leadingInt reads a number as C's atoi does; 0 if there is none or it is too
// large.
func leadingInt(text string) int {
	text = strings.TrimLeft(text, whiteSpace)
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

var (
	plans = map[byte]string{
		's': "enable_seqscan", 'i': "enable_indexscan", 'o': "enable_indexonlyscan", 'b': "enable_bitmapscan",
		't': "enable_tidscan", 'n': "enable_nestloop", 'm': "enable_mergejoin", 'h': "enable_hashjoin",
	}
	stages = map[string]string{"pa": "log_parser_stats", "pl": "log_planner_stats"}
)

// offSwitch is -f plan: only the first letter counts (postgres.c,
// set_plan_disabling_options).
func offSwitch(value, at string) ([]setting, error) {
	if value != "" {
		if name, ok := plans[value[0]]; ok {
			return []setting{{name, "false"}}, nil
		}
	}
	return nil, badArgument(at)
}

// statsSwitch is -t pa, pl or e; letters after that do not count (postgres.c,
// get_stats_option_name).
func statsSwitch(value, at string) ([]setting, error) {
	name := stages[value[:min(len(value), 2)]]
	if strings.HasPrefix(value, "e") {
		name = "log_executor_stats"
	}
	if name == "" {
		return nil, badArgument(at)
	}
	return []setting{{name, "true"}}, nil
}
