package catalog

import (
	"bytes"
	"fmt"
)

// row is a row of the catalogs in text format. It is valid until the next one.
type row [][]byte

func (r row) oid(i int) uint32 {
	var n uint32
	for _, c := range r[i] {
		n = n*10 + uint32(c-'0')
	}
	return n
}

func (r row) int(i int) int32 {
	digits, negative := bytes.CutPrefix(r[i], []byte("-"))
	n := int32(row{digits}.oid(0))
	if negative {
		return -n
	}
	return n
}

func (r row) bool(i int) bool { return string(r[i]) == "t" }

// char is a "char", 0 where it is empty.
func (r row) char(i int) byte {
	if len(r[i]) == 0 {
		return 0
	}
	return r[i][0]
}

// loader builds a snapshot.
type loader struct {
	s     *Snapshot
	names map[uint32]*schema // by OID

	strings  map[string]string
	numbers  map[string][]int16
	rowTypes map[uint32]*Relation // by the OIDs of their types
	members  map[uint32]string    // functions of extensions
	bodies   map[uint32]string    // of functions that are not volatile
	classes  map[uint32]string    // operator classes
	// Equal lists of indexes are one.
	oidLists   map[string][]uint32
	classLists map[string][]string
	// userClasses are the operator classes that a user has made.
	userClasses map[uint32]bool
	// expressions are kept until the functions are known.
	expressions []expression
	casts       []cast
	canonical   map[uint32]uint32 // functions of range types
	suspects    []suspect
}

// text returns one string for all equal ones.
func (l *loader) text(b []byte) string {
	if s, ok := l.strings[string(b)]; ok {
		return s
	}
	s := string(b)
	l.strings[s] = s
	return s
}

// vector reads an int2vector or an array of numbers; equal ones are one slice.
func (l *loader) vector(b []byte) []int16 {
	if v, ok := l.numbers[string(b)]; ok {
		return v
	}
	var v []int16
	for _, field := range bytes.FieldsFunc(b, notInNumber) {
		v = append(v, int16(row{field}.int(0)))
	}
	l.numbers[string(b)] = v
	return v
}

func oids(b []byte) []uint32 {
	var v []uint32
	for _, field := range bytes.FieldsFunc(b, notInNumber) {
		v = append(v, row{field}.oid(0))
	}
	return v
}

func notInNumber(r rune) bool { return r != '-' && (r < '0' || r > '9') }

func (l *loader) schema(oid uint32) *schema {
	if n := l.names[oid]; n != nil {
		return n
	}
	return l.addSchema(oid, fmt.Sprintf("schema %d", oid))
}

func (l *loader) addSchema(oid uint32, name string) *schema {
	n := &schema{name: name, relations: map[string]*Relation{}, functions: map[string][]*function{},
		operators: map[string][]*operator{}, types: map[string]*typ{}}
	l.names[oid] = n
	l.s.schemas[name] = n
	return n
}
