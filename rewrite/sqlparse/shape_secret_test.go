package sqlparse

import (
	"strings"
	"testing"
)

// A value that has no quotes is in no shape for people, whether PostgreSQL takes it or not.
func TestSecretsWithoutQuotesAreHidden(t *testing.T) {
	for text, want := range map[string]string{
		"alter user app password s3cret":                                       "alter user app password $1",
		"alter user app with encrypted password s3cret valid until 'x'":        "alter user app with encrypted password $1",
		"alter user app password = s3cret":                                     "alter user app password $1",
		"alter user app password my s3cret-s3cret, admin":                      "alter user app password $1",
		"alter user app password 'x' s3cret":                                   "alter user app password $1 $2",
		"alter user app password 'x' valid until 'y' nologin":                  "alter user app password $1 valid until $2 nologin",
		"alter user app password null":                                         "alter user app password null",
		"alter user password s3cret":                                           "alter user password $1",
		"alter user app identified by s3cret":                                  "alter user app $1",
		"alter usr app password s3cret":                                        "alter $1 password $2",
		"aler user app password s3cret":                                        "$1 user $2 password $3",
		"s3cret":                                                               "$1",
		"s3cret select":                                                        "$1 select",
		"create user a password s3cret":                                        "create user a password $1",
		"create role a login password s3cret superuser":                        "create role a login password $1",
		"create user a in role b, s3cret":                                      "create user a in role $1, ...",
		`create user "A b" password "s3cret"`:                                  `create user "A b" password $1`,
		"alter role a in database d set app.token to s3cret":                   "alter role a in database d set app.token to $1",
		"alter role a in database d set app.token s3cret":                      "alter role a in database d set app.token $1",
		"alter role all reset all":                                             "alter role all reset all",
		"alter database d set app.token s3cret":                                "alter database d set app.token $1",
		"alter system set app.token = s3cret s3cret":                           "alter system set app.token = $1",
		"set app.token s3cret":                                                 "set app.token $1",
		"set app token = s3cret":                                               "set app $1",
		"set app.token = ab#s3cret!x":                                          "set app.token = $1",
		"set app.token = s3cret.s3cret":                                        "set app.token = $1",
		"set app.token = 'x' s3cret":                                           "set app.token = $1 $2",
		"set names s3cret":                                                     "set names $1",
		"set (s3cret)":                                                         "set $1",
		"begin; set app.token s3cret; select a from b":                         "begin; set app.token $1; select a from b",
		"explain set app.token s3cret":                                         "explain set app.token $1",
		"explain (analyze, verbose) alter user a password s3cret":              "explain (analyze, verbose) alter user a password $1",
		"explain s3cret":                                                       "explain $1",
		"alter function f() set app.token s3cret":                              "alter function f() set app.token $1",
		"alter function f() set app.token = s3cret s3cret":                     "alter function f() set app.token = $1",
		"create function f() returns int set a = s3cret, s3cret s3cret as 'x'": "create function f() returns int set a = $1, ...",
		"create subscription s connection 'c' publication p":                   "create subscription s connection $1 publication $2",
		"create subscription s connection host=h password=s3cret":              "create subscription s connection $1",
		"alter subscription s connection s3cret":                               "alter subscription s connection $1",
		"create server if not exists s foreign data wrapper w options (host 'h', password s3cret)": "create server if not exists s foreign data wrapper w options (host $1, password $2",
		"create server s foreign data wrapper w options (token s3cret)":                            "create server s foreign data wrapper w options ($1)",
		"alter server s options (set host 'x', drop password)":                                     "alter server s options (set host $1, drop password)",
		"create user mapping for app server s options (user 'u', password s3cret)":                 "create user mapping for $1 server s options (user $2, password $3",
		"alter user mapping for app server s options (set password s3cret)":                        "alter user mapping for $1 server s options (set password $2",
		"alter foreign data wrapper w options (add s3cret s3cret)":                                 "alter foreign data wrapper w options (add $1)",
		"create foreign table t (id int) server s options (password s3cret)":                       "create foreign table t (id int) server s options (password $1",
		"create foreign table t (id int) server s options password s3cret":                         "create foreign table t (id int) server s options password $1",
		"alter table t alter c options (password s3cret)":                                          "alter table t alter c options (password $1",
		"import foreign schema a from server s into b options (s3cret 's3cret')":                   "import foreign schema a from server s into b options ($1 $2)",
	} {
		shape, ok := AppendShape(nil, []byte(text))
		if got := ShapeText(shape); !ok || got != want {
			t.Errorf("%s:\n%q %v, not\n%q", text, got, ok, want)
		}
		if got := Redact([]byte(text)); strings.Contains(got, "s3cret") || got == "" {
			t.Errorf("%s: for a log %s", text, got)
		}
	}
}

