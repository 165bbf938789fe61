package configs

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// source is where values come from: a file, or one flag.
type source struct {
	name  string
	lines []string // of a file, secrets masked; nil for a flag
	text  string   // not masked: never to be printed
	order int
}

// place is a position in a source. Its line is 0 in a flag.
type place struct {
	src                 *source
	line, column, width int
	hide                int // if not 0, the excerpt shows nothing from this column on
}

// kind is the shape of a YAML value.
type kind uint8

const (
	kindNull kind = iota // nothing after the colon, ~ or null: the default stays
	kindScalar
	kindList
	kindMap
)

// String names the kind as a user would.
func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a section of keys"}[k]
}

// node is a YAML value with its place. Scalars are the text as written, with
// quotes and escapes undone, so that 0123 stays a password.
type node struct {
	kind    kind
	text    string  // scalar
	items   []*node // list
	entries []entry // map
	at      place
}

// entry is one key of a map. Keys may repeat; the decoder objects.
type entry struct {
	key   string
	at    place
	value *node
}

func newFile(name string, text []byte) *source {
	s := strings.TrimPrefix(string(text), "\ufeff")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) // YAML's line breaks
	return &source{name: name, text: s, lines: maskLines(s)}
}

// fail makes an Error at p. The path and message must not have secrets.
func (p place) fail(path, message, fix string) *Error {
	e := &Error{
		File: p.src.name, Line: p.line, Column: p.column,
		Path: path, Message: message, Fix: fix, order: p.src.order,
	}
	if p.line > 0 && p.line <= len(p.src.lines) {
		e.Excerpt = p.excerpt()
		e.Width = min(p.width, utf8.RuneCountInString(e.Excerpt)-p.column+1)
	}
	return e
}

// excerpt is the line of p without its secrets.
func (p place) excerpt() string {
	line := p.src.lines[p.line-1]
	if r := []rune(line); p.hide > 0 && p.hide <= len(r) {
		return strings.TrimRight(string(r[:p.hide-1]), " ") + " " + hidden
	}
	return line
}

// parse reads s as one YAML document. A nil node is an empty document.
func (s *source) parse() (*node, *Error) {
	file, err := parser.ParseBytes([]byte(s.text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, s.syntax(err)
	}
	var root *node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		n, bad := s.node(doc.Body)
		if bad != nil {
			return nil, bad
		}
		if root != nil {
			return nil, n.at.fail("", "a second YAML document", "keep everything in one document: remove the line with ---")
		}
		root = n
	}
	return root, nil
}

// syntax turns the parser's error into ours. Its own text would quote lines
// that may have secrets.
func (s *source) syntax(err error) *Error {
	var located interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &located) {
		return &Error{File: s.name, Message: "not YAML", Fatal: true, order: s.order}
	}
	message, fix := "not YAML: "+located.GetMessage(),
		"look at this line and its neighbours: indentation, a missing colon or quote, a special character that needs quotes"
	if strings.ContainsRune(message, '\t') {
		message, fix = "not YAML: a tab where only spaces may be", "indent with spaces"
	}
	e := s.at(located.GetToken()).fail("", message, fix)
	e.Fatal = true
	e.Excerpt = maskBroken(e.Excerpt)
	e.Width = min(e.Width, utf8.RuneCountInString(e.Excerpt)-e.Column+1)
	return e
}

// at is the place of tok in s.
func (s *source) at(tok *token.Token) place {
	if tok == nil || tok.Position == nil || s.lines == nil {
		return place{src: s}
	}
	value, _, more := strings.Cut(tok.Value, "\n")
	width := utf8.RuneCountInString(value)
	if tok.Type == token.SingleQuoteType || tok.Type == token.DoubleQuoteType {
		width += 2
	}
	if more {
		width = 1
	}
	return place{src: s, line: tok.Position.Line, column: max(tok.Position.Column, 1), width: max(width, 1)}
}

// node converts the parser's tree. Anchors, aliases, tags and complex keys are
// refused: a configuration does not need them.
func (s *source) node(n ast.Node) (*node, *Error) {
	at := s.at(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return s.mapping(n.Values, at)
	case *ast.MappingValueNode:
		return s.mapping([]*ast.MappingValueNode{n}, at)
	case *ast.SequenceNode:
		return s.list(n, at)
	case *ast.NullNode:
		return &node{kind: kindNull, at: at}, nil
	case *ast.StringNode:
		return &node{kind: kindScalar, text: n.Value, at: at}, nil
	case *ast.LiteralNode:
		return &node{kind: kindScalar, text: n.Value.Value, at: at}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: kindScalar, text: n.GetToken().Value, at: at}, nil
	}
	return nil, s.unsupported(n, at)
}

func (s *source) unsupported(n ast.Node, at place) *Error {
	e := at.fail("", fmt.Sprintf("a YAML %s, which the configuration does not use", strings.ToLower(n.Type().String())),
		"write the value out; quote a text that starts with & * ! or ?")
	e.Fatal = true
	return e
}

func (s *source) mapping(values []*ast.MappingValueNode, at place) (*node, *Error) {
	m := &node{kind: kindMap, at: at}
	for _, v := range values {
		switch v.Key.(type) {
		case *ast.MergeKeyNode, *ast.MappingKeyNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			return nil, s.unsupported(v.Key, s.at(v.Key.GetToken()))
		}
		value, err := s.node(v.Value)
		if err != nil {
			return nil, err
		}
		key := v.Key.GetToken()
		m.entries = append(m.entries, entry{key: key.Value, at: s.at(key), value: value})
	}
	if len(m.entries) > 0 {
		m.at = m.entries[0].at
	}
	return m, nil
}

func (s *source) list(n *ast.SequenceNode, at place) (*node, *Error) {
	l := &node{kind: kindList, at: at}
	for _, v := range n.Values {
		item, err := s.node(v)
		if err != nil {
			return nil, err
		}
		if text, ok := unsplit(v); ok {
			item = &node{kind: kindScalar, text: text, at: item.at}
			item.at.width = max(utf8.RuneCountInString(text), 1)
		}
		l.items = append(l.items, item)
	}
	return l, nil
}

// unsplit undoes a mistake of go-yaml v1.19.2: inside a flow map, it reads the
// element of [127.0.0.1:6432] as a map. In YAML, a colon that nothing follows
// but text is text.
func unsplit(n ast.Node) (string, bool) {
	m, ok := n.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return "", false
	}
	key, colon, value := m.Values[0].Key.GetToken(), m.Start, m.Values[0].Value.GetToken()
	end := key.Position.Column + utf8.RuneCountInString(key.Value)
	adjacent := colon.Position.Column == end && value.Position.Column == end+1 && value.Position.Line == key.Position.Line
	if key.Indicator == token.QuotedScalarIndicator || !adjacent {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}
