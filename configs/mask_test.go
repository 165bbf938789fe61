package configs

import (
	"os"
	"strings"
	"testing"
)

func TestMaskLines(t *testing.T) {
	tests := []string{
		"password: s3cret",
		"  - password: s3cret",
		`"password" : s3cret`,
		"'password': 's3cret'",
		"{name: a, password: s3cret}",
		"{password: s3cret, backend_password: s3cret}",
		"password: \"s3cret\n  s3cret\nindented: less: s3cret\"",
		"  password: |\n    s3cret\n\n      s3cret\n  url: x",
		"  password: >-\n    s3cret: s3cret",
		"password:\n  s3cret",
		"  password:\n  s3cret",
		"  password: # comment\n    s3cret",
		"passwort: s3cret",
		"paswrd: s3cret",
		"pwd: s3cret",
		"db_secret: s3cret",
		"url: postgres://user:s3cret@host",
		"url: postgres://user:s3c/s3cret@host",
		"url: postgres://user:s3cret@s3cret@host",
		"url: postgres://user:s3cret",
		"url: postgres://user:55s3cret/host",
		"url: postgres://:s3cret@host",
		"url: postgres://host?sslpassword=s3cret&x=y",
		"url: host=db password=s3cret",
		"url: host=db password = 's3cret s3cret'",
		"--set auth.users.0.password=s3cret",
		"--set auth.users[0].password = s3cret",
	}
	for _, text := range tests {
		if got := strings.Join(maskLines(text), "\n"); strings.Contains(got, "s3") {
			t.Errorf("%q is masked as %q", text, got)
		}
	}
	for _, text := range []string{
		"pool:\n  size: 5 # five", "url: postgres://user@host:5432/db", "url: postgres://a:5432,b:5433/?x=y", "url: 'postgres://a:5432'", "addresses: ['[::1]:6432', /tmp]", "",
		"  users:\n  databases:", "mode: session", "backend_user: bob", "key_file: /etc/x.key",
	} {
		if got := strings.Join(maskLines(text), "\n"); got != text {
			t.Errorf("%q is masked as %q, but has no secret", text, got)
		}
	}
}

// TestMaskEnds finds the end of a secret value: what follows is shown.
func TestMaskEnds(t *testing.T) {
	for text, want := range map[string]string{
		"password: x\nsize: 5":             "password: ***\nsize: 5",
		"  password: |\n    x\n  size: 5":  "  password: ***\n***\n  size: 5",
		"password: \"x\n y\"\nsize: 5":     "password: ***\n***\nsize: 5",
		"- password: x\n  name: y":         "- password: ***\n  name: y",
		"password:\nsize: 5":               "password:\nsize: 5",
		"postgres://u:p@h /x":              "postgres://u:***@h /x",
		"- {password: x}\n- {name: y}":     "- {password: ***\n- {name: y}",
		"password: 'x'\nurl: postgres://h": "password: ***\nurl: postgres://h",
	} {
		if got := strings.Join(maskLines(text), "\n"); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}

// TestBrokenFilesLeakNothing cuts a file with secrets after each byte: most
// pieces are not YAML, or are wrong otherwise.
func TestBrokenFilesLeakNothing(t *testing.T) {
	text, err := os.ReadFile("testdata/secrets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("testdata/users_shape.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(text), string(more)} {
		for i := range text {
			for _, rest := range []string{"", "\n]", ": x", "\"", "\n- \t@"} {
				d := newDecoder(os.LookupEnv)
				d.file(newFile("cut", []byte(text[:i]+rest)))
				validate(d)
				if strings.Contains(d.errs.Error(), "s3cr") {
					t.Fatalf("cut at %d, %q added: %v", i, rest, d.errs)
				}
			}
		}
	}
}
