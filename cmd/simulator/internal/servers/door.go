package servers

import (
	"context"
	"crypto/rand"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// door is how clients get into a PgJay that we start, and it into its server. It takes
// nobody whom the server would not take: without a password who knows one, or is the
// right user of this machine, could be anybody who finds the port.
type door struct {
	user     string // of clients; "": the URL's
	password string // that only we know; "" where PgJay trusts everybody, as the server does
	server   string // the URL of the server, without user and database
	secret   string // the password for it
}

// doorTo is the one before the server of u.
func doorTo(ctx context.Context, u *url.URL) (door, error) {
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return door{}, err
	}
	server := *u
	server.User, server.Path = nil, "/"
	d := door{user: config.User, server: server.String(), secret: config.Password}
	if !trusts(ctx, config) {
		d.password = rand.Text()
	}
	return d, nil
}

// trusts says whether the server takes everybody on this machine who says to be this
// user: over TCP, which does not tell whose process it is, without a certificate, and
// with a wrong password.
func trusts(ctx context.Context, config *pgx.ConnConfig) bool {
	if config.TLSConfig != nil && len(config.TLSConfig.Certificates) > 0 {
		return false
	}
	wrong := config.Copy()
	wrong.Password = rand.Text()
	conn, err := pgx.ConnectConfig(ctx, wrong)
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return conn.PgConn().Conn().RemoteAddr().Network() == "tcp"
}

// Variables of PgJay's environment. What is on a command line every user can see, and a
// file would stay where we are killed.
const (
	serverVariable   = "SIMULATOR_SERVER"
	secretVariable   = "SIMULATOR_SECRET"
	userVariable     = "SIMULATOR_USER"
	passwordVariable = "SIMULATOR_PASSWORD"
)

func (d door) environment() []string {
	return []string{serverVariable + "=" + d.server, secretVariable + "=" + d.secret, userVariable + "=" + d.user, passwordVariable + "=" + d.password}
}

// flags tell PgJay.
func (d door) flags() []string {
	set := func(key, variable string) string { return key + "=${" + variable + "}" }
	flags := []string{"--set", set("backend.url", serverVariable), "--set", set("backend.password", secretVariable)}
	if d.password == "" {
		return append(flags, "--set", "auth.method=trust")
	}
	flags = append(flags, "--set", set("auth.users.0.name", userVariable), "--set", set("auth.users.0.password", passwordVariable),
		"--set", set("auth.admins.0", userVariable))
	if d.secret != "" { // else PgJay takes the client's
		flags = append(flags, "--set", set("auth.users.0.backend_password", secretVariable))
	}
	return flags
}

// through is the same database and user by way of PgJay.
func (d door) through(u *url.URL, address string) *url.URL {
	user := u.User
	switch {
	case d.password != "":
		user = url.UserPassword(d.user, d.password)
	case d.user != "":
		user = url.User(d.user)
	}
	return &url.URL{Scheme: "postgres", User: user, Host: address, Path: u.Path, RawQuery: "sslmode=disable"}
}
