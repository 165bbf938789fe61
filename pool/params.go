package pool

import (
	"maps"
	"slices"
	"unique"

	"github.com/pgjay/pgjay/proxy/wire"
)

// Params is what a backend last reported by ParameterStatus. It is immutable
// and comparable; equal values are equal Params.
type Params struct {
	// frames has the ParameterStatus frames, sorted by name. It is the zero
	// handle if there are none.
	frames unique.Handle[string]
}

// NewParams makes Params of names and values.
func NewParams(values map[string]string) Params {
	if len(values) == 0 {
		return Params{}
	}
	var frames []byte
	for _, name := range slices.Sorted(maps.Keys(values)) {
		frames = wire.AppendParameterStatus(frames, name, values[name])
	}
	return Params{unique.Make(string(frames))}
}

// Wire returns the ParameterStatus frames that tell a client all of it.
func (p Params) Wire() string {
	if p == (Params{}) {
		return ""
	}
	return p.frames.Value()
}

// Get returns a parameter's value.
func (p Params) Get(name string) (value string, ok bool) {
	for n, v := range p.each {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// With returns p with one value changed.
func (p Params) With(name, value string) Params {
	if old, ok := p.Get(name); ok && old == value {
		return p
	}
	values := maps.Collect(p.each)
	values[name] = value
	return NewParams(values)
}

// Changed returns the parameters that are new in p or have another value than
// in from. PostgreSQL never stops to report a parameter.
func (p Params) Changed(from Params) []Setting {
	if p == from {
		return nil
	}
	old := maps.Collect(from.each)
	var changed []Setting
	for name, value := range p.each {
		if v, ok := old[name]; !ok || v != value {
			changed = append(changed, Setting{Name: name, Value: value})
		}
	}
	return changed
}

// each calls yield for every parameter, sorted by name.
func (p Params) each(yield func(name, value string) bool) {
	for rest := p.Wire(); rest != ""; {
		n, _ := wire.FrameLen([]byte(rest[:wire.HeaderLen]))
		name, value := splitStatus(rest[wire.HeaderLen:n])
		rest = rest[n:]
		if !yield(name, value) {
			return
		}
	}
}

// splitStatus splits the body of a ParameterStatus.
func splitStatus(body string) (name, value string) {
	for i := range len(body) {
		if body[i] == 0 {
			return body[:i], body[i+1 : len(body)-1]
		}
	}
	return body, ""
}
