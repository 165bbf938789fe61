package web

import (
	"slices"
	"strings"
)

// Config says who may see the dashboard.
type Config struct {
	// Enabled serves the dashboard on the admin address.
	Enabled bool `yaml:"enabled"`
	// User and Password log a browser in. Without a password, and a token, only an admin
	// address on the loopback interface has a dashboard, and that for everybody who can
	// reach it.
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	// Token is for programs: Authorization: Bearer TOKEN.
	Token string `yaml:"token"`
}

// DefaultConfig returns the built-in defaults.
func DefaultConfig() Config { return Config{Enabled: true, User: "admin"} }

// MinSecret is how long a password or token has to be.
const MinSecret = 8

// known are passwords that everybody tries first.
var known = []string{
	"password", "passw0rd", "pgjay", "admin", "administrator", "postgres", "postgresql", "changeme", "change-me", "change_me", "secret",
	"default", "letmein", "dashboard", "12345678", "123456789", "qwertyui", "00000000", "11111111",
}

// Guessable reports whether a password is one that everybody tries first: one of these or the
// user's name, once or again and again, with digits or an exclamation mark behind it; or one
// character all along, or nothing but spaces.
func Guessable(password, user string) bool {
	whole := strings.ToLower(strings.TrimSpace(password))
	word := strings.TrimRight(whole, "0123456789!")
	made := func(of string) bool {
		return of != "" && (strings.ReplaceAll(whole, of, "") == "" || word != "" && strings.ReplaceAll(word, of, "") == "")
	}
	return whole == "" || made(string([]rune(whole)[:1])) || made(strings.ToLower(user)) || slices.ContainsFunc(known, made)
}

// login reports whether a browser can log in at all.
func (c *Config) login() bool { return c.Password != "" || c.Token != "" }
