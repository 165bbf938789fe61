package configs

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// dialed are the parameters of a connection string that say how to dial.
	// All others are the server's, such as search_path.
	dialed = []string{
		"connect_timeout", "sslmode", "sslkey", "sslcert", "sslcertmode", "sslrootcert", "sslnegotiation", "sslpassword",
		"sslsni", "target_session_attrs", "min_protocol_version", "max_protocol_version", "channel_binding", "require_auth",
	}
	// libpqOnly are those that pgconn has not, and would send to the server.
	libpqOnly = []string{
		"hostaddr", "fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "gssencmode", "gsslib", "gssdelegation", "sslcompression", "sslcrl", "sslcrldir", "requirepeer",
		"ssl_min_protocol_version", "ssl_max_protocol_version", "load_balance_hosts", "requiressl",
	}
)

var quoted = regexp.MustCompile("[\"'`].*[\"'`]")

// backendURL asks pgconn, which will dial it, whether it can be understood.
func (c check) backendURL(path, url string) {
	if c.errs.under(path) {
		return
	}
	fix := "write a URL such as postgres://127.0.0.1:5432, or a connection string such as host=/var/run/postgresql port=5432"
	if strings.TrimSpace(url) == "" {
		c.missing(path, "no server to connect to", fix)
		return
	}
	config, err := pgconn.ParseConfig(url)
	if err == nil {
		c.parameters(path, config.RuntimeParams)
		return
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without the connection string
	}
	// What the parser quotes may be a piece of a password with a / or @ in it.
	text := maskText(quoted.ReplaceAllString(err.Error(), hidden))
	c.wrong(path, "not a connection string: "+strings.TrimPrefix(text, "cannot parse "+hidden+": "), fix)
}

// parameters finds what would be sent to the server as a parameter of its own,
// and was meant for the way there: with sslmod=require, there would be no TLS.
func (c check) parameters(path string, sent map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if slices.Contains(libpqOnly, name) {
			fix := "remove it"
			if strings.HasPrefix(name, "keepalives") {
				fix += "; backend.keepalive is the interval"
			}
			c.wrong(path, name+" is a parameter of libpq that pgjay does not have", fix)
		} else if near := closest(name, dialed); near != "" && !strings.Contains(name, ".") {
			// Its name is not shown: it may be a piece of a password with a ? in it.
			c.wrong(path, "a parameter that is not quite "+near, "write "+near+"=...")
		}
	}
}
