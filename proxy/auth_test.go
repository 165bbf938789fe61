package proxy

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/wire"
)

// The verifier of "pencil" that PostgreSQL 15 made.
const pencil = "SCRAM-SHA-256$4096:7VYZC5OrEMiJNA+gAPNbeQ==$+Ex0A2JGinBW0Yt2XFPIH4+9n5ZgjnLYwxaqGobQQ90=:xjdCoxDfkEu7xc5bUwd851RMnuu9MBiMFtX2YnX9iyg="

var authUsers = []User{
	{Name: "alice", Password: pencil},
	{Name: "plain", Password: "pass wörd"},
	{Name: "mike", Password: "md59f2584a342fddaf7b526027c7851dddd"}, // md5 secret
	{Name: "nobody"},
}

// logins says which logins succeed. Those that do not must look the same to the
// client, whatever the reason.
var logins = []struct {
	method         AuthMethod
	user, password string
	reason         string // for the log; empty if the login succeeds
}{
	{AuthTrust, "alice", "", ""},
	{AuthTrust, "stranger", "", ""},
	{AuthSCRAM, "alice", "pencil", ""},
	{AuthSCRAM, "alice", "pencils", "wrong password"},
	{AuthSCRAM, "plain", "pass wörd", ""},
	{AuthSCRAM, "plain", "password", "wrong password"},
	{AuthSCRAM, "mike", "md5 secret", "the user has only an md5 hash in auth.users, and auth.method is scram-sha-256"},
	{AuthSCRAM, "nobody", "x", "the user has no password in auth.users"},
	{AuthSCRAM, "stranger", "x", "no such user in auth.users"},
	{AuthMD5, "alice", "pencil", ""},
	{AuthMD5, "alice", "pencils", "wrong password"},
	{AuthMD5, "plain", "pass wörd", ""},
	{AuthMD5, "plain", "password", "wrong password"},
	{AuthMD5, "mike", "md5 secret", ""},
	{AuthMD5, "mike", "md5 secreT", "wrong password"},
	{AuthMD5, "nobody", "x", "the user has no password in auth.users"},
	{AuthMD5, "stranger", "x", "no such user in auth.users"},
}

// pgconnLogin logs in with pgx and returns both sides' view of it.
func pgconnLogin(t *testing.T, srv *authServer, conn string, clientCert *testCert) (client, server error) {
	t.Helper()
	port, results := srv.listen(t)
	cfg, err := pgconn.ParseConfig("host=127.0.0.1 dbname=x port=" + port + " " + conn)
	if err != nil {
		t.Fatal(err)
	}
	if clientCert != nil {
		cfg.TLSConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{clientCert.der}, PrivateKey: clientCert.key}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), authPatience)
	defer cancel()
	pc, err := pgconn.ConnectConfig(ctx, cfg)
	if err == nil {
		_ = pc.Close(ctx)
	}
	return err, <-results
}

func TestLoginPgx(t *testing.T) {
	server := makeCert(t, named("localhost"), nil, nil)
	for _, transport := range []struct {
		name, conn string
		tls        *tlsSettings
	}{
		{"plain", "sslmode=disable", nil},
		{"tls", "sslmode=require", server.settings(t, "require", nil)},
	} {
		for _, test := range logins {
			t.Run(transport.name+"/"+string(test.method)+"/"+test.user, func(t *testing.T) {
				srv := &authServer{test.method, mustCredentials(t, authUsers...), transport.tls}
				client, refused := pgconnLogin(t, srv, transport.conn+" user="+test.user+" password='"+test.password+"'", nil)
				checkLogin(t, test.user, test.reason, client, refused)
			})
		}
	}
}

