package rewrite

import (
	"math"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// The tree has only starts, and of an expression with an operator it has the place of
// the operator. So the bytes of a node are found by trial: they are the shortest run of
// tokens, with balanced parentheses, around all places that the node and what is
// below it have, that alone is parsed into an equal node. What is found is right, whatever
// the grammar does; what is not found is not rewritten.

// span is a run of bytes of a text. None is empty.
type span struct{ from, to int }

func (s span) none() bool { return s.to <= s.from }

// source is a text and its tokens.
type source struct {
	text   string
	tokens []sqlparse.Token
	depths []int // the parentheses around each token; of a parenthesis those around it
}

// newSource returns nil if the text cannot be cut into tokens for sure.
func newSource(text string) *source {
	tokens, ok := sqlparse.Tokens(text)
	if !ok {
		return nil
	}
	s := &source{text: text, tokens: tokens, depths: make([]int, len(tokens))}
	depth := 0
	for i, t := range tokens {
		if t.Word == ")" || t.Word == "]" {
			depth--
		}
		s.depths[i] = depth
		if t.Word == "(" || t.Word == "[" {
			depth++
		}
	}
	return s
}

// at returns the token that begins at this byte or has it in it, or -1.
func (s *source) at(place int) int {
	for i, t := range s.tokens {
		if t.Start <= place && place < t.End {
			return i
		}
	}
	return -1
}

// before returns the last token that ends there or before, or -1.
func (s *source) before(place int) int {
	i := len(s.tokens) - 1
	for i >= 0 && s.tokens[i].End > place {
		i--
	}
	return i
}

// behind returns the first token that begins there or behind, or -1.
func (s *source) behind(place int) int {
	for i, t := range s.tokens {
		if t.Start >= place {
			return i
		}
	}
	return -1
}

// Bounds on the tokens that a node may have before its first and behind its last place.
const (
	mostBefore = 6
	mostBehind = 60
)

// leading are the tokens before the first place that the tree has of a node.
var leading = map[string]bool{"(": true, "only": true, "lateral": true, "not": true, "-": true, "+": true, "@": true, "~": true,
	"select": true, "distinct": true, "all": true, "from": true}

// expression finds the bytes of an expression.
func (s *source) expression(n *pg_query.Node) span {
	return s.find("SELECT ", n, func(tree *pg_query.SelectStmt) proto.Message {
		if target := only(tree.TargetList).GetResTarget(); target != nil && target.Name == "" && len(target.Indirection) == 0 {
			tree.TargetList = nil
			return target.Val
		}
		return nil
	})
}

// item finds the bytes of a FROM item.
func (s *source) item(n *pg_query.Node) span {
	return s.find("SELECT FROM ", n, func(tree *pg_query.SelectStmt) proto.Message {
		item := only(tree.FromClause)
		tree.FromClause = nil
		return item
	})
}

func only(list []*pg_query.Node) *pg_query.Node {
	if len(list) != 1 {
		return nil
	}
	return list[0]
}

// find looks for the bytes that, behind the prefix, are parsed into n. take takes the
// node out of what was parsed; nothing else may be in it.
func (s *source) find(prefix string, n *pg_query.Node, take func(*pg_query.SelectStmt) proto.Message) span {
	places := placesOf(n)
	if places.none() {
		return span{}
	}
	first, last := s.at(places.from), s.at(places.to-1)
	if first < 0 || last < 0 {
		return span{}
	}
	want := bare(n)
	for i := first; i >= 0 && i >= first-mostBefore; i-- {
		if i < first && !leading[s.tokens[i].Word] {
			break
		}
		for j := last; j < len(s.tokens) && j <= last+mostBehind && s.depths[j] >= s.depths[i]; j++ {
			if s.depths[j] == s.depths[i] && s.is(prefix, s.tokens[i].Start, s.tokens[j].End, want, take) {
				return span{s.tokens[i].Start, s.tokens[j].End}
			}
		}
	}
	return span{}
}

func (s *source) is(prefix string, from, to int, want proto.Message, take func(*pg_query.SelectStmt) proto.Message) bool {
	tree, err := pg_query.Parse(prefix + s.text[from:to])
	if err != nil || len(tree.Stmts) != 1 {
		return false
	}
	query := tree.Stmts[0].Stmt.GetSelectStmt()
	if query == nil {
		return false
	}
	got := take(query)
	return got != nil && proto.Equal(query, &pg_query.SelectStmt{LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE}) &&
		proto.Equal(bare(got), want)
}

// placesOf is the first and the last place that a node and what is below it have. A zero
// is no place: no node but a statement begins there.
func placesOf(m proto.Message) span {
	places := span{math.MaxInt, 0}
	eachPlace(m.ProtoReflect(), func(owner protoreflect.Message, field protoreflect.FieldDescriptor) {
		if at := int(owner.Get(field).Int()); at > 0 && field.Name() != "stmt_len" {
			places.from, places.to = min(places.from, at), max(places.to, at+1)
		}
	})
	return places
}
