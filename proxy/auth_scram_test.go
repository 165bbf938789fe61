package proxy

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/pgjay/pgjay/proxy/wire"
)

// brokenSASL has what clients should not send and what PostgreSQL 15 says to it.
// NONCE stands for the nonce of the conversation, PROOF for a well-formed proof.
// All but those with plus were tried on PostgreSQL 15 without TLS.
var brokenSASL = []struct {
	name         string
	plus         bool   // over TLS
	first, final string // SASLInitialResponse as raw says, else its SCRAM message with SCRAM-SHA-256; SASLResponse
	code         string
	message      string
	detail       string
}{
	{name: "no mechanism", first: "raw:SCRAM", code: "08P01", message: "invalid string in message"},
	{name: "other mechanism", first: "raw:SCRAM-SHA-1\x00\x00\x00\x00\x00", code: "08P01", message: "client selected an invalid SASL authentication mechanism"},
	{name: "plus without TLS", first: "raw:SCRAM-SHA-256-PLUS\x00\x00\x00\x00\x00", code: "08P01", message: "client selected an invalid SASL authentication mechanism"},
	{name: "no length", first: "raw:SCRAM-SHA-256\x00\x00\x00", code: "08P01", message: "insufficient data left in message"},
	{name: "long length", first: "raw:SCRAM-SHA-256\x00\x00\x00\x00\x05n,,", code: "08P01", message: "insufficient data left in message"},
	{name: "negative length", first: "raw:SCRAM-SHA-256\x00\xff\xff\xff\xfen,,", code: "08P01", message: "insufficient data left in message"},
	{name: "short length", first: "raw:SCRAM-SHA-256\x00\x00\x00\x00\x01n,,", code: "08P01", message: "invalid message format"},
	{name: "none, but some", first: "raw:SCRAM-SHA-256\x00\xff\xff\xff\xffn,,", code: "08P01", message: "invalid message format"},
	{name: "empty", first: "", code: "08P01", message: "malformed SCRAM message", detail: "The message is empty."},
	{name: "NUL", first: "n,,n=\x00,r=abc", code: "08P01", message: "malformed SCRAM message", detail: "Message length does not match input length."},
	{name: "flag", first: "x,,n=,r=abc", code: "08P01", message: "malformed SCRAM message", detail: `Unexpected channel-binding flag "'x'".`},
	{name: "odd flag", first: "\xff", code: "08P01", message: "malformed SCRAM message", detail: `Unexpected channel-binding flag "0xff".`},
	{name: "no comma", first: "nn", code: "08P01", message: "malformed SCRAM message", detail: `Comma expected, but found character "'n'".`},
	{name: "cut after flag", first: "y", code: "08P01", message: "malformed SCRAM message", detail: `Comma expected, but found character "0x00".`},
	{name: "binding without plus", first: "p=tls-server-end-point,,n=,r=abc", code: "08P01", message: "malformed SCRAM message", detail: "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data."},
	{name: "authzid", first: "n,a=root,n=,r=abc", code: "0A000", message: "client uses authorization identity, but it is not supported"},
	{name: "attribute in header", first: "n,b=root,n=,r=abc", code: "08P01", message: "malformed SCRAM message", detail: `Unexpected attribute "'b'" in client-first-message.`},
	{name: "mandatory extension", first: "n,,m=x,n=,r=abc", code: "0A000", message: "client requires an unsupported SCRAM extension"},
	{name: "no user", first: "n,,r=abc", code: "08P01", message: "malformed SCRAM message", detail: `Expected attribute "n" but found "'r'".`},
	{name: "no equals", first: "n,,n,r=abc", code: "08P01", message: "malformed SCRAM message", detail: `Expected character "=" for attribute "n".`},
	{name: "no nonce", first: "n,,n=", code: "08P01", message: "malformed SCRAM message", detail: `Expected attribute "r" but found "0x00".`},
	{name: "odd nonce", first: "n,,n=,r=a b", code: "08P01", message: "non-printable characters in SCRAM nonce"},
	{name: "bad nonce byte", first: "n,,n=,r=a\xffb", code: "08P01", message: "non-printable characters in SCRAM nonce"},
	{name: "bad extension", first: "n,,n=,r=abc,1=x", code: "08P01", message: "malformed SCRAM message", detail: `Attribute expected, but found invalid character "'1'".`},
	{name: "empty extension", first: "n,,n=,r=abc,,x=1", code: "08P01", message: "malformed SCRAM message", detail: `Attribute expected, but found invalid character "','".`},
	{name: "empty final", first: "n,,n=,r=abc", final: "", code: "08P01", message: "malformed SCRAM message", detail: "The message is empty."},
	{name: "other flag in final", first: "n,,n=,r=abc", final: "c=eSws,r=NONCE,p=PROOF", code: "08P01", message: "unexpected SCRAM channel-binding attribute in client-final-message"},
	{name: "no binding in final", first: "n,,n=,r=abc", final: "r=NONCE,p=PROOF", code: "08P01", message: "malformed SCRAM message", detail: `Expected attribute "c" but found "'r'".`},
	{name: "other nonce", first: "n,,n=,r=abc", final: "c=biws,r=abcd,p=PROOF", code: "08P01", message: "invalid SCRAM response", detail: "Nonce does not match."},
	{name: "no proof", first: "n,,n=,r=abc", final: "c=biws,r=NONCE", code: "08P01", message: "malformed SCRAM message", detail: "Attribute expected, but found end of string."},
	{name: "short proof", first: "n,,n=,r=abc", final: "c=biws,r=NONCE,p=AAAA", code: "08P01", message: "malformed SCRAM message", detail: "Malformed proof in client-final-message."},
	{name: "bad proof", first: "n,,n=,r=abc", final: "c=biws,r=NONCE,p=%", code: "08P01", message: "malformed SCRAM message", detail: "Malformed proof in client-final-message."},
	{name: "more after proof", first: "n,,n=,r=abc", final: "c=biws,r=NONCE,p=PROOF,x=1", code: "08P01", message: "malformed SCRAM message", detail: "Garbage found at the end of client-final-message."},
	{name: "wrong proof", first: "n,,n=,r=abc", final: "c=biws,r=NONCE,p=PROOF", code: "28P01", message: `password authentication failed for user "alice"`},
	{name: "wrong proof, extensions", first: "y,,n=whoever,r=abc,x=1", final: "c=eSws,r=NONCE,x=1,p=PROOF", code: "28P01", message: `password authentication failed for user "alice"`},

	{name: "downgrade", plus: true, first: "y,,n=,r=abc", code: "28000", message: "SCRAM channel binding negotiation error", detail: "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding."},
	{name: "plus without data", plus: true, first: "plus:n,,n=,r=abc", code: "08P01", message: "malformed SCRAM message", detail: "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data."},
	{name: "plus, downgrade", plus: true, first: "plus:y,,n=,r=abc", code: "08P01", message: "malformed SCRAM message", detail: "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data."},
	{name: "other binding", plus: true, first: "plus:p=tls-unique,,n=,r=abc", code: "08P01", message: `unsupported SCRAM channel-binding type "tls-unique"`},
	{name: "odd binding", plus: true, first: "plus:p=\x01\xffaaaaaaaaaabbbbbbbbbbccccccccccdddddddddd,,n=,r=abc", code: "08P01", message: `unsupported SCRAM channel-binding type "??aaaaaaaaaabbbbbbbbbbcccccccc"`},
	{name: "plus, cut", plus: true, first: "plus:p=tls-server-end-point", code: "08P01", message: "malformed SCRAM message", detail: `Unexpected attribute "0x00" in client-first-message.`},
	{name: "binding of nothing", plus: true, first: "plus:p=tls-server-end-point,,n=,r=abc", final: "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCws,r=NONCE,p=PROOF", code: "28000", message: "SCRAM channel binding check failed"},
	{name: "n over TLS", plus: true, first: "n,,n=,r=abc", final: "c=biws,r=NONCE,p=PROOF", code: "28P01", message: `password authentication failed for user "alice"`},
}