// checkLogin compares what client and log are told with what they should be.
func checkLogin(t *testing.T, user, reason string, client, refused error) {
	t.Helper()
	if reason == "" {
		if client != nil || refused != nil {
			t.Fatalf("login failed: %v; %v", client, refused)
		}
		return
	}
	var told *pgconn.PgError
	if !errors.As(client, &told) {
		t.Fatalf("client got %v", client)
	}
	want := `password authentication failed for user "` + user + `"`
	if told.Severity != "FATAL" || told.Code != "28P01" || told.Message != want || told.Detail != "" || told.Hint != "" {
		t.Errorf("client was told %+v", told)
	}
	if got := authReason(refused); got != reason {
		t.Errorf("log was told %q, want %q", got, reason)
	}
}

func TestLoginChannelBinding(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		key       crypto.Signer
		algorithm x509.SignatureAlgorithm
	}{
		{"ecdsa-sha256", nil, x509.ECDSAWithSHA256},
		{"ecdsa-sha384", nil, x509.ECDSAWithSHA384},
		{"rsa-sha512", rsaKey, x509.SHA512WithRSA},
		{"ed25519", edKey, x509.PureEd25519},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := named("localhost")
			template.SignatureAlgorithm = test.algorithm
			cert := makeCert(t, template, test.key, nil)
			srv := &authServer{AuthSCRAM, mustCredentials(t, authUsers...), cert.settings(t, "require", nil)}
			for binding, possible := range map[string]bool{"require": test.name != "ed25519", "prefer": true, "disable": true} {
				client, refused := pgconnLogin(t, srv, "user=alice password=pencil sslmode=require channel_binding="+binding, nil)
				if (client == nil) != possible {
					t.Errorf("channel_binding=%s: %v; %v", binding, client, refused)
				}
			}
			psqlLogin(t, srv, "user=alice sslmode=require channel_binding=prefer", "pencil", "")
			if test.name != "ed25519" {
				psqlLogin(t, srv, "user=alice sslmode=require channel_binding=require", "pencil", "")
				psqlLogin(t, srv, "user=alice sslmode=require channel_binding=require", "pencils",
					`FATAL:  password authentication failed for user "alice"`)
			}
		})
	}
}

// TestLoginRelayed is a man in the middle with a certificate of his own: the
// proof is bound to another TLS connection.
func TestLoginRelayed(t *testing.T) {
	shown := makeCert(t, named("localhost"), nil, nil).settings(t, "require", nil)
	shown.leaf = makeCert(t, named("localhost"), nil, nil).cert
	srv := &authServer{AuthSCRAM, mustCredentials(t, authUsers...), shown}
	client, _ := pgconnLogin(t, srv, "user=alice password=pencil sslmode=require channel_binding=require", nil)
	var told *pgconn.PgError
	if !errors.As(client, &told) || told.Code != "28000" || told.Message != "SCRAM channel binding check failed" {
		t.Errorf("client got %v", client)
	}
}

func TestLoginPsql(t *testing.T) {
	for _, test := range logins {
		t.Run(string(test.method)+"/"+test.user, func(t *testing.T) {
			srv := &authServer{test.method, mustCredentials(t, authUsers...), nil}
			message := ""
			if test.reason != "" {
				message = `FATAL:  password authentication failed for user "` + test.user + `"`
			}
			psqlLogin(t, srv, "user="+test.user, test.password, message)
		})
	}
}

// psqlLogin logs in with libpq. message is what psql should say; empty for a
// login that succeeds.
func psqlLogin(t *testing.T, srv *authServer, conn, password, message string) {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("no psql")
	}
	port, _ := srv.listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), authPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, psql, "-X", "-w", "-c", "select 1",
		"host=127.0.0.1 dbname=x port="+port+" "+conn)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PG") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "PGPASSWORD="+password, "LC_ALL=C", "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if (err == nil) != (message == "") || !strings.Contains(string(out), message) {
		t.Errorf("psql %q: %v: %s", conn, err, out)
	}
}

