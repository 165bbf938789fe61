package configs

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/proxy"
)

var (
	md5Hash       = regexp.MustCompile(`^md5[0-9a-f]{32}$`)
	scramVerifier = regexp.MustCompile(`^SCRAM-SHA-256\$(\d{1,9}):([^$:]+)\$([^$:]+):([^$:]+)$`)
)

func (c check) auth() {
	first := make(map[string]int)
	for i, u := range c.cfg.Auth.Users {
		path := fmt.Sprintf("auth.users[%d]", i)
		if u.Name == "" {
			c.missing(path+".name", "a user without a name", "give it a name", path)
			continue
		}
		if before, again := first[u.Name]; again {
			c.wrong(path+".name", fmt.Sprintf("%s is the name of auth.users[%d] too", c.quote(path+".name", u.Name), before), "keep one of them")
			continue
		}
		first[u.Name] = i
		c.password(path, u)
	}
	c.certificates("auth.method", c.cfg.Auth.Method)
	c.admins(first)
}

// admins checks that those who may use the console can log in.
func (c check) admins(users map[string]int) {
	seen := make(map[string]int)
	for i, name := range c.cfg.Auth.Admins {
		path := fmt.Sprintf("auth.admins[%d]", i)
		before, again := seen[name]
		_, known := users[name]
		switch {
		case c.errs.under(path):
		case name == "":
			c.wrong(path, "an admin without a name", "write the name of a user")
		case again:
			c.wrong(path, fmt.Sprintf("%s is auth.admins[%d] too", c.quote(path, name), before), "keep one of them")
		case !known && c.cfg.Auth.Method != proxy.AuthTrust && !c.errs.under("auth.method") && !c.errs.under("auth.users"):
			c.wrong(path, "there is no user "+c.quote(path, name), "add the user to auth.users, or remove the name here")
		}
		seen[name] = i
	}
}

// certificates checks that clients are asked for certificates if the method at
// path is about them.
func (c check) certificates(path string, method proxy.AuthMethod) {
	if method == proxy.AuthCert && !c.errs.under(path) && !c.errs.under("tls.mode") && !verifies(c.cfg.TLS.Mode) {
		c.wrong(path, "cert needs client certificates, and tls.mode "+c.cfg.TLS.Mode+" does not ask for them",
			"set tls.mode to verify-full, and tls.ca_file", "tls.mode")
	}
}

// password checks that the user at path can log in by its method.
func (c check) password(path string, u proxy.User) {
	method, at, sub := c.cfg.Auth.Method, "auth.method", path+".password"
	if u.Method != "" {
		method, at = u.Method, path+".method"
		c.certificates(at, method)
	}
	if c.errs.under(at) || c.errs.under(sub) {
		return
	}
	verifier := strings.HasPrefix(u.Password, "SCRAM-SHA-256$")
	switch {
	case verifier && !validVerifier(u.Password):
		c.wrong(sub, "not a SCRAM verifier, though it starts like one",
			"copy rolpassword from pg_authid: SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>, the last three in base64")
	case method != proxy.AuthSCRAM && method != proxy.AuthMD5:
		// No password is asked for. It may still log in the backend.
	case u.Password == "":
		c.missing(sub, fmt.Sprintf("user %s has no password, and %s is %s", c.quote(path+".name", u.Name), at, method),
			"give a password, ${NAME} of an environment variable, or a SCRAM verifier", path)
	case method == proxy.AuthSCRAM && md5Hash.MatchString(u.Password):
		c.wrong(sub, "an md5 hash cannot check a scram-sha-256 login", "set "+at+" to md5, or give the password itself or its SCRAM verifier")
	}
}

// validVerifier reports whether text is a SCRAM verifier as pg_authid has it.
func validVerifier(text string) bool {
	part := scramVerifier.FindStringSubmatch(text)
	if part == nil {
		return false
	}
	if n, err := strconv.Atoi(part[1]); err != nil || n < 1 {
		return false
	}
	if _, err := base64.StdEncoding.DecodeString(part[2]); err != nil {
		return false
	}
	for _, key := range part[3:] {
		if b, err := base64.StdEncoding.DecodeString(key); err != nil || len(b) != 32 {
			return false
		}
	}
	return true
}
