package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// compressFrom is how long an answer is, in bytes, that is worth compressing.
const compressFrom = 1000

// acceptsGzip reports whether a client can read a compressed answer.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, weighed := strings.Cut(strings.ToLower(strings.ReplaceAll(part, " ", "")), ";q=")
		if name == "gzip" {
			q, err := strconv.ParseFloat(weight, 64)
			return !weighed || err == nil && q > 0
		}
	}
	return false
}

// compressed returns body in gzip's form.
func compressed(body []byte, level int) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, level) // the level is one that there is
	_, _ = z.Write(body)                     // a Buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// send answers with body, or with packed, which is the same compressed; nil: it is to
// be made, if that is worth it.
func send(w http.ResponseWriter, r *http.Request, body, packed []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) > compressFrom && acceptsGzip(r) {
		if packed == nil {
			packed = compressed(body, gzip.BestSpeed)
		}
		h.Set("Content-Encoding", "gzip")
		body = packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who asked has gone if this fails
	}
}
