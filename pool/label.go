package pool

import (
	"slices"
	"strings"
	"unique"
)

// Setting is one session setting. With Reset it goes back to its default and
// Value means nothing. One with Local ends with the transaction; no label has such.
type Setting struct {
	Name, Value string
	Reset       bool
	Local       bool
}

// Label is a session state: the settings in which a session differs from a
// backend that has just logged in. It is immutable and comparable; equal
// settings are equal labels. The zero Label is that of a new backend.
type Label struct {
	// text has name NUL value NUL for each setting, sorted by name. It is the
	// zero handle for no settings.
	text unique.Handle[string]
}

// NewLabel makes a label. Names are not case sensitive; the last value of a
// name counts, and a Reset takes the name out.
func NewLabel(settings []Setting) Label {
	last := make(map[string]Setting, len(settings))
	for _, s := range settings {
		s.Name = strings.ToLower(s.Name)
		last[s.Name] = s
	}
	names := make([]string, 0, len(last))
	for name, s := range last {
		if !s.Reset {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return Label{}
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		text.WriteString(name)
		text.WriteByte(0)
		text.WriteString(last[name].Value)
		text.WriteByte(0)
	}
	return Label{unique.Make(text.String())}
}

// Empty reports whether there are no settings.
func (l Label) Empty() bool { return l == Label{} }

// Get returns a setting's value. Names are in lower case.
func (l Label) Get(name string) (value string, ok bool) {
	for _, s := range l.Settings() {
		if s.Name == name {
			return s.Value, true
		}
	}
	return "", false
}

// Settings returns the settings, sorted by name.
func (l Label) Settings() []Setting {
	if l.Empty() {
		return nil
	}
	var settings []Setting
	for rest := l.text.Value(); rest != ""; {
		var s Setting
		s.Name, rest, _ = strings.Cut(rest, "\x00")
		s.Value, rest, _ = strings.Cut(rest, "\x00")
		settings = append(settings, s)
	}
	return settings
}

// identity lists the settings that decide what the others may be, in the order
// in which they must be set: a change of session_authorization resets role. The
// encoding is one of them: in it the values of the others would be read.
var identity = [...]string{"session_authorization", "role", "client_encoding"}

// Diff returns what to set, in this order, so that have becomes want. What a
// session may set depends on who it is: so it becomes itself again first, and
// another last.
func Diff(have, want Label) []Setting {
	if have == want {
		return nil
	}
	from, to := byName(have), byName(want)
	var before, between, after []Setting
	for _, name := range identity {
		old, had := from[name]
		value, wanted := to[name]
		if had && (!wanted || value != old) {
			before = append(before, Setting{Name: name, Reset: true})
		}
		if wanted && (!had || value != old) {
			after = append(after, Setting{Name: name, Value: value})
		}
	}
	for _, s := range have.Settings() {
		if _, keep := to[s.Name]; !keep && !isIdentity(s.Name) {
			between = append(between, Setting{Name: s.Name, Reset: true})
		}
	}
	for _, s := range want.Settings() {
		if old, had := from[s.Name]; (!had || old != s.Value) && !isIdentity(s.Name) {
			between = append(between, s)
		}
	}
	return slices.Concat(before, between, after)
}

// lasting lists usual settings that every user may set to any value that was
// accepted once.
var lasting = [...]string{
	"application_name", "backslash_quote", "bytea_output", "client_encoding", "client_min_messages", "datestyle",
	"default_transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only", "extra_float_digits",
	"idle_in_transaction_session_timeout", "intervalstyle", "lock_timeout", "search_path", "standard_conforming_strings",
	"statement_timeout", "timezone", "work_mem", "xmloption",
}

// Perishable reports whether applying the label can fail though it worked
// before: it may name something that has been dropped, or need a right that has
// been revoked.
func (l Label) Perishable() bool {
	return slices.ContainsFunc(l.Settings(), func(s Setting) bool { return !slices.Contains(lasting[:], s.Name) })
}

// Sticks reports whether the label has a setting that a backend may neither take nor
// give up: PostgreSQL refuses to change temp_buffers once there was a temporary table
// (guc.c, check_temp_buffers).
func (l Label) Sticks() bool {
	_, ok := l.Get("temp_buffers")
	return ok
}

// StartupOnly reports whether the label has a setting that does at start-up what
// setting it later does not.
func (l Label) StartupOnly() bool {
	return slices.ContainsFunc(l.Settings(), func(s Setting) bool {
		return s.Name == "local_preload_libraries" || s.Name == "session_preload_libraries"
	})
}

func isIdentity(name string) bool { return slices.Contains(identity[:], name) }

func byName(l Label) map[string]string {
	m := make(map[string]string)
	for _, s := range l.Settings() {
		m[s.Name] = s.Value
	}
	return m
}
