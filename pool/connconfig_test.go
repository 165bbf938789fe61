package pool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestConnConfig(t *testing.T) {
	passfile := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(passfile, []byte("h:5432:crm:ann:frompassfile\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// None of this may have an effect.
	for name, value := range map[string]string{
		"PGHOST": "wrong", "PGPORT": "1", "PGUSER": "wrong", "PGDATABASE": "wrong", "PGPASSWORD": "wrong",
		"PGPASSFILE": passfile, "PGAPPNAME": "wrong", "PGOPTIONS": "wrong", "PGTZ": "wrong",
		"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/wrong", "PGSSLCERT": "/wrong", "PGSSLKEY": "/wrong",
		"PGSSLCERTMODE": "require", "PGSSLNEGOTIATION": "direct", "PGCONNECT_TIMEOUT": "1",
		"PGTARGETSESSIONATTRS": "standby", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "none",
		"PGMAXPROTOCOLVERSION": "3.2", "PGMINPROTOCOLVERSION": "3.2",
	} {
		t.Setenv(name, value)
	}
	for _, test := range []struct {
		url, password string
		want          string // host:port ..., password, parameters
	}{
		{"postgres://h", "", "h:5432 tls,h:5432 - map[]"},
		{"postgres://h", "pw", "h:5432 tls,h:5432 pw map[]"},
		{"postgres://u:p%40@h:7?sslmode=disable", "", "h:7 p@ map[]"},
		{"postgres://u:a?b@h:7?sslmode=disable", "", "h:7 a?b map[]"},
		{"postgresql://a,b:7/?sslmode=require", "", "a:5432 tls,b:7 tls - map[]"},
		{"postgres://[::1]/x?sslmode=disable", "", "::1:5432 - map[]"},
		{"postgres://[::1]:7/?sslmode=disable", "", "::1:7 - map[]"},
		{"postgres://?host=/tmp&port=7", "", "/tmp:7 - map[]"},
		{"postgres:///?host=/tmp", "", "/tmp:5432 - map[]"},
		{"postgres://h?ssl=true&search_path=x&application_name=jay", "", "h:5432 tls - map[application_name:jay search_path:x]"},
		{"host=h", "", "h:5432 tls,h:5432 - map[]"},
		{"host=a,b port=1,2 sslmode=disable password='p w'", "", "a:1,b:2 p w map[]"},
		{"host=h sslmode=disable options='-c work_mem=1MB'", "x", "h:5432 x map[options:-c work_mem=1MB]"},
		{"postgres://h?sslmode=disable&passfile=" + passfile, "", "h:5432 frompassfile map[]"},
	} {
		c, err := connConfig(Target{URL: test.url, Database: "crm", User: "ann", Password: test.password, ConnectTimeout: time.Minute})
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		if c.Database != "crm" || c.User != "ann" || c.ConnectTimeout != time.Minute || c.ValidateConnect != nil ||
			c.MaxProtocolVersion != "3.0" || c.ChannelBinding != "prefer" || c.RequireAuth != "" || c.SSLNegotiation != "" {
			t.Errorf("%s: %+v", test.url, c)
		}
		var hosts []string
		add := func(host string, port uint16, encrypted bool) {
			hosts = append(hosts, fmt.Sprint(host, ":", port, map[bool]string{true: " tls"}[encrypted]))
		}
		add(c.Host, c.Port, c.TLSConfig != nil)
		for _, f := range c.Fallbacks {
			add(f.Host, f.Port, f.TLSConfig != nil)
		}
		password := c.Password
		if password == "" {
			password = "-"
		}
		if got := fmt.Sprint(strings.Join(hosts, ","), " ", password, " ", c.RuntimeParams); got != test.want {
			t.Errorf("%s: %s, want %s", test.url, got, test.want)
		}
	}
}

func TestConnConfigStrangeNames(t *testing.T) {
	for _, url := range []string{"postgres://h", "host=h"} {
		name := `o'b\r&=%/ é`
		c, err := connConfig(Target{URL: url, Database: name + "db", User: name, Params: map[string]string{"replication": "true"}})
		if err != nil {
			t.Fatal(err)
		}
		if c.User != name || c.Database != name+"db" || c.RuntimeParams["replication"] != "true" {
			t.Errorf("%s: user %q, database %q, %v", url, c.User, c.Database, c.RuntimeParams)
		}
	}
}

func TestConnConfigErrors(t *testing.T) {
	for _, url := range []string{
		"postgres://u:hunter2@h?sslmode=wrong", "postgres://u:hunter2@h:x", "password=hunter2 host", "postgres://u:hunter2@a:1,b:2,c?port=1,2",
		"postgres://u:hunter2@h?target_session_attrs=best",
	} {
		_, err := Dial(t.Context(), Target{URL: url, User: "ann", Password: "swordfish"})
		var e *ConfigError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") || len(text) < 20 {
			t.Errorf("%s: %s", url, text)
		}
		if !final(err) {
			t.Errorf("%s: would be tried again", url)
		}
	}
}
