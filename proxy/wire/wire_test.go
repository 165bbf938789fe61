package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

func TestFrameLen(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int
		ok   bool
	}{
		{"", 0, false},
		{"Q\x00\x00\x00", 0, false},
		{"Q\x00\x00\x00\x04", 5, true},
		{"Q\x00\x00\x01\x00...", 257, true},
		{"Q\x00\x00\x00\x03", -1, true},
		{"Q\x7f\xff\xff\xff", -1, true},
	} {
		n, ok := FrameLen([]byte(test.in))
		if n != test.want || ok != test.ok {
			t.Errorf("FrameLen(%q) = %d, %v; want %d, %v", test.in, n, ok, test.want, test.ok)
		}
	}
}

// TestBuilders reads what the builders make with pgproto3, which was written by
// others.
func TestBuilders(t *testing.T) {
	null, one := (*string)(nil), "1"
	frontend := []struct {
		frame []byte
		want  pgproto3.FrontendMessage
	}{
		{AppendQuery(nil, "SELECT 1"), &pgproto3.Query{String: "SELECT 1"}},
		{AppendParse(nil, "s", "SELECT $1"), &pgproto3.Parse{Name: "s", Query: "SELECT $1"}},
		{AppendBindText(nil, "s", &one, null), &pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("1"), nil}}},
		{AppendExecute(nil), &pgproto3.Execute{}},
		{AppendCloseStatement(nil, "s"), &pgproto3.Close{ObjectType: 'S', Name: "s"}},
		{AppendCopyFail(nil, "why"), &pgproto3.CopyFail{Message: "why"}},
		{AppendEmpty(nil, Sync), &pgproto3.Sync{}},
		{AppendEmpty(nil, Terminate), &pgproto3.Terminate{}},
	}
	for _, test := range frontend {
		got, err := pgproto3.NewBackend(bytes.NewReader(test.frame), nil).Receive()
		if err != nil || !reflect.DeepEqual(encode(t, got), encode(t, test.want)) {
			t.Errorf("%q: got %#v, %v; want %#v", test.frame, got, err, test.want)
		}
	}
	backend := []struct {
		frame []byte
		want  pgproto3.BackendMessage
	}{
		{AppendReadyForQuery(nil, 'T'), &pgproto3.ReadyForQuery{TxStatus: 'T'}},
		{AppendParameterStatus(nil, "a", "b"), &pgproto3.ParameterStatus{Name: "a", Value: "b"}},
		{AppendBackendKeyData(nil, 7, []byte("keys")), &pgproto3.BackendKeyData{ProcessID: 7, SecretKey: []byte("keys")}},
		{AppendAuthentication(nil, 0, nil), &pgproto3.AuthenticationOk{}},
		{
			(&Error{Severity: "FATAL", Code: "08P01", Message: "m", Detail: "d", Hint: "h"}).Append(nil),
			&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "08P01", Message: "m", Detail: "d", Hint: "h"},
		},
	}
	for _, test := range backend {
		got, err := pgproto3.NewFrontend(bytes.NewReader(test.frame), nil).Receive()
		if err != nil || !reflect.DeepEqual(encode(t, got), encode(t, test.want)) {
			t.Errorf("%q: got %#v, %v; want %#v", test.frame, got, err, test.want)
		}
	}
}

func encode(t *testing.T, m pgproto3.Message) []byte {
	t.Helper()
	b, err := m.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseStartup(t *testing.T) {
	message, _ := (&pgproto3.StartupMessage{
		ProtocolVersion: Version30,
		Parameters:      map[string]string{"user": "u"},
	}).Encode(nil)
	for _, test := range []struct {
		name string
		in   []byte
		want *Startup // nil: an error
	}{
		{"startup", message, &Startup{Version: Version30, Params: []Param{{"user", "u"}}}},
		{"ssl", []byte("\x00\x00\x00\x08\x04\xd2\x16\x2f"), &Startup{Kind: SSLRequest}},
		{"ssl with more", []byte("\x00\x00\x00\x09\x04\xd2\x16\x2fx"), nil},
		{"gss", []byte("\x00\x00\x00\x08\x04\xd2\x16\x30"), &Startup{Kind: GSSENCRequest}},
		{"cancel", AppendCancelRequest(nil, 5, []byte("1234")), &Startup{Kind: CancelRequest, PID: 5, Secret: []byte("1234")}},
		{"cancel too short", AppendCancelRequest(nil, 5, []byte("123")), nil},
		{"version 2", []byte("\x00\x00\x00\x09\x00\x02\x00\x00\x00"), nil},
		{"no terminator", []byte("\x00\x00\x00\x0c\x00\x03\x00\x00user"), nil},
		{"no value", []byte("\x00\x00\x00\x0d\x00\x03\x00\x00user\x00"), nil},
		{"more after the terminator", []byte("\x00\x00\x00\x0a\x00\x03\x00\x00\x00x"), nil},
		{
			"options", []byte("\x00\x00\x00\x13\x00\x03\x0f\x0f_pq_.x\x00y\x00\x00"),
			&Startup{Version: 3<<16 | 0xf0f, Options: []string{"_pq_.x"}},
		},
	} {
		got, err := ParseStartup(test.in)
		if (err != nil) != (test.want == nil) || test.want != nil && !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
}

func TestErrorFields(t *testing.T) {
	frame := (&Error{Severity: "FATAL", Code: "57P01", Message: "m"}).Append(nil)
	body := frame[HeaderLen:]
	if got := string(ErrorCode(body)); got != "57P01" {
		t.Errorf("code %q", got)
	}
	if got := ErrorSeverity(body); got != 'F' {
		t.Errorf("severity %q", got)
	}
	if got := ParseError(body); *got != (Error{Severity: "FATAL", Code: "57P01", Message: "m"}) {
		t.Errorf("parsed %+v", got)
	}
}

func FuzzParseStartup(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08\x04\xd2\x16\x2f"))
	f.Add(AppendCancelRequest(nil, 5, []byte("1234")))
	f.Add([]byte("\x00\x00\x00\x13\x00\x03\x0f\x0f_pq_.x\x00y\x00\x00"))
	f.Fuzz(func(_ *testing.T, p []byte) {
		if n, ok := StartupLen(p, 10000); ok && n >= 8 && n <= len(p) {
			_, _ = ParseStartup(p[:n])
		}
	})
}

func FuzzError(f *testing.F) {
	f.Add((&Error{Severity: "FATAL", Code: "57P01", Message: "m"}).Append(nil)[HeaderLen:])
	f.Fuzz(func(t *testing.T, p []byte) {
		e := ParseError(p)
		if code := string(ErrorCode(p)); code != "" && e.Code == "" {
			t.Errorf("code %q is not found", code)
		}
		_ = ErrorSeverity(p)
	})
}
