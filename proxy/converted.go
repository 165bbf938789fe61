package proxy

import (
	"golang.org/x/text/encoding/charmap"

	"github.com/pgjay/pgjay/proxy/wire"
)

// The listener gets notifications in UTF-8. A client that has changed its encoding after
// its LISTEN gets them converted, if that is one with a byte for each character.

// charmaps are those encodings, by PostgreSQL's names.
var charmaps = map[string]*charmap.Charmap{
	"LATIN1": charmap.ISO8859_1, "LATIN2": charmap.ISO8859_2, "LATIN3": charmap.ISO8859_3, "LATIN4": charmap.ISO8859_4,
	"LATIN5": charmap.ISO8859_9, "LATIN6": charmap.ISO8859_10, "LATIN7": charmap.ISO8859_13, "LATIN8": charmap.ISO8859_14,
	"LATIN9": charmap.ISO8859_15, "LATIN10": charmap.ISO8859_16,
	"ISO_8859_5": charmap.ISO8859_5, "ISO_8859_6": charmap.ISO8859_6, "ISO_8859_7": charmap.ISO8859_7, "ISO_8859_8": charmap.ISO8859_8,
	"KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U, "WIN866": charmap.CodePage866, "WIN874": charmap.Windows874,
	"WIN1250": charmap.Windows1250, "WIN1251": charmap.Windows1251, "WIN1252": charmap.Windows1252, "WIN1253": charmap.Windows1253,
	"WIN1254": charmap.Windows1254, "WIN1255": charmap.Windows1255, "WIN1256": charmap.Windows1256, "WIN1257": charmap.Windows1257,
	"WIN1258": charmap.Windows1258,
}

// converted returns a notification as the client reads it. It is not ok if that cannot
// be had.
func (s *session) converted(frame []byte) (out []byte, ok bool) {
	const head = wire.HeaderLen + 4 // with the process ID
	if s.readsUTF8() || isASCII(frame[head:]) {
		return frame, true
	}
	to := s.charmap()
	if to == nil {
		return nil, false
	}
	body := append([]byte(nil), frame[wire.HeaderLen:head]...)
	for _, r := range string(frame[head:]) {
		b, ok := to.EncodeRune(r)
		if !ok {
			return nil, false
		}
		body = append(body, b)
	}
	return wire.AppendFrame(nil, wire.NotificationResponse, string(body)), true
}

// charmap is that of the client's encoding; nil: there is none.
func (s *session) charmap() *charmap.Charmap {
	name, _ := s.who.params.Get("client_encoding")
	if name == "SQL_ASCII" {
		name, _ = s.who.params.Get("server_encoding")
	}
	return charmaps[name]
}

// channelName returns the name of a channel that the session's backend has told, as the
// listener has it.
func (s *session) channelName(told []byte) string {
	from := s.charmap()
	if from == nil || isASCII(told) {
		return string(told)
	}
	var name []rune
	for _, b := range told {
		name = append(name, from.DecodeByte(b))
	}
	return string(name)
}
