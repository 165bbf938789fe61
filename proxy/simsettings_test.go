package proxy

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

func (v *simServer) endTx(word string) bool {
	if v.inTx != nil && (word == "ROLLBACK" || v.status == 'E') {
		for _, name := range sortedKeys(v.settings, v.inTx) {
			v.set(name, v.inTx[name])
		}
		word = "ROLLBACK"
	}
	v.inTx, v.status = nil, 'I'
	clear(v.portals)
	return v.complete(word)
}

// set changes a setting; an empty value is the default. application_name is
// reported.
func (v *simServer) set(name, value string) {
	if value == "" && name == "application_name" {
		value = v.start
	}
	if v.settings[name] == value {
		return
	}
	if value == "" {
		delete(v.settings, name)
	} else {
		v.settings[name] = value
	}
	if name == "application_name" {
		v.out = wire.AppendParameterStatus(v.out, name, value)
	}
}

func (v *simServer) visible() string {
	var b strings.Builder
	for _, name := range sortedKeys(v.settings, nil) {
		fmt.Fprintf(&b, "%s=%s,", name, v.settings[name])
	}
	return b.String()
}

func copyMap(m map[string]string) map[string]string {
	c := map[string]string{}
	for k, x := range m {
		c[k] = x
	}
	return c
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
	row := []byte{0, 3}
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
