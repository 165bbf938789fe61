package proxy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"
)

const (
	verifierPrefix    = "SCRAM-SHA-256$"
	defaultIterations = 4096 // PostgreSQL's scram_iterations
	saltLen           = 16   // PostgreSQL's SCRAM_DEFAULT_SALT_LEN
)

var errVerifier = errors.New("the password starts like a SCRAM verifier, but it is none; " +
	"copy rolpassword from pg_authid: SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>")

// parseVerifier reads a SCRAM verifier as pg_authid has it.
func parseVerifier(text string) (keys scram.StoredCredentials, err error) {
	iterations, rest, _ := strings.Cut(strings.TrimPrefix(text, verifierPrefix), ":")
	salt, rest, _ := strings.Cut(rest, "$")
	stored, server, _ := strings.Cut(rest, ":")
	keys.Iters, err = strconv.Atoi(iterations)
	if err != nil || keys.Iters < 1 {
		return keys, errVerifier
	}
	decoded, err := base64.StdEncoding.DecodeString(salt)
	if err != nil || len(decoded) == 0 {
		return keys, errVerifier
	}
	keys.Salt = string(decoded)
	if keys.StoredKey, err = decodeKey(stored); err != nil {
		return keys, errVerifier
	}
	if keys.ServerKey, err = decodeKey(server); err != nil {
		return keys, errVerifier
	}
	return keys, nil
}

func decodeKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(key) != sha256.Size {
		err = errVerifier
	}
	return key, err
}

// deriveKeys makes the SCRAM verifier of a plain password. It takes about a
// millisecond.
func deriveKeys(password, salt string, iterations int) (scram.StoredCredentials, error) {
	client, err := scram.SHA256.NewClientUnprepped("", prepare(password), "")
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: salt, Iters: iterations})
}

// prepare normalises a password with SASLprep. Like PostgreSQL it takes the
// bytes as they are when SASLprep rejects them or leaves nothing.
func prepare(password string) string {
	if prepared, err := stringprep.SASLprep.Prepare(password); err == nil && prepared != "" {
		return prepared
	}
	return password
}

// processKey is the secret of this process that salts and the secrets of
// strangers are made of.
var processKey = func() (key [32]byte) {
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	return key
}()

// secretFor derives a value that cannot be guessed, but is the same for the
// same name as long as the process lives.
func secretFor(purpose, name string) []byte {
	mac := hmac.New(sha256.New, processKey[:])
	_, _ = mac.Write([]byte(purpose + "\x00" + name))
	return mac.Sum(nil)
}

// saltOf returns a user's salt. It is made the same way for users that exist
// and those that do not, and a reload does not change it: it tells nothing.
func saltOf(name string) string { return string(secretFor("salt", name)[:saltLen]) }

// strangers gives users that do not exist, or have no secret that fits, a
// secret that nobody knows, so that a login as one of them looks and lasts like
// a login with a wrong password. Where secrets are plain passwords that includes
// the derivation of keys at the first login, so strangers are remembered. It is
// safe for concurrent use.
type strangers struct {
	mu   sync.Mutex
	seen map[string]*credential // by salt, which bounds the length; guarded by mu
}

// maxStrangers bounds the memory: a name is whatever a client likes.
const maxStrangers = 1000

// get returns the credential of a stranger that looks like the given kind.
func (s *strangers) get(name string, kind secretKind) *credential {
	salt := saltOf(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	cred := s.seen[salt]
	if cred == nil {
		if s.seen == nil || len(s.seen) >= maxStrangers {
			s.seen = make(map[string]*credential)
		}
		cred = newStranger(name, salt, kind)
		s.seen[salt] = cred
	}
	return cred
}

func newStranger(name, salt string, kind secretKind) *credential {
	secret := secretFor("secret", name)
	c := &credential{kind: kind, hash: hex.EncodeToString(secret[:16])}
	if kind == secretPlain {
		c.hash, c.password = "", string(secret)
		c.keys = sync.OnceValues(func() (scram.StoredCredentials, error) {
			return deriveKeys(hex.EncodeToString(secret), salt, defaultIterations)
		})
		return c
	}
	keys := scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: salt, Iters: defaultIterations},
		StoredKey:  secret,
		ServerKey:  secretFor("server key", name),
	}
	c.keys = func() (scram.StoredCredentials, error) { return keys, nil }
	return c
}