// saslInitial builds the body of a SASLInitialResponse as brokenSASL has it.
func saslInitial(first string) []byte {
	if raw, ok := strings.CutPrefix(first, "raw:"); ok {
		return []byte(raw)
	}
	mechanism := mechanismSCRAM
	if rest, ok := strings.CutPrefix(first, "plus:"); ok {
		mechanism, first = mechanismSCRAMPlus, rest
	}
	body := append([]byte(mechanism), 0)
	body = binary.BigEndian.AppendUint32(body, uint32(len(first)))
	return append(body, first...)
}

// saslFinal fills in what brokenSASL leaves open.
func saslFinal(final string, serverFirst []byte) []byte {
	nonce, _, _ := strings.Cut(strings.TrimPrefix(string(serverFirst), "r="), ",")
	proof := base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))
	return []byte(strings.NewReplacer("NONCE", nonce, "PROOF", proof).Replace(final))
}

func TestBrokenSASL(t *testing.T) {
	cert := makeCert(t, named("localhost"), nil, nil)
	for _, test := range brokenSASL {
		t.Run(test.name, func(t *testing.T) {
			a := newAuthConversation(AuthSCRAM, mustCredentials(t, authUsers...), "alice", nil, nil)
			if test.plus {
				a = newAuthConversation(AuthSCRAM, mustCredentials(t, authUsers...), "alice", &tls.ConnectionState{}, cert.cert)
			}
			if _, done, err := a.first(); done || err != nil {
				t.Fatal(done, err)
			}
			reply, done, err := a.next(saslInitial(test.first))
			if err == nil {
				_, done, err = a.next(saslFinal(test.final, reply[9:]))
			}
			var told *wire.Error
			if done || !errors.As(err, &told) {
				t.Fatalf("done %v, error %v", done, err)
			}
			want := wire.Error{Severity: "FATAL", Code: test.code, Message: test.message, Detail: test.detail}
			if *told != want {
				t.Errorf("got  %+v\nwant %+v", *told, want)
			}
		})
	}
}

