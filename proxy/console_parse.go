package proxy

import (
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// The console's commands are words in any case, and names and strings as in SQL,
// with comments anywhere. A semicolon ends one.

// consoleWord is a piece of a command.
type consoleWord struct {
	kind consoleWordKind
	text string // a name that is not quoted is in lower case
}

type consoleWordKind uint8

const (
	consoleName   consoleWordKind = iota // a key word, a name, or a number
	consoleQuoted                        // a name in quotation marks
	consoleString                        // in apostrophes
	consoleSign                          // one character
)

// consoleScanner cuts a text into words.
type consoleScanner struct {
	rest string
}

// scanConsole cuts a text into commands; those with nothing in them are left out.
func scanConsole(text string) (commands [][]consoleWord, bad *wire.Error) {
	scanner := consoleScanner{text}
	var words []consoleWord
	for {
		w, more, bad := scanner.next()
		if bad != nil {
			return nil, bad
		}
		if !more || w == (consoleWord{consoleSign, ";"}) {
			if len(words) > 0 {
				commands, words = append(commands, words), nil
			}
			if !more {
				return commands, nil
			}
			continue
		}
		words = append(words, w)
	}
}

// next cuts off the next word; more is false at the end.
func (sc *consoleScanner) next() (w consoleWord, more bool, bad *wire.Error) {
	if bad := sc.skip(); bad != nil || sc.rest == "" {
		return w, false, bad
	}
	switch first := sc.rest[0]; {
	case first == '"':
		return sc.quoted(consoleQuoted)
	case first == '\'':
		return sc.quoted(consoleString)
	case inConsoleName(first):
		n := 1
		for n < len(sc.rest) && inConsoleName(sc.rest[n]) {
			n++
		}
		w = consoleWord{consoleName, foldASCII(sc.rest[:n])}
		sc.rest = sc.rest[n:]
	default:
		w = consoleWord{consoleSign, sc.rest[:1]}
		sc.rest = sc.rest[1:]
	}
	return w, true, nil
}

// quoted cuts off what stands between two marks; a mark in it is doubled.
func (sc *consoleScanner) quoted(kind consoleWordKind) (w consoleWord, more bool, bad *wire.Error) {
	mark := sc.rest[:1]
	var text strings.Builder
	for rest := sc.rest[1:]; ; {
		before, after, ended := strings.Cut(rest, mark)
		if !ended {
			return w, false, consoleSyntax("unterminated quoted text at or near %s", quoteStart(sc.rest))
		}
		text.WriteString(before)
		if !strings.HasPrefix(after, mark) {
			sc.rest = after
			return consoleWord{kind, text.String()}, true, nil
		}
		text.WriteString(mark)
		rest = after[1:]
	}
}

// skip passes over white space and comments.
func (sc *consoleScanner) skip() (bad *wire.Error) {
	for {
		sc.rest = strings.TrimLeft(sc.rest, whiteSpace)
		switch {
		case strings.HasPrefix(sc.rest, "--"):
			_, sc.rest, _ = strings.Cut(sc.rest, "\n")
		case strings.HasPrefix(sc.rest, "/*"):
			n := commentLen(sc.rest)
			if n == 0 {
				return consoleSyntax("unterminated comment at or near %s", quoteStart(sc.rest))
			}
			sc.rest = sc.rest[n:]
		default:
			return nil
		}
	}
}

// commentLen is the length of the comment that text begins with, with those in it; 0:
// it does not end.
func commentLen(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

func inConsoleName(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// foldASCII makes letters small as PostgreSQL does in names.
func foldASCII(text string) string {
	folded := []byte(text)
	for i, c := range folded {
		if c >= 'A' && c <= 'Z' {
			folded[i] = c - 'A' + 'a'
		}
	}
	return string(folded)
}

// find returns the command that begins with most of the words, and what follows
// them.
func (all consoleCommands) find(words []consoleWord) (found *consoleCommand, rest []consoleWord) {
	most := 0
	for _, c := range all {
		if n := c.begins(words); n > most {
			found, most = c, n
		}
	}
	return found, words[most:]
}

// begins returns how many words the command has if it begins with them, else 0.
func (c *consoleCommand) begins(words []consoleWord) int {
	keys := strings.Fields(c.words)
	if len(keys) > len(words) {
		return 0
	}
	for i, key := range keys {
		if words[i] != (consoleWord{consoleName, foldASCII(key)}) {
			return 0
		}
	}
	return len(keys)
}

// parse understands a text: several commands, or none.
func (all consoleCommands) parse(text string) (parsed []consoleStatement, bad *wire.Error) {
	commands, bad := scanConsole(text)
	if bad != nil {
		return nil, bad
	}
	for _, words := range commands {
		st, bad := all.understand(words)
		if bad != nil {
			return nil, bad
		}
		parsed = append(parsed, st)
	}
	return parsed, nil
}

// understand finds out which command words are.
func (all consoleCommands) understand(words []consoleWord) (st consoleStatement, bad *wire.Error) {
	command, rest := all.find(words)
	if command == nil {
		return st, unknownCommand(words)
	}
	if command.arguments == nil {
		if len(rest) > 0 {
			return st, unknownCommand(words)
		}
		return consoleStatement{command: command}, nil
	}
	arguments, ok := command.arguments(rest)
	switch {
	case !ok && command.takes == "":
		return st, unknownCommand(words)
	case !ok:
		return st, consoleSyntax("%s takes %s", command.words, command.takes)
	}
	return consoleStatement{command, arguments}, nil
}

func unknownCommand(words []consoleWord) *wire.Error {
	var texts []string
	for _, w := range words {
		texts = append(texts, w.text)
	}
	return consoleSyntax("there is no command %s", quoteStart(strings.Join(texts, " ")))
}

// consoleSyntax is the error about what is no command.
func consoleSyntax(format string, args ...any) *wire.Error {
	return &wire.Error{
		Severity: "ERROR", Code: "42601", Message: "pgjay: " + fmt.Sprintf(format, args...),
		Hint: "SHOW HELP lists the commands.",
	}
}

// quoteStart quotes a text, or its beginning.
func quoteStart(text string) string {
	const most = 60
	if text = strings.ToValidUTF8(text, "?"); len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return `"` + text + `"`
}

// anyWords takes whatever follows, and ignores it.
func anyWords([]consoleWord) ([]string, bool) { return nil, true }

// oneName takes a name or a string.
func oneName(words []consoleWord) ([]string, bool) {
	if len(words) != 1 || words[0].kind == consoleSign {
		return nil, false
	}
	return []string{words[0].text}, true
}

// qualifiedName takes name or schema.name: the schema is "" if there is none.
func qualifiedName(words []consoleWord) ([]string, bool) {
	isName := func(w consoleWord) bool { return w.kind == consoleName || w.kind == consoleQuoted }
	switch {
	case len(words) == 1 && isName(words[0]):
		return []string{"", words[0].text}, true
	case len(words) == 3 && isName(words[0]) && words[1] == (consoleWord{consoleSign, "."}) && isName(words[2]):
		return []string{words[0].text, words[2].text}, true
	}
	return nil, false
}
