package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/confmap"

	"github.com/vigie-otel/vigie/internal/configstate"
)

const fileScheme = "file"

// Sources is a configuration as it is written, nothing expanded.
type Sources struct {
	// URIs in the order in which they are merged.
	URIs []string `json:"uris"`
	// Files holds the text of each URI that is a file, by path. One that could not
	// be read is not there.
	Files map[string]string `json:"files"`
}

// Read takes the text of the files among uris as they are now.
func Read(uris []string) Sources { return Sources{URIs: uris}.again() }

// again is s with its files as they are now. What is no regular file, a pipe say,
// can be read once: its text stays.
func (s Sources) again() Sources {
	now := Sources{URIs: s.URIs, Files: map[string]string{}}
	for _, path := range s.paths() {
		info, err := os.Stat(path)
		if text, had := s.Files[path]; had && err == nil && !info.Mode().IsRegular() {
			now.Files[path] = text
		} else if body, err := os.ReadFile(path); err == nil {
			now.Files[path] = string(body)
		}
	}
	return now
}

// filePath is the path of a URI that is a file; as the collector has it, one
// without a scheme is.
func filePath(uri string) (path string, ok bool) {
	scheme, rest, found := strings.Cut(uri, ":")
	switch {
	case !found, len(scheme) == 1: // C:\…
		return filepath.Clean(uri), true
	case scheme == fileScheme:
		return filepath.Clean(rest), true
	}
	return "", false
}

// Hash is the same for the same sources with the same text.
func (s Sources) Hash() (h configstate.Hash) {
	sum := sha256.New()
	for _, uri := range s.URIs {
		path, _ := filePath(uri)
		text, found := s.Files[path]
		_, _ = fmt.Fprintf(sum, "%q %v %q\n", uri, found, text)
	}
	sum.Sum(h[:0])
	return h
}

// paths are those of the files among the URIs, whether they could be read or not.
func (s Sources) paths() []string {
	var paths []string
	for _, uri := range s.URIs {
		if path, ok := filePath(uri); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// nested are the files that ${file:…} read while sources were resolved.
type nested struct {
	mu   sync.Mutex
	sums map[string][sha256.Size]byte // guarded by mu
}

func (n *nested) add(path string, body []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sums == nil {
		n.sums = map[string][sha256.Size]byte{}
	}
	n.sums[path] = sha256.Sum256(body)
}

// print tells one state of all watched files from another.
type print struct {
	sources configstate.Hash
	nested  configstate.Hash
}

// printOf has the nested files as they were when the sources were resolved.
func printOf(s Sources, n *nested) print {
	n.mu.Lock()
	defer n.mu.Unlock()
	return print{s.Hash(), hashOf(n.sums)}
}

// printNow has all files as they are now: those of s, and others.
func printNow(s Sources, others []string) print {
	sums := map[string][sha256.Size]byte{}
	for _, path := range others {
		if body, err := os.ReadFile(path); err == nil {
			sums[path] = sha256.Sum256(body)
		}
	}
	return print{s.again().Hash(), hashOf(sums)}
}

func hashOf(sums map[string][sha256.Size]byte) (h configstate.Hash) {
	all := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(sums)) {
		_, _ = fmt.Fprintf(all, "%q %x\n", path, sums[path])
	}
	all.Sum(h[:0])
	return h
}

func (n *nested) paths() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.sums))
}

// provider serves the files of Sources as they were read, so that what was checked
// is what runs, and reads others from the disk.
type provider struct {
	from Sources
	seen *nested
}

func (s Sources) providerFactory(seen *nested) confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return &provider{s, seen} })
}

func (*provider) Scheme() string { return fileScheme }

func (*provider) Shutdown(context.Context) error { return nil }

func (p *provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	path, ok := filePath(uri)
	if !ok {
		return nil, fmt.Errorf("%q is not a %s: source", uri, fileScheme)
	}
	if text, ok := p.from.Files[path]; ok {
		return confmap.NewRetrievedFromYAML([]byte(text))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration file: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration file: %w", err)
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("read configuration file: %s is larger than %d MiB", path, maxFile>>20)
	}
	p.seen.add(path, body)
	return confmap.NewRetrievedFromYAML(body)
}

// maxFile is more than a ConfigMap can hold.
const maxFile = 16 << 20
