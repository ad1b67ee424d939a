package detect

import "bytes"

const (
	maxTemplate = 96 // bytes of a template's text; longer paths are cut
	maxSegments = 8
)

// class is what a path serves, as far as its name says. Sessions are told apart
// by it: people load pages with what the pages need, bots often do not.
type class uint8

const (
	classPage class = iota
	classAsset
	classMedia // playlists and segments: a player's own rhythm
	classAPI
	classLogin
	classMeta // robots.txt, feeds, icons, .well-known
	classes
)

func (c class) static() bool { return c == classAsset || c == classMedia }

// appendTemplate appends path with what names a single thing — numbers, hex
// strings, UUIDs, long tokens — replaced, so that a route is one value.
func appendTemplate(dst, path []byte) []byte {
	limit := len(dst) + maxTemplate
	for n := 0; len(path) > 0 && n < maxSegments && len(dst) < limit; n++ {
		if path[0] == '/' {
			path = path[1:]
		}
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		seg := path[:end]
		path = path[end:]
		dst = append(dst, '/')
		dst = appendSegment(dst, seg)
	}
	return dst[:min(len(dst), limit)]
}

func appendSegment(dst, seg []byte) []byte {
	name, ext := seg, []byte(nil)
	if dot := bytes.LastIndexByte(seg, '.'); dot > 0 && len(seg)-dot <= 6 {
		name, ext = seg[:dot], seg[dot:]
	}
	switch digits, hex, other := census(name); {
	case len(name) > 0 && digits == len(name):
		dst = append(dst, "{n}"...)
	case len(name) >= 8 && digits >= 2 && other <= 4 && digits+hex+other == len(name) && hex+digits >= 8:
		dst = append(dst, "{id}"...) // hex, UUID
	case len(name) >= 16 && digits >= 3:
		dst = append(dst, "{id}"...) // token, slug with a number
	case len(name) > 48:
		dst = append(dst, "{long}"...)
	default:
		dst = foldDigits(dst, name)
	}
	return append(dst, ext...)
}

// census counts decimal digits, the letters a–f, and dashes and underscores.
func census(b []byte) (digits, hex, other int) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			hex++
		case c == '-' || c == '_':
			other++
		}
	}
	return digits, hex, other
}

// foldDigits copies b with each run of digits as one "0": seg12.ts and
// Chrome/126.0.1 become what they are versions of. A lone digit, as in v2, is
// kept in a name of up to three bytes.
func foldDigits(dst, b []byte) []byte {
	if len(b) <= 3 {
		return append(dst, b...)
	}
	in := false
	for _, c := range b {
		if c >= '0' && c <= '9' {
			if !in {
				dst = append(dst, '0')
			}
			in = true
			continue
		}
		in = false
		dst = append(dst, c)
	}
	return dst
}

func classify(path []byte) class {
	last := path[bytes.LastIndexByte(path, '/')+1:]
	if dot := bytes.LastIndexByte(last, '.'); dot >= 0 {
		switch string(last[dot+1:]) {
		case "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp",
			"woff", "woff2", "ttf", "otf", "eot", "wasm", "swf", "pdf", "mp3", "ogg", "wav", "zip", "gz":
			return classAsset
		case "ts", "m4s", "m3u8", "mpd", "mp4", "m4a", "m4v", "aac", "vtt", "webm", "cmfv", "cmfa", "key":
			return classMedia
		case "ico", "rss", "atom", "xml", "webmanifest":
			if !bytes.Contains(last, []byte("xmlrpc")) {
				return classMeta
			}
		}
		if string(last) == "robots.txt" || string(last) == "ads.txt" {
			return classMeta
		}
	}
	switch {
	case isLogin(path):
		return classLogin
	case bytes.Contains(path, []byte("/.well-known/")), bytes.HasSuffix(path, []byte("/feed")),
		bytes.HasSuffix(path, []byte("/feed/")), bytes.HasSuffix(path, []byte("/rss")):
		return classMeta
	case isAPI(path):
		return classAPI
	}
	return classPage
}

var (
	loginWords = [][]byte{
		[]byte("login"), []byte("logon"), []byte("signin"), []byte("sign-in"), []byte("sign_in"), []byte("log-in"),
		[]byte("log_in"), []byte("authenticate"), []byte("connexion"), []byte("anmeld"), []byte("einlogg"),
		[]byte("inlogg"), []byte("accedi"), []byte("acceso"), []byte("iniciar-sesion"), []byte("entrar"), []byte("xmlrpc.php"), []byte("security_check"),
	}
	loginSegments = [][]byte{
		[]byte("auth"), []byte("oauth"), []byte("oauth2"), []byte("token"), []byte("tokens"), []byte("session"),
		[]byte("sessions"), []byte("sso"), []byte("password"), []byte("credentials"),
	}
	apiSegments = [][]byte{
		[]byte("api"), []byte("graphql"), []byte("rest"), []byte("rpc"), []byte("ajax"), []byte("v1"), []byte("v2"),
		[]byte("v3"), []byte("v4"), []byte("ws"), []byte("gql"),
	}
)

func isLogin(path []byte) bool {
	var buf [128]byte
	low := lower(buf[:0], path)
	for _, w := range loginWords {
		if bytes.Contains(low, w) {
			return true
		}
	}
	return hasSegment(low, loginSegments)
}

func isAPI(path []byte) bool {
	var buf [128]byte
	low := lower(buf[:0], path)
	return hasSegment(low, apiSegments) || bytes.HasSuffix(low, []byte(".json")) || bytes.HasSuffix(low, []byte(".ashx"))
}

func hasSegment(path []byte, segments [][]byte) bool {
	for len(path) > 0 {
		i := bytes.IndexByte(path, '/')
		seg := path
		if i >= 0 {
			seg, path = path[:i], path[i+1:]
		} else {
			path = nil
		}
		for _, s := range segments {
			if bytes.Equal(seg, s) {
				return true
			}
		}
	}
	return false
}

func lower(dst, b []byte) []byte {
	for _, c := range b[:min(len(b), 128)] {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// probeWords are what nobody's browser asks for: traversal, injection, other
// people's configuration. They are one dimension of scanning among several and
// never enough alone.
var probeWords = [][]byte{
	[]byte("../"), []byte("..%2f"), []byte("%2e%2e"), []byte("/etc/"), []byte("passwd"), []byte("boot.ini"), []byte("win.ini"),
	[]byte("<script"), []byte("%3cscript"), []byte("alert("), []byte("alert%28"), []byte("onerror="), []byte("javascript:"),
	[]byte("union"), []byte("select "), []byte("select%20"), []byte("select+"), []byte("information_schema"), []byte("sleep("),
	[]byte("sleep%28"), []byte("benchmark"), []byte("waitfor"), []byte("' or "), []byte("%27%20or"), []byte("'+or+"),
	[]byte("/.git"), []byte("/.env"), []byte("/.aws"), []byte("/.svn"), []byte("/.ht"), []byte("wp-config"), []byte("phpinfo"),
	[]byte("phpmyadmin"), []byte("/cgi-bin/"), []byte("eval-stdin"), []byte("/actuator/"), []byte(".bak"), []byte(".old"), []byte(".sql"),
	[]byte("jndi:"), []byte("${"), []byte("%24%7b"), []byte("/manager/html"), []byte("=http://"), []byte("php://"), []byte("%00"), []byte("cmd="),
}

func isProbe(b []byte) bool {
	var buf [128]byte
	low := lower(buf[:0], b)
	for _, w := range probeWords {
		if bytes.Contains(low, w) {
			return true
		}
	}
	return false
}
