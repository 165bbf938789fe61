package proxy

import (
	"crypto/rand"
	"crypto/subtle"

	"github.com/pgjay/pgjay/proxy/wire"
)

// md5Login asks for md5(md5(password || user) || salt).
type md5Login struct {
	user   string
	cred   *credential
	doomed string // why the login cannot succeed; empty if it can
	salt   [4]byte
}

func (l *md5Login) first() (message []byte, done bool, err error) {
	_, _ = rand.Read(l.salt[:]) // never fails (crypto/rand)
	return wire.AppendAuthentication(nil, authMD5Password, l.salt[:]), false, nil
}

func (l *md5Login) next(body []byte) (message []byte, done bool, err error) {
	given, rest, ok := wire.CString(body)
	switch {
	case !ok || len(rest) > 0:
		return nil, false, violation("invalid password packet size")
	case len(given) == 0:
		return nil, false, rejected("28P01", "empty password returned by client", "empty password")
	}
	want := "md5" + md5Hex(l.cred.md5Hash(), string(l.salt[:]))
	if subtle.ConstantTimeCompare(given, []byte(want)) != 1 || l.doomed != "" {
		return nil, false, wrongPassword(l.user, l.doomed)
	}
	return nil, true, nil
}