// scramClient is the other side, by the same library.
func scramClient(t testing.TB, password string) *scram.ClientConversation {
	t.Helper()
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return client.NewConversation()
}

// TestNoInitialResponse is a client that sends its first message on its own.
func TestNoInitialResponse(t *testing.T) {
	a := newAuthConversation(AuthSCRAM, mustCredentials(t, authUsers...), "alice", nil, nil)
	client := scramClient(t, "pencil")
	_, _, err := a.first()
	reply, done, nerr := a.next([]byte("SCRAM-SHA-256\x00\xff\xff\xff\xff"))
	if err != nil || nerr != nil || done || string(reply) != "R\x00\x00\x00\x08\x00\x00\x00\x0b" {
		t.Fatalf("got %q, %v, %v, %v", reply, done, err, nerr)
	}
	var text string
	for !done {
		if text, err = client.Step(text); err != nil {
			t.Fatal(err)
		}
		if reply, done, err = a.next([]byte(text)); err != nil {
			t.Fatal(err)
		}
		text = string(reply[9:])
	}
	if reply[8] != authSASLFinal {
		t.Errorf("last message %q", reply)
	}
	if _, err := client.Step(text); err != nil || !client.Valid() {
		t.Errorf("the client does not believe the server: %v", err)
	}
	if _, done, err := a.next([]byte(text)); done || err == nil {
		t.Error("a conversation goes on after its end")
	}
}

// TestUserNameInSCRAM: it is ignored, as PostgreSQL does, but for one that RFC
// 5802 tells a server to refuse (PostgreSQL does not).
func TestUserNameInSCRAM(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "*": "", "mike": "", "a=2Cb=3D": "", "ä\xff": "",
		"a=b": "malformed SCRAM message: The user name in client-first-message is not encoded as RFC 5802 says.",
	} {
		a := newAuthConversation(AuthSCRAM, mustCredentials(t, authUsers...), "alice", nil, nil)
		_, _, _ = a.first()
		_, done, err := a.next(saslInitial("n,,n=" + name + ",r=abc"))
		if done || (err == nil) != (want == "") || err != nil && authReason(err) != want {
			t.Errorf("%q: %v, %v", name, done, err)
		}
	}
}

func TestSASLTooLong(t *testing.T) {
	a := newAuthConversation(AuthSCRAM, mustCredentials(t, authUsers...), "alice", nil, nil)
	_, _, _ = a.first()
	if _, done, err := a.next(saslInitial("n,,n=,r=" + strings.Repeat("a", 2000))); done || err == nil {
		t.Errorf("got %v, %v", done, err)
	}
}

