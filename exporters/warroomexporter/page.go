package warroomexporter

import (
	"embed"
	"io/fs"
	"net/http"
)

// The plain page: three files without a build step, always at /plain/, and at /
// where the binary was built without Node.js.
//
//go:embed page/index.html page/page.css page/page.js
var plainPage embed.FS

// The page as web/ builds it. Only .keep is in the repository: without Node.js
// the directory holds nothing else and the binary builds all the same.
//
//go:embed all:web/dist
var builtPage embed.FS

// pageOf is the built page where there is one, else the plain one.
func pageOf(built, plain fs.FS) fs.FS {
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return plain
	}
	return built
}

func must(sub fs.FS, err error) fs.FS {
	if err != nil {
		panic(err) // the path is an embed directive's own
	}
	return sub
}

// pageHandler serves the page. Nothing on it comes from another host and no
// script stands in the HTML, and the policy says so to the browser: a log line
// that holds a script stays text.
func pageHandler() http.Handler {
	plain := must(fs.Sub(plainPage, "page"))
	page := pageOf(must(fs.Sub(builtPage, "web/dist")), plain)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(page))
	mux.Handle("/plain/", http.StripPrefix("/plain/", http.FileServerFS(plain)))
	mux.Handle("/.keep", http.NotFoundHandler())
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			rw.Header().Set("Allow", "GET, HEAD")
			http.Error(rw, "the page is read with GET", http.StatusMethodNotAllowed)
			return
		}
		h := rw.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-cache")
		mux.ServeHTTP(rw, r)
	})
}
