package servers

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/jackc/pgx/v5"
)

var errNoURL = errors.New("a database is given as a URL, such as postgres://user@127.0.0.1:5432/crm")

// ParseURL reads where a database is. No password is in its error.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, errNoURL
	}
	if _, err := pgx.ParseConfig(text); err != nil {
		if _, err = pgx.ParseConfig(Redacted(u)); err != nil { // it quotes what it has read
			return nil, err
		}
		return nil, errNoURL
	}
	if u.User.Username() == "" || len(u.Path) < 2 {
		return nil, fmt.Errorf("%s lacks a user or a database: postgres://user@host:5432/database", Redacted(u))
	}
	return u, nil
}

// secrets are the parameters of a URL that nobody may see.
var secrets = []string{"password", "sslpassword"}

// Redacted is a URL without its passwords, for people.
func Redacted(u *url.URL) string {
	other, query := *u, u.Query()
	hidden := false
	for _, name := range secrets {
		if query.Has(name) {
			query.Set(name, "xxxxx") // the word that package url has for it
			hidden = true
		}
	}
	if hidden {
		other.RawQuery = query.Encode()
	}
	return other.Redacted()
}

// WithDatabase is another database of the same server.
func WithDatabase(u *url.URL, database string) *url.URL {
	other := *u
	other.Path = "/" + database
	return &other
}

// DatabaseOf is a URL's database.
func DatabaseOf(u *url.URL) string { return u.Path[1:] }

// freeAddress is one that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
