package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// verifiers were made by PostgreSQL 15 from these passwords: they show which
// ones SASLprep changes and which ones are taken as they are.
var verifiers = []struct{ name, password, verifier string }{
	{"ascii", "pencil", pencil},
	{"umlaut", "pass wörd", "SCRAM-SHA-256$4096:jpEn25jbeO0j3XH7Q8IEkg==$fsgLZ9HuTQ9phyPuWOpJH3cxZ6VBRePUVROGro305Zw=:n7g1weTGkdfpeoIwiNOPcL0qEfIl6/YQXS/05HGvxDw="},
	{"soft hyphen, taken out", "a\u00adb", "SCRAM-SHA-256$4096:WzXimTRSrq9nvXMsQTxzBQ==$cBPLvGXapHiaLjZsQVzhL9Ux8LGDcceSLzGibdNmrX4=:jVtPNA14D18LqrPva75sUXmXc1NXYj6cuZzxrBlvrc8="},
	{"unassigned in Unicode 3.2, raw", "😀", "SCRAM-SHA-256$4096:USEazMvyGDRmvomntdhz6g==$JuHxVH+9awfJkt7HREKKIrCi223enoiO1XkSk707qto=:oFMTwRQC1/xaQDiFB77y+UWgtRMZ6hgd79GKsLQj9c8="},
	{"nothing left, raw", "\u00ad", "SCRAM-SHA-256$4096:nCtKR/YnfR4rOWRpnpxJJg==$z8VZ3HqpV2wwunjx7GyFUGWu3azyYnRAPq4hdeOWZAA=:85tyLdGyB1MfTPo8Vre4EYEJjlNXsvMP9ObTrM/CiA0="},
	{"ligature, composed", "\ufb01x", "SCRAM-SHA-256$4096:1CK4MwTy2vYE1k1aygfafg==$gu+xSmSAp+JDxKof1NNlKzo1pcjxs0o6JbAGvImTNXY=:eMnO3HA5nrAUHS4xIOB+03iHoRQONqtKLefS+NpED9M="},
	{"control character, raw", "a\x01b", "SCRAM-SHA-256$4096:WKLeWJyen6TH2dtsKfvleg==$wAkJ1s5xcwtiegI0Qnrh2ylRKdsSvxUmPYHsud7HXxA=:yfctdC1UDtpXxqvu/7H78Vyb1KVoPqoBHDcZk8uJVLQ="},
	{"other space", "a\u00a0b", "SCRAM-SHA-256$4096:FLPYLSVnzvn8I4DfAVEahg==$JXx9Q772Wrq0Sur9qVFBSn0lXWDymrUqKikq1QFaU4E=:xSwd0i0dGDIBrN+XgjLQEnFhZRIEsqux6YPF8qc6Ujw="},
}

func TestVerifiersOfPostgreSQL(t *testing.T) {
	for _, test := range verifiers {
		t.Run(test.name, func(t *testing.T) {
			want, err := parseVerifier(test.verifier)
			if err != nil {
				t.Fatal(err)
			}
			got, err := deriveKeys(test.password, want.Salt, want.Iters)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.StoredKey) != string(want.StoredKey) || string(got.ServerKey) != string(want.ServerKey) {
				t.Error("other keys")
			}
		})
	}
}

