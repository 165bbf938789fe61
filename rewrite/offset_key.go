package rewrite

import "strings"

// KeyType is the type of a leading key.
type KeyType struct {
	OID  uint32
	Name string // for a cast
	// same is set when two values are equal only if they are printed alike, and sent
	// alike in binary.
	same bool
	// dated is set when its text depends on the setting datestyle.
	dated bool
}

// keyTypes are those that can be carried from one statement to another without loss.
// The text of a float depends on a setting that a client is not told, that of an
// interval can be read in two ways.
var keyTypes = map[uint32]*KeyType{
	16:   {16, "bool", true, false},
	17:   {17, "bytea", true, false},
	20:   {20, "int8", true, false},
	21:   {21, "int2", true, false},
	23:   {23, "int4", true, false},
	25:   {25, "text", true, false},
	26:   {26, "oid", true, false},
	1042: {1042, "bpchar", false, false},
	1043: {1043, "varchar", true, false},
	1082: {1082, "date", true, true},
	1083: {1083, "time", true, false},
	1114: {1114, "timestamp", true, true},
	1184: {1184, "timestamptz", true, true},
	1700: {1700, "numeric", false, false},
	2950: {2950, "uuid", true, false},
}

// KeyTypeOf returns the type of a key; nil if it cannot be one.
func KeyTypeOf(oid uint32) *KeyType { return keyTypes[oid] }

// Carries reports whether values can be carried in text under this setting of datestyle.
func (t *KeyType) Carries(datestyle string) bool {
	return !t.dated || strings.HasPrefix(datestyle, "ISO")
}

// A Value is a value of a key as PostgreSQL has sent it.
type Value struct {
	Bytes  string
	Null   bool
	Binary bool
}

// Differ reports whether two values that were sent in one answer are certain to be
// different.
func (t *KeyType) Differ(a, b Value) bool {
	switch {
	case a.Null || b.Null:
		return a.Null != b.Null
	case t.same:
		return a.Bytes != b.Bytes
	case t.OID == 1700 && !a.Binary:
		return plainNumeric(a.Bytes) != plainNumeric(b.Bytes)
	}
	return false
}

// plainNumeric is a numeric without the zeros that say nothing.
func plainNumeric(text string) string {
	if strings.Contains(text, ".") {
		return strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
