package proxy

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
)

// secretKind says in what form a user's secret is known.
type secretKind uint8

const (
	secretNone secretKind = iota
	secretPlain
	secretMD5
	secretSCRAM
	secretKinds // how many there are
)

// credential is what the proof of one user is checked against. It is immutable
// and safe for concurrent use.
type credential struct {
	name string
	kind secretKind

	// password is the plain one, empty for the other kinds.
	password string
	// hash is md5(password || name) in hex; for a plain password it is made
	// when it is needed (md5Hash).
	hash string
	// keys returns the SCRAM verifier. For a plain password it is derived at
	// the first call, which takes about a millisecond.
	keys func() (scram.StoredCredentials, error)

	method          AuthMethod // empty: the general one
	backendUser     string
	backendPassword string
}

// Format keeps secrets out of whatever is printed.
func (c *credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "credential of "+c.name) }

// credentials is an immutable snapshot of auth.users, replaced as a whole by a
// reload. It is safe for concurrent use.
type credentials struct {
	users map[string]*credential
	// typical is the kind of secret that most users have: what a user that
	// does not exist is made to look like.
	typical   secretKind
	strangers strangers
}

// Format keeps secrets out of whatever is printed.
func (c *credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "credentials of %d users", len(c.users))
}

// newCredentials makes the snapshot. Plain passwords are turned into SCRAM
// verifiers later, one by one, when their users log in: 10,000 of them would
// stall a reload for seconds.
func newCredentials(cfg AuthConfig) (*credentials, error) {
	c := &credentials{users: make(map[string]*credential, len(cfg.Users))}
	var count [secretKinds]int
	for i, u := range cfg.Users {
		cred, err := newCredential(u)
		switch {
		case err != nil:
			return nil, fmt.Errorf("auth.users[%d] (%q): %w", i, u.Name, err)
		case c.users[u.Name] != nil:
			return nil, fmt.Errorf("auth.users[%d] (%q): there is a user of this name already; keep one of them", i, u.Name)
		}
		c.users[u.Name] = cred
		count[cred.kind]++
	}
	c.typical = secretPlain
	for kind := secretPlain; kind < secretKinds; kind++ {
		if count[kind] > count[c.typical] {
			c.typical = kind
		}
	}
	return c, nil
}

func newCredential(u User) (*credential, error) {
	c := &credential{name: u.Name, method: u.Method, backendUser: u.BackendUser, backendPassword: u.BackendPassword}
	if c.backendUser == "" {
		c.backendUser = u.Name
	}
	switch {
	case u.Password == "":
		c.kind = secretNone
	case strings.HasPrefix(u.Password, verifierPrefix):
		c.kind = secretSCRAM
		keys, err := parseVerifier(u.Password)
		if err != nil {
			return nil, err
		}
		c.keys = func() (scram.StoredCredentials, error) { return keys, nil }
	case isMD5Hash(u.Password):
		c.kind, c.hash = secretMD5, u.Password[len("md5"):]
	default:
		c.kind, c.password = secretPlain, u.Password
		c.keys = sync.OnceValues(func() (scram.StoredCredentials, error) {
			return deriveKeys(u.Password, saltOf(u.Name), defaultIterations)
		})
		if c.backendPassword == "" {
			c.backendPassword = u.Password
		}
	}
	return c, nil
}

// find returns the user of this name.
func (c *credentials) find(name string) (*credential, bool) {
	cred, ok := c.users[name]
	return cred, ok
}

// method returns how a user proves who it is.
func (c *credentials) method(name string, general AuthMethod) AuthMethod {
	if cred, ok := c.users[name]; ok && cred.method != "" {
		return cred.method
	}
	return general
}

// backendLogin says as whom a client's user is logged in to PostgreSQL. A user
// that is not listed (auth.method is trust) is logged in as itself.
func (c *credentials) backendLogin(name string) (user, password string) {
	if cred, ok := c.users[name]; ok {
		return cred.backendUser, cred.backendPassword
	}
	return name, ""
}

// md5Hash returns what pg_authid would have for the user after "md5".
func (c *credential) md5Hash() string {
	if c.kind == secretPlain {
		return md5Hex(c.password, c.name)
	}
	return c.hash
}

// isMD5Hash reports whether PostgreSQL would take a password for an md5 hash
// (crypt.c, get_password_type).
func isMD5Hash(password string) bool {
	digits, ok := strings.CutPrefix(password, "md5")
	return ok && len(digits) == 2*md5.Size && strings.Trim(digits, "0123456789abcdef") == ""
}

// md5Hex hashes a || b.
func md5Hex(a, b string) string {
	sum := md5.Sum([]byte(a + b))
	return hex.EncodeToString(sum[:])
}
