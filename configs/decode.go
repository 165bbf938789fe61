package configs

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// decoder fills a Config from sources and collects what is wrong on the way.
type decoder struct {
	cfg    *Config
	errs   *Errors
	lookup func(string) (string, bool) // an environment variable

	places  map[string]place  // where each given key has its value, by path
	written map[string]string // the text of values that had variables, by path
	sources int               // read so far: their order is the errors' order
}

func newDecoder(lookup func(string) (string, bool)) *decoder {
	return &decoder{
		cfg:     Default(),
		errs:    &Errors{},
		lookup:  lookup,
		places:  make(map[string]place),
		written: make(map[string]string),
	}
}

func (d *decoder) fail(p place, path, message, fix string) {
	d.errs.add(p.fail(path, message, fix))
}

// file reads all of s.
func (d *decoder) file(s *source) {
	d.sources++
	s.order = d.sources
	root, bad := s.parse()
	if bad != nil {
		d.errs.add(bad)
		return
	}
	if root != nil {
		d.value("", root, reflect.ValueOf(d.cfg).Elem())
	}
}

// value stores n, the value at path, into v. What cannot be stored leaves v
// alone and is an error.
func (d *decoder) value(path string, n *node, v reflect.Value) {
	if n.kind == kindNull {
		return
	}
	if _, ok := d.places[path]; !ok || n.kind == kindScalar {
		d.places[path] = n.at
	}
	want := shape(v.Type())
	if n.kind != want {
		at := n.at
		if holdsSecret(v.Type()) {
			at.hide = at.column
		}
		d.fail(at, path, fmt.Sprintf("%s, where %s is needed", n.kind, want), example(v.Type()))
		return
	}
	switch want {
	case kindMap:
		d.section(path, n, v)
	case kindList:
		d.list(path, n, v)
	default:
		d.scalar(path, n, v)
	}
}

// shape is the kind of YAML value that t is written as.
func shape(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Struct:
		return kindMap
	case reflect.Slice:
		return kindList
	}
	return kindScalar
}

func (d *decoder) section(path string, n *node, v reflect.Value) {
	first := make(map[string]place)
	for _, e := range n.entries {
		sub := join(path, e.key)
		f, ok := field(v, e.key)
		if !ok {
			d.unknown(path, e, v.Type())
			continue
		}
		if before, again := first[e.key]; again {
			d.fail(e.at, sub, "given twice"+onLine(before), "keep one of them")
			continue
		}
		first[e.key] = e.at
		d.places[sub] = e.at
		d.value(sub, e.value, f)
	}
}

// unknown reports a key that the section at path, of type t, does not have. In
// a section with secrets, its value may be one, and so may a key that does not
// look like one.
func (d *decoder) unknown(path string, e entry, t reflect.Type) {
	name := fmt.Sprintf("key %q", shorten(e.key))
	if holdsSecret(t) {
		e.at.hide = e.at.column + e.at.width + 1 // the colon stays
		if !word.MatchString(e.key) {
			name, e.at.hide = "such key", e.at.column
		}
	}
	d.fail(e.at, path, "there is no "+name, unknownKey(path, e.key, fieldKeys(t)))
}

var word = regexp.MustCompile(`^[\w.-]+$`)

func onLine(p place) string {
	if p.line == 0 {
		return ""
	}
	return fmt.Sprintf(", first on line %d", p.line)
}

// list replaces the list in v, the default one or an earlier source's.
func (d *decoder) list(path string, n *node, v reflect.Value) {
	for p := range d.places {
		if strings.HasPrefix(p, path+"[") {
			delete(d.places, p)
			delete(d.written, p)
		}
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		sub := fmt.Sprintf("%s[%d]", path, i)
		if item.kind == kindNull {
			d.fail(item.at, sub, "empty", "write the entry after the dash, or remove the dash")
			continue
		}
		d.value(sub, item, list.Index(i))
	}
	v.Set(list)
}

func (d *decoder) scalar(path string, n *node, v reflect.Value) {
	text, problem, fix := expand(n.text, d.lookup)
	if problem != "" {
		d.fail(n.at, path, problem, fix)
		return
	}
	delete(d.written, path)
	if text != n.text {
		d.written[path] = n.text
	}
	if message, fix := parseScalar(text, d.quote(path, n.text), v); message != "" {
		d.fail(n.at, path, message, fix)
	}
}

// quote is the value at path as a message may show it: without secrets, and
// as it was written if it came from the environment, where it may be anything.
func (d *decoder) quote(path, text string) string {
	if secretKey(path) {
		return "the value"
	}
	if written, ok := d.written[path]; ok {
		return fmt.Sprintf("the value of %q", shorten(maskText(written)))
	}
	return fmt.Sprintf("%q", shorten(maskText(text)))
}

// shorten cuts what is too long for a message.
func shorten(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}
