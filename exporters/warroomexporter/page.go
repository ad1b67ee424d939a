package warroomexporter

import (
	"embed"
	"io/fs"
	"net/http"
)

// The plain page: three files without a build step. The full page takes its
// place by another file system in pageFiles.
//
//go:embed page/index.html page/page.css page/page.js
var plainPage embed.FS

func pageFiles() fs.FS {
	sub, err := fs.Sub(plainPage, "page")
	if err != nil {
		panic(err) // the path is the embed directive's own
	}
	return sub
}

// pageHandler serves the page. Nothing on it comes from another host and no
// script stands in the HTML, and the policy says so to the browser: a log line
// that holds a script stays text.
func pageHandler() http.Handler {
	files := http.FileServerFS(pageFiles())
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			rw.Header().Set("Allow", "GET, HEAD")
			http.Error(rw, "the page is read with GET", http.StatusMethodNotAllowed)
			return
		}
		h := rw.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		files.ServeHTTP(rw, r)
	})
}
