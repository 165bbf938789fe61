package sqlparse

import "strings"

// Token is a token of a text: the bytes from Start to End.
type Token struct {
	Start, End int
	// Word is the lower-case spelling of a name or keyword that has no quotes, and the
	// byte itself of punctuation; empty for literals and quoted names.
	Word string
}

// Tokens cuts a text into tokens by PostgreSQL's lexical rules, without comments.
// An operator of several characters is several tokens, each in its own place. It
// returns false where the text can be read in two ways or is not well formed.
func Tokens(text string) ([]Token, bool) {
	s := scanner{text: []byte(text)}
	var all []Token
	for t := s.next(); t != tokEnd; t = s.next() {
		at := s.place(t)
		token := Token{Start: at.Start, End: at.End}
		if t != tokQuoted && t != tokLiteral {
			token.Word = strings.ToLower(text[s.start:s.pos])
		}
		all = append(all, token)
	}
	return all, !s.broken && !s.ambiguous
}