func TestBrokenVerifiers(t *testing.T) {
	for _, verifier := range []string{
		"SCRAM-SHA-256$",
		"SCRAM-SHA-256$4096",
		"SCRAM-SHA-256$x" + strings.TrimPrefix(pencil, "SCRAM-SHA-256$"),
		strings.Replace(pencil, "4096", "0", 1),
		strings.Replace(pencil, "4096", "-1", 1),
		strings.Replace(pencil, "4096", "99999999999999999999", 1),
		strings.Replace(pencil, "7VYZC5OrEMiJNA+gAPNbeQ==", "", 1),
		strings.Replace(pencil, "7VYZC5OrEMiJNA+gAPNbeQ==", "%", 1),
		strings.Replace(pencil, "$+Ex0", "$", 1),
		strings.Replace(pencil, ":xjdC", ":", 1),
		pencil + ":more",
		pencil + "=",
	} {
		_, err := newCredentials(AuthConfig{Users: []User{{Name: "ok", Password: "x"}, {Name: "alice", Password: verifier}}})
		if err == nil {
			t.Errorf("%s is accepted", verifier)
			continue
		}
		if !strings.HasPrefix(err.Error(), `auth.users[1] ("alice"): `) || strings.Contains(err.Error(), "90=") {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestDuplicateUser(t *testing.T) {
	_, err := newCredentials(AuthConfig{Users: []User{{Name: "a"}, {Name: "b"}, {Name: "a", Password: "s3cret"}}})
	if err == nil || !strings.HasPrefix(err.Error(), `auth.users[2] ("a"): `) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
}

func TestKindOfSecret(t *testing.T) {
	for _, test := range []struct {
		password string
		kind     secretKind
	}{
		{"", secretNone},
		{"x", secretPlain},
		{"scram-sha-256$", secretPlain},
		{pencil, secretSCRAM},
		{"md59f2584a342fddaf7b526027c7851dddd", secretMD5},
		{"md59f2584a342fddaf7b526027c7851ddd", secretPlain},
		{"md59f2584a342fddaf7b526027c7851dddD", secretPlain},
		{"md59f2584a342fddaf7bx26027c7851dddd", secretPlain},
	} {
		cred, ok := mustCredentials(t, User{Name: "u", Password: test.password}).find("u")
		if !ok || cred.kind != test.kind {
			t.Errorf("%q: kind %d", test.password, cred.kind)
		}
	}
}

func TestTypicalSecret(t *testing.T) {
	md5 := "md59f2584a342fddaf7b526027c7851dddd"
	for _, test := range []struct {
		passwords []string
		typical   secretKind
	}{
		{nil, secretPlain},
		{[]string{"", "", pencil}, secretSCRAM},
		{[]string{"x", pencil}, secretPlain},
		{[]string{"x", md5, md5}, secretMD5},
	} {
		var users []User
		for i, p := range test.passwords {
			users = append(users, User{Name: fmt.Sprint(i), Password: p})
		}
		if got := mustCredentials(t, users...).typical; got != test.typical {
			t.Errorf("%d users: %d, want %d", len(users), got, test.typical)
		}
	}
}

func TestBackendLogin(t *testing.T) {
	creds := mustCredentials(t,
		User{Name: "plain", Password: "p"},
		User{Name: "verifier", Password: pencil},
		User{Name: "hash", Password: "md59f2584a342fddaf7b526027c7851dddd"},
		User{Name: "both", Password: pencil, BackendUser: "app", BackendPassword: "q"},
		User{Name: "password", Password: "p", BackendPassword: "q"},
		User{Name: "user", Password: "p", BackendUser: "app"},
	)
	for name, want := range map[string][2]string{
		"plain": {"plain", "p"}, "verifier": {"verifier", ""}, "hash": {"hash", ""}, "both": {"app", "q"},
		"password": {"password", "q"}, "user": {"app", "p"}, "stranger": {"stranger", ""},
	} {
		if user, password := creds.backendLogin(name); user != want[0] || password != want[1] {
			t.Errorf("%s logs in as %q, %q", name, user, password)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	creds := mustCredentials(t, User{Name: "alice", Password: "s3cret", BackendPassword: "s3cret"})
	cred, _ := creds.find("alice")
	a := newAuthConversation(AuthMD5, creds, "alice", nil, nil)
	_, _, _ = a.first()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb+verb+verb, creds, cred, a); strings.Contains(text, "s3cret") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// TestManyUsers: a reload derives nothing, and logins of one user at the same
// time derive once.
func TestManyUsers(t *testing.T) {
	users := make([]User, 10000)
	for i := range users {
		users[i] = User{Name: fmt.Sprint(i), Password: fmt.Sprint("password", i)}
	}
	creds := mustCredentials(t, users...)
	cred, ok := creds.find("9999")
	if !ok {
		t.Fatal("user not found")
	}
	keys := make(chan *byte, 8)
	for range cap(keys) {
		go func() {
			k, err := cred.keys()
			if err != nil {
				t.Error(err)
			}
			keys <- &k.StoredKey[0]
		}()
	}
	first := <-keys
	for range cap(keys) - 1 {
		if <-keys != first {
			t.Error("derived more than once")
		}
	}
}

func BenchmarkDeriveKeys(b *testing.B) {
	for b.Loop() {
		if _, err := deriveKeys("pencil", "0123456789abcdef", defaultIterations); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewCredentials(b *testing.B) {
	users := make([]User, 10000)
	for i := range users {
		users[i] = User{Name: fmt.Sprint(i), Password: "x"}
	}
	for b.Loop() {
		if _, err := newCredentials(AuthConfig{Users: users}); err != nil {
			b.Fatal(err)
		}
	}
}
