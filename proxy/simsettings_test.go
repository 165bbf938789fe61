package proxy

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// setCommand does SET and SET LOCAL.
func (v *simServer) setCommand(rest string) {
	rest, local := strings.CutPrefix(rest, "LOCAL ")
	name, value, _ := strings.Cut(rest, " = ")
	value = strings.Trim(value, "'")
	if local {
		v.change(v.local, name, value)
		return
	}
	v.set(name, value)
}

// set changes a setting of the session; an empty value is the default.
func (v *simServer) set(name, value string) {
	if value == "" && name == "application_name" {
		value = v.start
	}
	v.change(v.local, name, "")
	v.change(v.settings, name, value)
}

// change changes a setting in one of the two places that it may have, until the
// transaction is taken back. application_name is reported.
func (v *simServer) change(in map[string]string, name, value string) {
	old, shown := in[name], v.setting(name)
	if old == value {
		return
	}
	put(in, name, value)
	v.report(name, shown)
	v.undo = append(v.undo, func() {
		shown := v.setting(name)
		put(in, name, old)
		v.report(name, shown)
	})
}

func (v *simServer) report(name, was string) {
	if is := v.setting(name); name == "application_name" && is != was {
		v.out = wire.AppendParameterStatus(v.out, name, is)
	}
}

func (v *simServer) setting(name string) string {
	if value, ok := v.local[name]; ok {
		return value
	}
	return v.settings[name]
}

func (v *simServer) visible() string {
	var b strings.Builder
	for _, name := range sortedKeys(v.settings, v.local) {
		fmt.Fprintf(&b, "%s=%s,", name, v.setting(name))
	}
	return b.String()
}

func put(in map[string]string, name, value string) {
	if value == "" {
		delete(in, name)
	} else {
		in[name] = value
	}
}

func sortedKeys(a, b map[string]string) (keys []string) {
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

// left answers the proxy's question what a session has left: rows of kind, name
// and value.
func (v *simServer) left(question string) bool {
	for _, name := range sortedKeys(v.settings, v.defaults) {
		value, set := v.settings[name]
		if !strings.Contains(question, "pg_settings") {
			if !strings.Contains(question, "'set', '"+name+"'") {
				continue
			}
			if !set {
				value = v.defaults[name]
			}
		} else if !set {
			continue
		}
		v.row("set", name, value)
	}
	for _, name := range sortedKeys(v.named, nil) {
		if !strings.Contains(question, "pg_prepared_statements") || strings.HasPrefix(name, "pgjay_") {
			continue
		}
		if source, bySQL := v.sources[name]; bySQL {
			v.row("sql", name, source)
		} else {
			v.row("parse", name, "")
		}
	}
	if strings.Contains(question, "pg_listening_channels") {
		v.channelRows()
	}
	if strings.Contains(question, "pg_my_temp_schema") {
		for _, reason := range v.keeps() {
			v.row("left", reason, "")
		}
	}
	return v.complete("SELECT 1")
}

// tellMeaning answers askMeaning.
func (v *simServer) tellMeaning() bool {
	values := make([]string, len(meaning))
	for i, name := range meaning {
		values[i] = v.settings[name]
	}
	v.row(values...)
	return v.complete("SELECT 1")
}

func (v *simServer) deallocate(name string) bool {
	if name == "ALL" {
		v.forgetAll()
		return v.complete("DEALLOCATE ALL")
	}
	if _, ok := v.named[name]; !ok {
		return v.fail("26000", "no such statement "+name)
	}
	v.forget(name)
	return v.complete("DEALLOCATE")
}

// row sends a row of the answer to the proxy's question.
func (v *simServer) row(columns ...string) {
	row := []byte{0, byte(len(columns))}
	for _, column := range columns {
		row = binary.BigEndian.AppendUint32(row, uint32(len(column)))
		row = append(row, column...)
	}
	v.data(wire.DataRow, string(row))
}

func (v *simServer) forget(name string) {
	delete(v.named, name)
	delete(v.sources, name)
}

func (v *simServer) forgetAll() {
	clear(v.named)
	clear(v.sources)
}

// simBound makes a statement of the label change that the proxy binds.
func simBound(rest []byte) string {
	_, rest, _ = wire.CString(rest)
	rest = rest[2+2:]
	read := func() (string, bool) {
		n := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if n < 0 {
			return "", false
		}
		value := string(rest[:n])
		rest = rest[n:]
		return value, true
	}
	name, _ := read()
	value, ok := read()
	if !ok {
		return "RESET " + name
	}
	return "SET " + name + " = '" + value + "'"
}
