package web

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
)

//go:embed static
var static embed.FS

// file is one of the files that pages are made of.
type file struct {
	body, packed []byte
	kind, tag    string
}

// files returns them by path: "/" is index.html.
var files = sync.OnceValue(func() map[string]*file {
	all := make(map[string]*file)
	_ = fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error { // what is embedded can be read
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		f := &file{body: body, kind: kindOf(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		if len(body) > compressFrom {
			f.packed = compressed(body, gzip.BestCompression)
		}
		all[name[len("static"):]] = f
		return nil
	})
	all["/"] = all["/index.html"]
	return all
})

// kindOf is the type of a file. What the system says of types is not asked.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(".txt")
}

// serveFile answers with a file. A browser asks each time, and is told when it has the
// same already.
func serveFile(w http.ResponseWriter, r *http.Request) {
	f := files()[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	send(w, r, f.body, f.packed)
}
