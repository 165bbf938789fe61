package configs

import (
	"regexp"
	"slices"
	"strings"
)

// Masking errs on the side of hiding: it works on lines, before and whether or
// not they are YAML, so that a file with a syntax error leaks nothing either.

const hidden = "***"

var (
	// keyColon finds what looks like a key: a word, perhaps quoted, and a colon.
	keyColon = regexp.MustCompile(`["']?([\w.\-\[\]]+)["']?\s*:`)
	// leadingWord is the first word of a line, and innerKey any key with a value.
	leadingWord = regexp.MustCompile(`^[^\pL\pN]*([\w.\-]+|.)`)
	innerKey    = regexp.MustCompile(`(?:^|[\[{,\-])\s*["']?([\w.\-]+)["']?\s*:(?:\s|["'])`)
	// secretSections have secrets inside, whatever their shape is.
	secretSections = []string{"auth", "users", "backend", "dashboard"}
	// urlPassword is the password of a URL, up to the last @ of the text: a
	// password that ought to have been escaped may have slashes, spaces, colons.
	urlPassword = regexp.MustCompile(`(://[^:@/\s]*):.*@`)
	// urlPort is what follows a colon without an @: a port, or a password whose
	// URL was cut off.
	urlPort = regexp.MustCompile(`(://[^:@/\s]*):([^\s"']*)`)
	port    = regexp.MustCompile(`^[0-9]{0,5}([^0-9A-Za-z]|$)`)
	// wordPassword is password=... as in a keyword/value string, a URL's query,
	// or --set auth.users.0.password=...
	wordPassword = regexp.MustCompile(`(?i)([\w.\-\[\]]*(?:pass|pwd|secret|token)[\w.\-\[\]]*\s*=)\s*\S.*`)
)

// secretKey reports whether the last word of key names a secret, also when it
// is misspelled.
func secretKey(key string) bool {
	key = strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	for _, part := range []string{"pass", "pwd", "secret", "token"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return key == "pw" || distance(key, "password") <= 3 || distance(key, "backend_password") <= 4
}

// maskText hides the passwords inside one line of text or one value.
func maskText(text string) string {
	text = urlPassword.ReplaceAllString(text, "${1}:"+hidden+"@")
	text = urlPort.ReplaceAllStringFunc(text, func(found string) string {
		part := urlPort.FindStringSubmatch(found)
		if port.MatchString(part[2]) {
			return found
		}
		return part[1] + ":" + hidden
	})
	return wordPassword.ReplaceAllString(text, "${1}"+hidden)
}

// maskBroken hides more of a line at which the file stops being YAML: what
// follows a key that does not exist, or the users, may be a password that was
// put there in a wrong way.
func maskBroken(line string) string {
	lead := leadingWord.FindStringSubmatchIndex(line)
	if lead == nil {
		return line
	}
	if !knownKey(line[lead[2]:lead[3]]) {
		return line[:lead[2]] + hidden
	}
	for _, found := range innerKey.FindAllStringSubmatchIndex(line, -1) {
		if key := line[found[2]:found[3]]; !knownKey(key) || slices.Contains(secretSections, key) {
			return line[:found[3]] + ": " + hidden
		}
	}
	return line
}

// knownKey reports whether some section has this key.
func knownKey(name string) bool {
	return slices.ContainsFunc(Keys(), func(path string) bool {
		return slices.Contains(strings.Split(strings.ReplaceAll(path, "[]", ""), "."), name)
	})
}

// maskFlag hides the secrets of a flag as it was written: --set path=value.
func maskFlag(text, path string) string {
	if secretKey(path) {
		if head, _, ok := strings.Cut(text, "="); ok {
			return head + "=" + hidden
		}
	}
	return maskLines(text)[0]
}

// maskLines splits text into lines and hides every secret in them: the rest of
// a line after a secret key, and the lines its value continues on.
func maskLines(text string) []string {
	lines := strings.Split(text, "\n")
	var m masker
	for i, line := range lines {
		lines[i] = m.mask(line)
	}
	return lines
}

// masker remembers the secret value that may go on in the next line.
type masker struct {
	open   bool   // a secret value began and has not ended
	indent int    // the column of its key: deeper lines belong to it
	quote  string // it is quoted: it ends with this, whatever the indentation
	empty  bool   // nothing of it was seen yet
}

func (m *masker) mask(line string) string {
	blank := strings.TrimSpace(line) == ""
	if m.open && !blank && m.continues(line) {
		return hidden
	}
	if blank {
		return line
	}
	m.open = false
	for _, found := range keyColon.FindAllStringSubmatchIndex(line, -1) {
		if secretKey(line[found[2]:found[3]]) {
			return m.start(line, found[0], found[1])
		}
	}
	return maskText(line)
}

// start masks what follows a secret key, which ends at end, and notes how the
// next lines may go on.
func (m *masker) start(line string, key, end int) string {
	value := strings.TrimSpace(line[end:])
	*m = masker{open: true, indent: key, empty: value == "" || value[0] == '#'}
	if value == "" {
		return line
	}
	if q := value[:1]; (q == `"` || q == `'`) && !strings.HasSuffix(value[1:], q) {
		m.quote = q
	}
	return maskText(line[:end]) + " " + hidden
}

// continues reports whether line belongs to the secret value that is open.
func (m *masker) continues(line string) bool {
	if m.quote != "" {
		m.open = !strings.Contains(line, m.quote)
		return true
	}
	deeper := len(line)-len(strings.TrimLeft(line, " \t")) > m.indent
	if m.empty && !deeper {
		m.empty = false
		return !keyColon.MatchString(line)
	}
	return deeper
}
