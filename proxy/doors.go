package proxy

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A text may run code that it does not name: that of a view, trigger, default, check,
// policy, domain, cast or operator. The names by whose use such code is reached, if it
// may leave something in a session, are the doors of a database: of relations, types
// and operators, and of functions with what cannot be asked for. Most databases have
// none. What has one of these words in its text is asked about, as a call of a function
// that is not known is.

// doors are those of the database of a pool. They are safe for concurrent use.
type doors struct {
	known      atomic.Pointer[doorNames] // nil: none are
	asked      atomic.Int64              // when somebody was told to ask for them
	generation atomic.Uint64             // that they must be of
	// feared is the last generation in which some were made of which a backend may not be
	// asked what they leave.
	feared atomic.Uint64
}

const (
	// doorsFor is how long they are good for, as objects may be made that the proxy
	// does not see. Those that it sees make it forget.
	doorsFor = time.Minute
	// doorsPause is how often they are asked for at most: it takes some 100 ms, and DDL
	// comes in crowds. Meanwhile the backends are asked what is left after each text. What they
	// cannot be asked for is rare in DDL, and has the doors asked for at once.
	doorsPause = time.Second
)

// doorNames are words, and what to fear where a text has one of them.
type doorNames struct {
	at         int64
	generation uint64
	words      map[string]sqlparse.Reasons // in lower case, as far as they are ASCII
	odd        map[string]sqlparse.Reasons // those that are not one word
	foreign    sqlparse.Reasons            // of those that are not ASCII: the client's encoding counts
	all        sqlparse.Reasons
	// composes is set if by any of them the name of a setting may be made up.
	composes bool
}

// doorReasons are the reasons that askDoors names.
var doorReasons = map[string]sqlparse.Reasons{
	"code":    sqlparse.ReasonFunction.Set(),
	"name":    sqlparse.ReasonFunction.Set() | sqlparse.ReasonAnySetting.Set(),
	"setting": sqlparse.ReasonFunction.Set() | sqlparse.ReasonAnySetting.Set(),
	"seed":    sqlparse.ReasonFunction.Set() | sqlparse.ReasonSeed.Set(),
	"load":    sqlparse.ReasonFunction.Set() | sqlparse.ReasonLoad.Set(),
}

// look returns what was known last; nil: nothing. unknown is set if others may have been
// made since, and old if it is time to ask again.
func (d *doors) look(now int64) (names *doorNames, unknown, old bool) {
	names = d.known.Load()
	if names == nil || names.generation != d.generation.Load() {
		return names, true, false
	}
	return names, false, now-names.at >= int64(doorsFor) && now-d.asked.Load() >= int64(doorsPause)
}

// fresh reports whether they need not be asked for.
func (d *doors) fresh(now int64) bool {
	names, unknown, _ := d.look(now)
	return !unknown && now-names.at < int64(doorsFor)
}

// seek reports whether the caller is to ask for them.
func (d *doors) seek(now int64) bool {
	asked := d.asked.Load()
	return !d.fresh(now) && (asked == 0 || now-asked >= int64(doorsPause)) && d.asked.CompareAndSwap(asked, now)
}

// forget is called when the doors may be others.
func (d *doors) forget(feared bool) {
	generation := d.generation.Add(1)
	if feared {
		d.feared.Store(generation)
		d.asked.Store(0)
	}
}

// put takes an answer to what was asked in a generation.
func (d *doors) put(names *doorNames, generation uint64, now int64) {
	names.at, names.generation = now, generation
	if d.generation.Load() == generation {
		d.known.Store(names)
	}
}

// add takes a name, in UTF-8 and hexadecimal digits. It reports whether it could be
// read.
func (n *doorNames) add(name, kind []byte) bool {
	word, err := hex.AppendDecode(nil, name)
	why := doorReasons[string(kind)]
	if err != nil || why == 0 {
		return false
	}
	n.all |= why
	n.composes = n.composes || string(kind) == "setting"
	word = bytes.ReplaceAll(lowerASCII(word), []byte(`"`), []byte(`""`))
	switch at := bytes.IndexFunc(word, func(r rune) bool { return r >= 0x80 || !isWord(byte(r)) }); {
	case at < 0:
		n.words = with(n.words, string(word), why)
	case bytes.ContainsFunc(word, func(r rune) bool { return r >= 0x80 }):
		n.foreign |= why
	default:
		n.odd = with(n.odd, string(word), why)
	}
	return true
}

