package configs

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// Keys returns the path of every key, in the order of Config: pool.size,
// auth.users, auth.users[].name. Each can be given to --set, with an index in
// place of [].
func Keys() []string { return keysOf(reflect.TypeFor[Config](), "") }

func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for _, f := range reflect.VisibleFields(t) {
		path := join(prefix, key(f))
		switch section := elem(f.Type); {
		case isSection(section) && f.Type.Kind() == reflect.Slice:
			keys = append(append(keys, path), keysOf(section, path+"[]")...)
		case isSection(section):
			keys = append(keys, keysOf(section, path)...)
		default:
			keys = append(keys, path)
		}
	}
	return keys
}

// isSection reports whether t holds keys of its own.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct }

// elem is what a slice or a pointer is of; t itself otherwise.
func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// key is a field's YAML key.
func key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// holdsSecret reports whether t is a section, or a list of sections, with a key
// for a secret: what was written in a wrong way there may be one.
func holdsSecret(t reflect.Type) bool {
	return isSection(elem(t)) && slices.ContainsFunc(fieldKeys(elem(t)), secretKey)
}

// field finds the field of the section v with this key.
func field(v reflect.Value, name string) (reflect.Value, bool) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		if key(f) == name && name != "" {
			return v.FieldByIndex(f.Index), true
		}
	}
	return reflect.Value{}, false
}

// fieldKeys lists the keys of a section.
func fieldKeys(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		names = append(names, key(f))
	}
	return names
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

var durationType = reflect.TypeFor[time.Duration]()