// What has no secrets is shown as it is.
func TestWhatIsNoSecretIsShown(t *testing.T) {
	for _, text := range []string{
		"(select a from t)", "table t", "with a as (select b from c) select d from e", "explain analyze select a from t", "explain (costs off) (select a from t)",
		"explain (format json, settings) create table a as select b from c", "alter table t add options text", "alter table t alter c set default a",
		"alter index i set tablespace s", "alter default privileges grant select on tables to a", "create table options (a int)",
		"create or replace view v as select a from t", "create unique index concurrently i on t (a)", "create database d owner a", "create event trigger e on f execute function g()",
		"create materialized view v as select options (a) from t", "alter materialized view v rename to w", "set constraints a, b deferred", "set time zone local", "set local time zone default",
		"set role none", "set session authorization default", "set transaction isolation level repeatable read, read only", "set session characteristics as transaction not deferrable",
		"alter role a in database d set b from current", "alter function f() set b from current cost a", "alter user a rename to current_user", "grant a to b", "drop user a",
		"begin isolation level serializable", "listen a", "fetch all from a", "call f(a)", "execute a(b)",
	} {
		shape, ok := AppendShape(nil, []byte(text))
		if got := ShapeText(shape); !ok || got != text {
			t.Errorf("%s: %q %v", text, got, ok)
		}
	}
}

// Names that are values make no shapes of their own.
func TestNamesThatAreValuesAreOneShape(t *testing.T) {
	for _, form := range []string{
		"set role %", "set local role %", "set session role %", "set session authorization %", "set local session authorization %", "set time zone %",
		"set local time zone %", "set search_path to %", "set local search_path = %", "set timezone to %", "set app.tenant to %", "set schema %",
	} {
		one, _ := AppendShape(nil, []byte(strings.Replace(form, "%", "tenant_1", 1)))
		for _, value := range []string{"'tenant_2'", `"Tenant 3"`, "t4", "admin"} {
			other, ok := AppendShape(nil, []byte(strings.Replace(form, "%", value, 1)))
			if !ok || string(one) != string(other) || ShapeText(one) != strings.Replace(form, "%", "$1", 1) {
				t.Errorf("%s with %s: %q and %q", form, value, ShapeText(one), ShapeText(other))
			}
		}
	}
	for _, value := range []string{"-7", "7.5", "Europe/Berlin", "interval '1' hour"} {
		shape, ok := AppendShape(nil, []byte("set time zone "+value))
		if !ok || ShapeText(shape) != "set time zone $1" {
			t.Errorf("%s: %q", value, ShapeText(shape))
		}
	}
}

// What is looked up by it, and the facts that statements share, tell words apart.
func TestOnlyShapesForPeopleHideWords(t *testing.T) {
	for _, texts := range [][2]string{
		{"set role a", "set role b"}, {"set app.x to a", "set app.x to b"}, {"alter user a password b", "alter user a password c"}, {"a", "b"},
	} {
		one, _ := AppendPattern(nil, []byte(texts[0]))
		two, _ := AppendPattern(nil, []byte(texts[1]))
		three, _, _ := appendShape(nil, []byte(texts[0]))
		four, _, _ := appendShape(nil, []byte(texts[1]))
		if string(one) == string(two) || string(three) == string(four) {
			t.Errorf("%q: %q, %q", texts, one, three)
		}
	}
}
