package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		file := filepath.Join(dir, "pgjay.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, text := range []string{"", "\n", "---\n", "# nothing\n", "\ufeffpool:\n", "pool:\r\n  size: 25\r\n", "pool: ~\n", "{}", "pool: {}"} {
		got, err := Load(write(text), nil)
		if err != nil || !reflect.DeepEqual(got, Default()) {
			t.Errorf("%q gives %+v, %v", text, got, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent"), nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("an absent file gives %v", err)
	}
	if _, err := Load(dir, nil); err == nil || !strings.Contains(err.Error(), "is a directory\n  fix: give the path of a file in it") {
		t.Errorf("a directory gives %v", err)
	}
}

// What is not text is not printed.
func TestLoadRubbish(t *testing.T) {
	for _, text := range []string{"pool\x00: 1", "\x1b[2Jpool: 1", "pool: \xff", strings.Repeat("a", maxFile+1)} {
		file := filepath.Join(t.TempDir(), "pgjay.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := file + ": not a text file of at most 1 MiB\n  fix: give the path of a configuration file, which is YAML in UTF-8\n\n1 error"
		if _, err := Load(file, nil); err == nil || err.Error() != want {
			t.Errorf("%.20q gives %v", text, err)
		}
	}
}

// In flow maps the parser takes a colon for the end of a key.
func TestAddressesInFlow(t *testing.T) {
	for _, text := range []string{
		"listen: {addresses: [127.0.0.1:1, localhost:2]}",
		"{listen: {addresses: [127.0.0.1:1,localhost:2]}}",
		"listen: {addresses: ['127.0.0.1:1', \"localhost:2\"]}",
		"listen:\n  addresses: [127.0.0.1:1,\n    localhost:2]",
		"listen: {addresses: [\n127.0.0.1:1,\nlocalhost:2\n]}",
	} {
		d := newDecoder(nil)
		d.file(newFile("test", []byte(text)))
		if want := []string{"127.0.0.1:1", "localhost:2"}; len(d.errs.List) > 0 || !slices.Equal(d.cfg.Listen.Addresses, want) {
			t.Errorf("%s gives %q %v", text, d.cfg.Listen.Addresses, d.errs)
		}
	}
	d := newDecoder(nil)
	d.file(newFile("test", []byte("{listen: {addresses: [localhost: 1]}}")))
	if len(d.errs.List) == 0 {
		t.Errorf("a map is taken for %q", d.cfg.Listen.Addresses)
	}
}

// Scalars stay as they were written where a text is wanted.
func TestScalarsAsTexts(t *testing.T) {
	for text, want := range map[string]string{
		"0123": "0123", "1e3": "1e3", "true": "true", "12:30": "12:30", "'a''b'": "a'b", `"a\"b"`: `a"b`, ".inf": ".inf",
		"|\n      line": "line\n", "|-\n      line": "line", "off": "off", "2001-01-01": "2001-01-01", "0x1F": "0x1F", "~": "", "''": "",
		`"~"`: "~", "$x$": "$x$", "a$b{c}": "a$b{c}", "$${x}": "${x}", "$$": "$$",
	} {
		d := newDecoder(func(string) (string, bool) { return "", false })
		d.file(newFile("test", []byte("backend:\n  password: "+text+"\n")))
		if len(d.errs.List) > 0 || d.cfg.Backend.Password != want {
			t.Errorf("%s is read as %q, want %q %v", text, d.cfg.Backend.Password, want, d.errs)
		}
	}
}
