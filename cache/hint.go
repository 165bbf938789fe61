package cache

import (
	"bytes"
	"time"
)

// A HintSet is what a comment at the start of a statement asks for.
type HintSet struct {
	TTL     time.Duration // 0: nothing
	NoCache bool
	// NoRewrite is for those who rewrite: the statement is to stay as it is.
	NoRewrite bool
	Bad       bool // something in it was not understood, and ignored
}

// Hint reads a comment such as /* pgjay: ttl=30s, nocache */ at the very start of a
// statement, where nothing but white space may come before it: elsewhere it could
// come from a value that somebody has pasted into the text. rest is where the
// statement goes on, 0 if there is no such comment.
func Hint(text []byte) (h HintSet, rest int) {
	body := bytes.TrimLeft(text, " \t\n\r\f")
	start := len(text) - len(body)
	if !bytes.HasPrefix(body, slashStar) {
		return h, 0
	}
	body = body[len(slashStar):]
	end := bytes.Index(body, starSlash)
	if end < 0 {
		return h, 0
	}
	options, ok := bytes.CutPrefix(bytes.TrimLeft(body[:end], " "), pgjay)
	if !ok || bytes.Contains(options, slashStar) { // of nested comments we have not seen the end
		return h, 0
	}
	for option := range bytes.FieldsFuncSeq(options, isSeparator) {
		h.read(option)
	}
	return h, start + len(slashStar) + end + len(starSlash)
}

var starSlash, pgjay = []byte("*/"), []byte("pgjay:")

func isSeparator(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }

func (h *HintSet) read(option []byte) {
	if string(option) == "nocache" {
		h.NoCache = true
		return
	}
	if string(option) == "rewrite=off" {
		h.NoRewrite = true
		return
	}
	if value, ok := bytes.CutPrefix(option, []byte("ttl=")); ok {
		if ttl, err := time.ParseDuration(string(value)); err == nil && ttl > 0 {
			h.TTL = ttl
			return
		}
	}
	h.Bad = true
}