func with(m map[string]sqlparse.Reasons, name string, why sqlparse.Reasons) map[string]sqlparse.Reasons {
	if m == nil {
		m = make(map[string]sqlparse.Reasons)
	}
	m[name] |= why
	return m
}

// anyName is in a text that may have any name in it: U&"..." has escapes.
const anyName = "u&"

// in returns what is to be feared of a text. n may be nil.
func (n *doorNames) in(text []byte) (found sqlparse.Reasons) {
	if n == nil || n.all == 0 {
		return 0
	}
	if bytes.Contains(text, []byte(`U&`)) || bytes.Contains(text, []byte(anyName)) {
		return n.all
	}
	for name, why := range n.odd {
		if bytes.Contains(lowerASCII(bytes.Clone(text)), []byte(name)) {
			found |= why
		}
	}
	return found | n.wordsIn(text)
}

// maxIdentifier is how long an identifier may be; what is beyond it PostgreSQL cuts off.
const maxIdentifier = 63

func (n *doorNames) wordsIn(text []byte) (found sqlparse.Reasons) {
	var word [maxIdentifier]byte
	for i := 0; i < len(text); {
		size := 0
		for ; i < len(text) && (isWord(text[i]) || text[i] >= 0x80); i++ {
			if text[i] >= 0x80 {
				found |= n.foreign
			}
			if size < len(word) {
				word[size] = lowerByte(text[i])
				size++
			}
		}
		if size == 0 {
			i++
			continue
		}
		found |= n.words[string(word[:size])]
	}
	return found
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// lowerASCII changes what it is given.
func lowerASCII(text []byte) []byte {
	for i, c := range text {
		text[i] = lowerByte(c)
	}
	return text
}

// maxBehind bounds how much is kept of the texts of a lease that were sent when the
// doors were not known, in bytes.
const maxBehind = 64 << 10

// keepBehind keeps a text that is to be looked at again when the doors are known.
func (l *leftover) keepBehind(text []byte) {
	if l.behindSize += len(text); l.behindSize > maxBehind {
		l.behind = [][]byte{[]byte(anyName)}
		return
	}
	l.behind = append(l.behind, bytes.Clone(text))
}

// askDoors has the doors asked for, and what is left once more, as what was found by
// the first question is found again.
func (l *leftover) askDoors(q *question) {
	if !l.unsure {
		l.text = q.text
	} else {
		l.text = nil
	}
	l.unsure, l.all, l.doors = true, true, true
	for _, text := range q.behind {
		l.keepBehind(text)
	}
}

// lookBehind looks at those texts. What they may have left that the backend was not
// asked for, or cannot be, pins.
func (s *session) lookBehind(q *question) {
	names, unknown, _ := s.who.doors.look(s.loop.Now())
	if unknown || names.all == 0 {
		return
	}
	for _, text := range q.behind {
		if found := names.in(text) &^ askable; found != 0 {
			s.tx.pins |= found
			s.tx.outlasts = s.tx.outlasts || found.Outlast()
			s.tellPin(found.First(), text)
		}
	}
}

// mustLookBehind reports whether those texts cannot be forgotten although the doors are still
// unknown: somebody else asks for them, or more DDL has come.
func (s *session) mustLookBehind(q *question) bool {
	names, unknown, _ := s.who.doors.look(s.loop.Now())
	return unknown && len(q.behind) > 0 && (names == nil || names.generation < s.who.doors.feared.Load())
}

// behindDoors returns what a text may leave by code that it does not name. urgent is
// set if the backend is to be asked whatever is known of the text.
func (s *session) behindDoors(text []byte) (found sqlparse.Reasons, urgent bool) {
	if !s.pooled() || s.own {
		return 0, false
	}
	names, unknown, old := s.who.doors.look(s.loop.Now())
	return names.in(text), unknown || old || s.tx.opened
}

// withDoors adds the reasons to pin that are behind doors.
func (s *session) withDoors(class sqlparse.Class, text []byte) (_ sqlparse.Class, urgent bool) {
	behind, urgent := s.behindDoors(text)
	if behind.Has(sqlparse.ReasonAnySetting) && s.who.doors.known.Load().spelledOut(text) {
		behind &^= sqlparse.ReasonAnySetting.Set()
		s.tx.left.settings = append(s.tx.left.settings, dottedNames(text)...)
	}
	class.Pins |= behind
	class.Pin = class.Pins.First()
	return class, urgent
}

// spelledOut reports whether any setting that a text may change by a door has its name
// in the text: it does nothing but call a function with literals.
func (n *doorNames) spelledOut(text []byte) bool { return !n.composes && callOfLiterals.Match(text) }

// callOfLiterals may have words among the arguments, like true and null: there are no
// columns that they could be.
var callOfLiterals = regexp.MustCompile(`(?i)^\s*(?:select|call)\s+[\w."]+\s*\(\s*(?:'[^'\\]*'|[\w.]+)(?:\s*,\s*(?:'[^'\\]*'|[\w.]+))*\s*\)\s*;?\s*$`)

// dottedNames returns the literals of a text that may be names of applications' settings.
func dottedNames(text []byte) (names []string) {
	for _, m := range dottedName.FindAllSubmatch(text, -1) {
		names = append(names, strings.ToLower(string(m[1])))
	}
	return names
}

var dottedName = regexp.MustCompile(`(?i)'([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+)'`)

// opens reports whether by a statement that defines something new names may become
// doors.
func (s *session) opens(class sqlparse.Class, text []byte) bool {
	if class.Pins.Has(sqlparse.ReasonTemporary) && class.Statements == 1 {
		return false // nobody else has them, and the session is asked when they have gone
	}
	names := s.who.doors.known.Load()
	return names == nil || names.all != 0 || opensDoors.Match(text)
}

// fearsDoors reports whether a statement that opens may lead to what a backend cannot be
// asked for.
func (s *session) fearsDoors(text []byte) bool {
	return s.who.doors.known.Load().in(text)&^askable != 0 || opensAny.Match(text) ||
		slices.ContainsFunc(codeFears[:], func(f codeFear) bool { return f.code.Match(text) })
}

// opensAny finds in DDL what brings code that is not in its text.
var opensAny = regexp.MustCompile(`(?i)extension|language\s+'?c\b|import|u&`)

// opensDoors finds in DDL what has code run that is not in the text of who uses it. The
// type of a column does, too, if it is a door.
var opensDoors = regexp.MustCompile(`(?i)view|trigger|rule|default|check|generated|including|inherit|partition|references|index|policy|` +
	`function|procedure|routine|aggregate|domain|type|operator|cast|language|extension|import|^\W*(?:do|call|select)\b|u&`)

// fearsOf returns what cannot be asked for, as far as code in a text seems to do it.
func fearsOf(class sqlparse.Class, text []byte) (fears sqlparse.Reasons) {
	if class.Pins&opaque == 0 {
		return 0
	}
	for _, f := range codeFears {
		if f.code.Match(text) {
			fears |= f.why.Set()
		}
	}
	return fears
}

type codeFear struct {
	code *regexp.Regexp
	why  sqlparse.Reason
}

// codeFears are, for a text with code in it, what sourceComposes, sourceSeeds and
// sourceLoads are for the source of a function.
var codeFears = [...]codeFear{
	{regexp.MustCompile(`(?i)set_config\s*\(\s*(?:[^'\s]|'[^']*'\s*[^,\s])|['$]\s*set\s+(?:(?:session|local)\s+)?(?:'|%|\|)`), sqlparse.ReasonAnySetting},
	{regexp.MustCompile(`(?i)setseed|'seed'|(?:^|;|begin|then|else|loop|'|\$)\s*set\s+(?:(?:session|local)\s+)?seed\b`), sqlparse.ReasonSeed},
	{regexp.MustCompile(`(?i)\b(?:load\s+'|` + keepers + `)`), sqlparse.ReasonLoad},
}

// seedsBy reports whether a statement may seed random() by its parameters: the name of
// the setting may be among them.
func seedsBy(class sqlparse.Class, values []byte) bool {
	return class.Pins.Has(sqlparse.ReasonAnySetting) && seedName.Match(values)
}

var seedName = regexp.MustCompile(`(?i)seed`)

// hasDoor reports whether a text may leave something by code that it does not name.
func (s *session) hasDoor(text []byte) bool {
	found, urgent := s.behindDoors(text)
	return urgent || found != 0
}
