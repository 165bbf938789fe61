package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// flag applies f to what the file and earlier flags have given.
func (d *decoder) flag(f Flag) {
	d.sources++
	s := &source{name: maskFlag(f.Text, f.Path), text: f.Value, order: d.sources}
	at := place{src: s}
	if f.Path == "" || f.Text == "--set "+f.Path {
		d.fail(at, "", "not path=value", "write --set pool.size=5")
		return
	}
	path, v, ok := d.resolve(at, f.Path)
	if !ok {
		return
	}
	if holdsSecret(v.Type()) {
		s.name, _, _ = strings.Cut(s.name, "=")
		s.name += "=" + hidden
	}
	n, bad := s.value(shape(v.Type()))
	if bad != nil {
		bad.Path, bad.Fatal = path, false
		bad.Fix = "give a YAML flow value, such as [a, b] or {key: value}"
		d.errs.add(bad)
		return
	}
	d.places[path] = at
	d.value(path, n, v)
}

// value reads the text of a flag. For a scalar it is taken as it is, unless it
// is all quoted: a password on the command line is no YAML.
func (s *source) value(want kind) (*node, *Error) {
	quoted := len(s.text) >= 2 && (s.text[0] == '"' || s.text[0] == '\'') && s.text[len(s.text)-1] == s.text[0]
	if want == kindScalar && !quoted {
		return &node{kind: kindScalar, text: s.text, at: place{src: s}}, nil
	}
	n, err := s.parse()
	if err == nil && (n == nil || n.kind == kindNull) {
		n = &node{kind: kindScalar, at: place{src: s}}
	}
	return n, err
}

// resolve finds the value at a path of a flag, and the path as errors write
// it: list elements are auth.users[0], and auth.users.0 is understood too.
func (d *decoder) resolve(at place, flagPath string) (string, reflect.Value, bool) {
	path, v := "", reflect.ValueOf(d.cfg).Elem()
	for name := range strings.SplitSeq(strings.NewReplacer("[", ".", "]", "").Replace(flagPath), ".") {
		switch shape(v.Type()) {
		case kindMap:
			f, ok := field(v, name)
			if !ok {
				d.unknown(path, entry{key: name, at: at}, v.Type())
				return "", v, false
			}
			path, v = join(path, name), f
		case kindList:
			i, ok := d.index(at, path, name, v)
			if !ok {
				return "", v, false
			}
			path, v = fmt.Sprintf("%s[%d]", path, i), v.Index(i)
		default:
			d.fail(at, path, "has no keys of its own", "write --set "+path+"=value")
			return "", v, false
		}
	}
	return path, v, true
}

// index reads the index of an element of list, which is at path. The index
// after the last adds an element.
func (d *decoder) index(at place, path, name string, list reflect.Value) (int, bool) {
	i, err := strconv.Atoi(name)
	n := list.Len()
	if err != nil || i < 0 || i > n {
		d.fail(at, path, fmt.Sprintf("a list of %d, which has no element %q", n, shorten(name)),
			fmt.Sprintf("give an index from 0 to %d; %d adds an element", n, n))
		return 0, false
	}
	if i == n {
		list.Set(reflect.Append(list, reflect.Zero(list.Type().Elem())))
		d.places[fmt.Sprintf("%s[%d]", path, i)] = at
	}
	return i, true
}
