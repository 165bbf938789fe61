package pool

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// connConfig turns a target into pgconn's configuration. What a server says
// about the login must depend on our configuration alone, so nothing of what
// libpq would take from elsewhere is taken: PG* environment variables (but
// PGSERVICE, which cannot be undone), ~/.pgpass, and the certificates in
// ~/.postgresql have no effect. Settings in the URL do, run-time parameters
// too: they are what a backend goes back to with RESET.
func connConfig(t Target) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig(connString(t))
	if err != nil {
		return nil, &ConfigError{reasonOf(err)}
	}
	if t.Password != "" {
		config.Password = t.Password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = t.ConnectTimeout
	}
	maps.DeleteFunc(config.RuntimeParams, func(_, value string) bool { return value == "" })
	maps.Copy(config.RuntimeParams, t.Params)
	if t.Options != "" {
		config.RuntimeParams["options"] += t.Options
	}
	return config, nil
}

// setting is a keyword of a connection string and its value.
type setting struct{ name, value string }

// defaults has a value for everything that pgconn would look for in the
// environment or the home directory.
var defaults = [...]setting{
	{"passfile", ""},
	{"application_name", ""}, {"options", ""}, {"timezone", ""},
	{"connect_timeout", "0"}, {"target_session_attrs", "any"},
	{"sslmode", "prefer"}, {"sslkey", ""}, {"sslcert", ""}, {"sslcertmode", "allow"},
	{"sslsni", "1"}, {"sslrootcert", ""}, {"sslpassword", ""}, {"sslnegotiation", ""},
	{"min_protocol_version", ""}, {"max_protocol_version", ""},
	{"channel_binding", ""}, {"require_auth", ""},
}

// connString adds to a target's URL, or keywords and values, what must not be
// taken from elsewhere. Of a setting that is there twice the last one counts.
func connString(t Target) string {
	before := append([]setting(nil), defaults[:]...)
	after := []setting{{"user", t.User}, {"dbname", t.Database}}
	scheme, rest, isURL := strings.Cut(t.URL, "://")
	if !isURL || scheme != "postgres" && scheme != "postgresql" {
		before = append(before, setting{"host", ""}, setting{"port", "5432"}, setting{"password", ""})
		return keywords(before) + t.URL + " " + keywords(after)
	}
	var login string
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		login, rest = rest[:i+1], rest[i+1:]
	}
	place, query, _ := strings.Cut(rest, "?")
	hosts, _, _ := strings.Cut(place, "/")
	if hosts == "" {
		before = append(before, setting{"host", ""})
	}
	if !namesPort(hosts) {
		before = append(before, setting{"port", "5432"})
	}
	if !strings.Contains(login, ":") {
		before = append(before, setting{"password", ""})
	}
	return scheme + "://" + login + place + "?" + joinQuery(parameters(before), query, parameters(after))
}

// keywords writes settings as keywords and values.
func keywords(settings []setting) string {
	var b strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, s := range settings {
		b.WriteString(s.name + "='" + escape.Replace(s.value) + "' ")
	}
	return b.String()
}

// parameters writes settings as the query of a URL.
func parameters(settings []setting) string {
	var b strings.Builder
	for i, s := range settings {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(s.name + "=")
		for _, c := range []byte(s.value) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func joinQuery(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "&")
}

// namesPort reports whether any of the hosts of a URL has a port.
func namesPort(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		if strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") {
			return true
		}
	}
	return false
}

// reasonOf takes the connection string out of pgconn's error about it: there
// may be a password in it.
func reasonOf(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 {
		text = text[i+len("`: "):]
	}
	return errors.New("backend URL: " + text)
}
