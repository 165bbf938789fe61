package configs

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/pgjay/pgjay/proxy"
)

// restart has the keys, or sections, that are read once at the start. All
// others change live.
var restart = []string{"listen", "admin", "cache.enabled", "monitor.max_statements", "monitor.otlp", "rewrite.offset.enabled", "log.format"}

// NeedsRestart reports whether the key at path is read only at the start.
func NeedsRestart(path string) bool {
	for _, p := range restart {
		if within(path, p) {
			return true
		}
	}
	return false
}

// Diff compares the running configuration with a new one: the keys with
// another value that change live, and those that need a restart. A list is one
// key.
func Diff(old, new *Config) (live, restart []string) {
	for _, path := range changed(reflect.ValueOf(*old), reflect.ValueOf(*new), "") {
		if NeedsRestart(path) {
			restart = append(restart, path)
		} else {
			live = append(live, path)
		}
	}
	return live, restart
}

func changed(old, new reflect.Value, prefix string) []string {
	var paths []string
	for _, f := range reflect.VisibleFields(old.Type()) {
		path, a, b := join(prefix, key(f)), old.FieldByIndex(f.Index), new.FieldByIndex(f.Index)
		switch {
		case isSection(f.Type):
			paths = append(paths, changed(a, b, path)...)
		case f.Type.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0:
			// nil and empty are the same list
		case !reflect.DeepEqual(a.Interface(), b.Interface()):
			paths = append(paths, path)
		}
	}
	return paths
}

// Live returns new as far as it can take effect while the program runs with
// old: keys that need a restart keep old's value.
func Live(old, new *Config) *Config {
	c := *new
	c.Listen, c.Admin, c.Log.Format = old.Listen, old.Admin, old.Log.Format
	c.Cache.Enabled = old.Cache.Enabled
	return &c
}

// Warnings lists what is allowed and probably not meant, one sentence each.
func (c *Config) Warnings() []string {
	var list []string
	open := ""
	for _, a := range c.Listen.Addresses {
		if !proxy.Loopback(a) {
			open = a
			break
		}
	}
	if c.Auth.Method == proxy.AuthTrust && open != "" {
		list = append(list, fmt.Sprintf("auth.method is trust and %s can be reached from other machines: anyone there can log in as anyone", open))
	}
	if c.Auth.Method != proxy.AuthTrust && len(c.Auth.Users) == 0 {
		list = append(list, fmt.Sprintf("auth.method is %s and auth.users is empty: nobody can log in", c.Auth.Method))
	}
	if named := loginIn(c.Backend.URL); named != "" {
		list = append(list, fmt.Sprintf("backend.url names a %s, which is not used: a backend has the user and database of its client", named))
	}
	if c.Admin != "" && !proxy.Loopback(c.Admin) && c.Dashboard.Enabled && c.Dashboard.Password == "" && c.Dashboard.Token == "" {
		list = append(list, fmt.Sprintf("admin is %s, which can be reached from other machines, and there is no dashboard.password: nobody can see the dashboard", c.Admin))
	}
	return append(list, c.cacheWarnings()...)
}

var loginKeyword = regexp.MustCompile(`(?:^|[\s?&])(user|dbname)\s*=`)

// loginIn says what of user and database a connection string names first, or "".
func loginIn(text string) string {
	u, err := url.Parse(text)
	isURL := err == nil && strings.HasPrefix(u.Scheme, "postgres")
	word := loginKeyword.FindStringSubmatch(text)
	switch {
	case isURL && u.User.Username() != "", word != nil && word[1] == "user":
		return "user"
	case isURL && strings.Trim(u.Path, "/") != "", word != nil:
		return "database"
	}
	return ""
}
