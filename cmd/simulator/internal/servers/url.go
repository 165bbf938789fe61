package servers

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// ParseURL reads where a database is.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, errors.New("a database is given as a URL, such as postgres://user@127.0.0.1:5432/crm")
	}
	if _, err := pgx.ParseConfig(text); err != nil {
		return nil, err
	}
	if u.User.Username() == "" || len(u.Path) < 2 {
		return nil, fmt.Errorf("%s lacks a user or a database: postgres://user@host:5432/database", u.Redacted())
	}
	return u, nil
}

// WithDatabase is another database of the same server.
func WithDatabase(u *url.URL, database string) *url.URL {
	other := *u
	other.Path = "/" + database
	return &other
}

// DatabaseOf is a URL's database.
func DatabaseOf(u *url.URL) string { return u.Path[1:] }

// through is the same database and user by way of a proxy on this machine, which
// trusts everybody.
func through(u *url.URL, address string) *url.URL {
	return &url.URL{Scheme: "postgres", User: url.User(u.User.Username()), Host: address, Path: u.Path, RawQuery: "sslmode=disable"}
}

// backend is what PgJay wants to know of the server: all but user and database.
func backend(u *url.URL) (server, password string) {
	other := *u
	other.User, other.Path = nil, ""
	password, _ = u.User.Password()
	return other.String(), password
}

// freeAddress is one that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
