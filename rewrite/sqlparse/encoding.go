package sqlparse

// Readable reports whether texts in a client encoding, named as in
// client_encoding, can be classified. In the encodings that PostgreSQL knows for
// clients only, a byte that looks like ASCII can be the second half of a
// character: what looks like a backslash or a bracket may be none. A session
// with such an encoding must be pinned.
func Readable(encoding string) bool {
	var name [16]byte
	n := 0
	for i := 0; i < len(encoding); i++ {
		c := encoding[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			if n == len(name) {
				return true // longer than any name below
			}
			name[n] = c
			n++
		}
	}
	switch string(name[:n]) {
	case "big5", "win950", "windows950",
		"gbk", "win936", "windows936",
		"gb18030", "johab",
		"sjis", "mskanji", "shiftjis", "win932", "windows932", "shiftjis2004",
		"uhc", "win949", "windows949":
		return false
	}
	return true
}
