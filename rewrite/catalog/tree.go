package catalog

import "slices"

// tree is what a stored expression or query (a pg_node_tree) calls and names.
// Its text is nodes like {OPEXPR :opno 96 :opfuncid 65 ...}. What is in a name
// or a string cannot be taken for a field: spaces there have a backslash.
type tree struct {
	functions, operators, types, relations []uint32
	commands                               Command
	// values are the SQLValueFunctions (current_date, current_user, ...).
	values []uint32
	// notifies is set for NOTIFY, locks for FOR UPDATE and the
	// like, sample for TABLESAMPLE.
	notifies, locks, sample bool
}

// scanTree reads the text of a pg_node_tree.
func scanTree(text []byte) *tree {
	t := &tree{}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ':':
			name, value := field(text[i+1:])
			i += len(name)
			t.note(string(name), value)
		case '{':
			name, _ := field(text[i+1:])
			i += len(name)
			switch string(name) {
			case "SQLVALUEFUNCTION":
				_, op := field(text[i+len(" :")+1:])
				t.values = append(t.values, row{op}.oid(0))
			case "ROWMARKCLAUSE":
				t.locks = true
			case "TABLESAMPLECLAUSE":
				t.sample = true
			case "NOTIFYSTMT", "NOTIFY": // the only utility statement that a rule may have
				t.notifies = true
			}
		}
	}
	for _, list := range []*[]uint32{&t.functions, &t.operators, &t.types, &t.relations, &t.values} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return t
}

// field cuts off a word, and the number after it if there is one.
func field(text []byte) (name, number []byte) {
	n := 0
	for n < len(text) && (text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || text[n] == '_') {
		n++
	}
	if n == len(text) || text[n] != ' ' {
		return text[:n], nil
	}
	end := n + 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return text[:n], text[n+1 : end]
}

func (t *tree) note(name string, value []byte) {
	var list *[]uint32
	switch name {
	case "funcid", "opfuncid", "aggfnoid", "winfnoid":
		list = &t.functions
	case "opno", "eqop", "sortop":
		list = &t.operators
	case "resulttype":
		list = &t.types
	case "relid":
		list = &t.relations
	case "commandType":
		t.command(row{value}.oid(0))
		return
	default:
		return
	}
	if oid := (row{value}).oid(0); oid != 0 {
		*list = append(*list, oid)
	}
}

// command notes a CmdType. 5 is MERGE since PostgreSQL 15, and before that, as 6
// now, a utility statement.
func (t *tree) command(number uint32) {
	switch number {
	case 2:
		t.commands |= Update
	case 3:
		t.commands |= Insert
	case 4:
		t.commands |= Delete
	case 5:
		t.commands |= Merge
	}
}