// TestStrangersLookAlike compares what a client sees of users that exist and of
// those that do not.
func TestStrangersLookAlike(t *testing.T) {
	serverFirst := func(creds *credentials, user string) string {
		a := newAuthConversation(AuthSCRAM, creds, user, nil, nil)
		offer, _, _ := a.first()
		reply, _, err := a.next(saslInitial("n,,n=,r=abc"))
		if err != nil {
			t.Fatal(err)
		}
		_, parameters, _ := strings.Cut(string(reply[9:]), ",")
		return string(offer) + parameters
	}
	for _, typical := range []string{pencil, "plain text", "md59f2584a342fddaf7b526027c7851dddd"} {
		before := mustCredentials(t, User{Name: "known", Password: typical})
		after := mustCredentials(t, User{Name: "known", Password: typical}, User{Name: "new", Password: "x"})
		for _, user := range []string{"known", "stranger", "new", ""} {
			if b, a := serverFirst(before, user), serverFirst(after, user); b != a {
				t.Errorf("%s: a reload shows: %q, %q", user, b, a)
			}
		}
		known, stranger := serverFirst(before, "known"), serverFirst(before, "stranger")
		if len(known) != len(stranger) || known == stranger {
			t.Errorf("known %q, stranger %q", known, stranger)
		}
	}
}

func TestStrangersAreBounded(t *testing.T) {
	var s strangers
	first := s.get("a", secretPlain)
	if s.get("a", secretPlain) != first {
		t.Error("a stranger is forgotten at once")
	}
	for i := range 3 * maxStrangers {
		s.get(strings.Repeat("b", i), secretSCRAM)
		if len(s.seen) > maxStrangers {
			t.Fatal("no bound")
		}
	}
}

func TestChannelBindingHash(t *testing.T) {
	raw := []byte("certificate")
	by256, by384, by512 := sha256.Sum256(raw), sha512.Sum384(raw), sha512.Sum512(raw)
	for algorithm, want := range map[x509.SignatureAlgorithm][]byte{
		x509.MD5WithRSA: by256[:], x509.SHA1WithRSA: by256[:], x509.ECDSAWithSHA1: by256[:],
		x509.SHA256WithRSA: by256[:], x509.SHA256WithRSAPSS: by256[:], x509.ECDSAWithSHA256: by256[:],
		x509.SHA384WithRSA: by384[:], x509.SHA384WithRSAPSS: by384[:], x509.ECDSAWithSHA384: by384[:],
		x509.SHA512WithRSA: by512[:], x509.SHA512WithRSAPSS: by512[:], x509.ECDSAWithSHA512: by512[:],
		x509.PureEd25519: nil,
	} {
		got := channelBinding(&tls.ConnectionState{}, &x509.Certificate{Raw: raw, SignatureAlgorithm: algorithm})
		if string(got.Data) != string(want) || got.IsSupported() != (want != nil) {
			t.Errorf("%v: %x, want %x", algorithm, got.Data, want)
		}
	}
	if channelBinding(nil, &x509.Certificate{Raw: raw, SignatureAlgorithm: x509.ECDSAWithSHA256}).IsSupported() {
		t.Error("channel binding without TLS")
	}
}

// FuzzSASL: whatever a client sends that does not know the password, it does not
// get in, it gets FATAL errors in ASCII, and nothing panics.
func FuzzSASL(f *testing.F) {
	creds := mustCredentials(f, authUsers...)
	cert := &x509.Certificate{Raw: []byte("certificate"), SignatureAlgorithm: x509.ECDSAWithSHA256}
	for _, test := range brokenSASL {
		f.Add(test.plus, saslInitial(test.first), saslFinal(test.final, nil), true)
	}
	f.Fuzz(func(t *testing.T, plus bool, first, final []byte, nonce bool) {
		var state *tls.ConnectionState
		if plus {
			state = &tls.ConnectionState{}
		}
		a := newAuthConversation(AuthSCRAM, creds, "alice", state, cert)
		reply, done, err := a.first()
		for _, body := range [][]byte{first, final, first, final} {
			if done {
				t.Fatal("logged in without the password")
			}
			if err != nil {
				break
			}
			if nonce && len(reply) > 9 {
				body = saslFinal(string(body), reply[9:])
			}
			reply, done, err = a.next(body)
		}
		var told *wire.Error
		if err == nil || !errors.As(err, &told) || told.Severity != "FATAL" || len(told.Code) != 5 {
			t.Fatalf("no proper error: %v", err)
		}
		for _, c := range []byte(told.Message + told.Detail) {
			if c < ' ' || c > '~' {
				t.Errorf("the error has %q in it", c)
			}
		}
	})
}
