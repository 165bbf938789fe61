package plan

import "reflect"

// Size is about how many bytes of memory the plan takes.
func (p *Plan) Size() (n int) {
	n = int(reflect.TypeFor[Plan]().Size())
	for name, value := range p.Settings {
		n += len(name) + len(value)
	}
	for node := range p.Nodes() {
		n += int(reflect.TypeFor[Node]().Size()) + behind(reflect.ValueOf(node).Elem())
	}
	return n
}

// behind is how many bytes a value refers to, without other nodes.
func behind(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Struct:
		for i := range v.NumField() {
			n += behind(v.Field(i))
		}
	case reflect.Slice:
		n = v.Cap() * int(v.Type().Elem().Size())
		if v.Type().Elem().Kind() == reflect.Pointer {
			return n
		}
		for i := range v.Len() {
			n += behind(v.Index(i))
		}
	}
	return n
}