func TestLoginCert(t *testing.T) {
	ca := makeCert(t, x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	other := makeCert(t, x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	tlsOf := makeCert(t, named("localhost"), nil, nil).settings(t, "verify-full", ca)
	srv := &authServer{AuthCert, mustCredentials(t, authUsers...), tlsOf}
	for _, test := range []struct {
		name, user string
		cert       *testCert
		message    string // "TLS" if the handshake fails
		reason     string
	}{
		{"good", "alice", makeCert(t, named("alice"), nil, ca), "", ""},
		{"other name", "alice", makeCert(t, named("mike"), nil, ca), `certificate authentication failed for user "alice"`, `the client certificate is for "mike"`},
		{"no name", "alice", makeCert(t, x509.Certificate{}, nil, ca), `certificate authentication failed for user "alice"`, "the client certificate has no common name"},
		{"unknown", "stranger", makeCert(t, named("stranger"), nil, ca), `certificate authentication failed for user "stranger"`, "no such user in auth.users"},
		{"no certificate", "alice", nil, "TLS", ""},
		{"other signer", "alice", makeCert(t, named("alice"), nil, other), "TLS", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, refused := pgconnLogin(t, srv, "sslmode=require user="+test.user, test.cert)
			var told *pgconn.PgError
			switch {
			case test.message == "":
				checkLogin(t, test.user, "", client, refused)
			case test.message == "TLS":
				if refused == nil || errors.As(client, &told) {
					t.Errorf("client got %v; %v", client, refused)
				}
			case !errors.As(client, &told) || told.Code != "28000" || told.Message != test.message || authReason(refused) != test.reason:
				t.Errorf("client got %v; log %q", client, authReason(refused))
			}
		})
	}
}

// TestCertNeedsTLS covers what the TLS modes keep from happening.
func TestCertNeedsTLS(t *testing.T) {
	for _, state := range []*tls.ConnectionState{nil, {}} {
		a := newAuthConversation(AuthCert, mustCredentials(t, authUsers...), "alice", state, nil)
		_, done, err := a.first()
		if done || err == nil || err.Error() != "FATAL: connection requires a valid client certificate (SQLSTATE 28000)" {
			t.Errorf("got %v, %v", done, err)
		}
	}
}

func TestUnknownMethod(t *testing.T) {
	a := newAuthConversation("peer", mustCredentials(t), "alice", nil, nil)
	if _, done, err := a.first(); done || err == nil {
		t.Errorf("unknown method: done %v, %v", done, err)
	}
	if _, done, err := a.next([]byte("x\x00")); done || err == nil {
		t.Errorf("unknown method, message: done %v, %v", done, err)
	}
}

// TestNothingToAnswer: a password nobody asked for is a violation.
func TestNothingToAnswer(t *testing.T) {
	for _, p := range []proof{trustLogin{}, certLogin{}} {
		if _, done, err := p.next([]byte("x\x00")); done || err == nil || authReason(err) != "unexpected password response" {
			t.Errorf("%T: %v, %v", p, done, err)
		}
	}
}

func TestAuthReason(t *testing.T) {
	for want, err := range map[string]error{
		"wrong password": fmt.Errorf("login: %w", wrongPassword("alice", "")),
		"malformed SCRAM message: The message is empty.": malformed("The message is empty."),
		"EOF": io.EOF,
	} {
		if got := authReason(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMD5Messages(t *testing.T) {
	for _, test := range []struct{ body, code, message string }{
		{"", "08P01", "invalid password packet size"},
		{"md5", "08P01", "invalid password packet size"},
		{"a\x00b\x00", "08P01", "invalid password packet size"},
		{"\x00", "28P01", "empty password returned by client"},
		{"md5\x00", "28P01", `password authentication failed for user "plain"`},
		{"pass wörd\x00", "28P01", `password authentication failed for user "plain"`},
	} {
		a := newAuthConversation(AuthMD5, mustCredentials(t, authUsers...), "plain", nil, nil)
		message, done, err := a.first()
		if done || err != nil || len(message) != 13 || message[8] != authMD5Password {
			t.Fatalf("first gave %q, %v, %v", message, done, err)
		}
		_, done, err = a.next([]byte(test.body))
		var told *wire.Error
		if done || !errors.As(err, &told) || told.Code != test.code || told.Message != test.message || told.Severity != "FATAL" {
			t.Errorf("%q: %v, %v", test.body, done, err)
		}
	}
}
