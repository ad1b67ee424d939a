package containerlogreceiver

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config of the receiver.
type Config struct {
	// Include are globs of the files to read; "**" is any depth, up to 8. Default:
	// /var/log/pods/*/*/*.log.
	Include []string `mapstructure:"include"`
	// Exclude are globs of paths that are not read. Default: none.
	Exclude []string `mapstructure:"exclude"`

	// Namespaces, Pods and Containers choose by the names in a container's path.
	// Default: all, but pods named vigie-*. Files of no container are not asked.
	Namespaces Names `mapstructure:"namespaces"`
	Pods       Names `mapstructure:"pods"`
	Containers Names `mapstructure:"containers"`

	// Labels and Annotations choose by those of a container's pod: "key", or
	// "key=value" where the value is a glob. They are known where PodList names who
	// knows them; until they are, a pod is read. Default: all, but
	// app.kubernetes.io/name=vigie.
	Labels      Selectors `mapstructure:"labels"`
	Annotations Selectors `mapstructure:"annotations"`
	// PodList is the extension that knows the node's pods, their labels and
	// annotations, e.g. kubelet_pods. Default: none; they stay unknown.
	PodList *component.ID `mapstructure:"pod_list"`

	// Format of the lines: cri, docker, raw, or auto (the default): by each file's
	// first line.
	Format string `mapstructure:"format"`
	// StartAt is where to begin with files that are there when the receiver runs
	// for the first time: end (the default) or beginning.
	StartAt string `mapstructure:"start_at"`
	// NewWithin makes files that were made at most so long before the very first start
	// new ones, read from their beginning: on a node that has just come, pods write
	// before the agent runs. Default 0: none. Where the file system does not tell when
	// a file was made, none.
	NewWithin time.Duration `mapstructure:"new_within"`
	// InvalidUTF8 is what becomes of a body that is not UTF-8: replace (the
	// default) puts U+FFFD for what is invalid, bytes makes it a body of bytes.
	InvalidUTF8 string `mapstructure:"invalid_utf8"`
	// IncludeFilePath adds log.file.path to the resource. Default: false.
	IncludeFilePath bool `mapstructure:"include_file_path"`

	// MaxLineBytes is how long a line may be, fragments and traces joined; the rest
	// is cut off and counted. Default: 1 MiB.
	MaxLineBytes int `mapstructure:"max_line_bytes"`
	// MaxFiles is how many files are followed, rotated ones included. Default: 8192.
	MaxFiles int `mapstructure:"max_files"`
	// MaxOpenFiles is how many of them are open. Default: 1024.
	MaxOpenFiles int `mapstructure:"max_open_files"`

	// Parse says what becomes of bodies.
	Parse Parse `mapstructure:"parse"`
	// Sacrifice says what is given up by a namespace that is too far behind.
	Sacrifice Sacrifice `mapstructure:"sacrifice"`

	Batch     Batch     `mapstructure:"batch"`
	Multiline Multiline `mapstructure:"multiline"`
	Retry     Retry     `mapstructure:"retry"`

	// PollInterval is how often busy files are asked for their size, and
	// ScanInterval how often directories are looked through in case inotify missed
	// something; without inotify that is each second. Defaults: 100ms, 10s.
	PollInterval time.Duration `mapstructure:"poll_interval"`
	ScanInterval time.Duration `mapstructure:"scan_interval"`
	// Inotify false makes the receiver poll everything: for file systems that
	// don't report changes (NFS). Default: true.
	Inotify bool `mapstructure:"inotify"`
	// RotateWait is how long a rotated or deleted file must be silent before it is
	// closed. Default: 5s.
	RotateWait time.Duration `mapstructure:"rotate_wait"`
	// UnterminatedWait is how long a last line without a newline is waited for
	// before it is taken as it is; 0: for ever. Default: 5s.
	UnterminatedWait time.Duration `mapstructure:"unterminated_wait"`

	// Storage is the extension that keeps how far files are read, e.g.
	// file_storage. Default: none; then a restart begins as StartAt says.
	Storage *component.ID `mapstructure:"storage"`
	// CheckpointInterval is how often that is stored at most. 0 (the default) is
	// after each accepted batch: a kill then repeats one batch at most; else what
	// was accepted within the interval.
	CheckpointInterval time.Duration `mapstructure:"checkpoint_interval"`
}

// Names chooses names by globs: those that are included (none: all) and not
// excluded.
type Names struct {
	Include []string `mapstructure:"include"`
	Exclude []string `mapstructure:"exclude"`
}

// Parse says what becomes of bodies.
type Parse struct {
	// Format: auto (the default), json, logfmt, text (its severity only), raw
	// (nothing), access or the name of an access log's format (nothing, and it is
	// sacrificed last).
	Format string `mapstructure:"format"`
	// Body: message (the default) makes the application's message the body where
	// there is one and nothing of the line is lost by it; line keeps the line.
	Body string `mapstructure:"body"`
	// AccessLogs: raw (the default) leaves their lines to attack_detection, which
	// reads them fastest; parsed makes attributes of them besides, by the HTTP
	// semantic conventions.
	AccessLogs string `mapstructure:"access_logs"`
	// TrustedProxies are addresses and prefixes whose X-Forwarded-For is believed
	// when access logs are parsed. Default: none.
	TrustedProxies []string `mapstructure:"trusted_proxies"`
	// MaxFields, MaxDepth and MaxKeyBytes bound what a line becomes; what is over
	// them is counted, and the body stays the line. Defaults: 64, 4, 128.
	MaxFields   int `mapstructure:"max_fields"`
	MaxDepth    int `mapstructure:"max_depth"`
	MaxKeyBytes int `mapstructure:"max_key_bytes"`
}

// Values of Parse.Body and Parse.AccessLogs.
const (
	bodyMessage  = "message"
	bodyLine     = "line"
	accessRaw    = "raw"
	accessParsed = "parsed"
)

func (p *Parse) proxies() ([]netip.Prefix, error) {
	var errs []error
	prefixes := make([]netip.Prefix, 0, len(p.TrustedProxies))
	for _, s := range p.TrustedProxies {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				errs = append(errs, fmt.Errorf("parse::trusted_proxies: %q is neither an address nor a prefix", s))
				continue
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, errors.Join(errs...)
}

// Sacrifice gives up what is worth least in a namespace that is too far behind:
// past the first limit the first class of Order, past twice the limit the second
// too, and so on. Nothing is given up by default: the files wait.
type Sacrifice struct {
	AfterLag   time.Duration `mapstructure:"after_lag"`   // default 0: never
	AfterBytes int64         `mapstructure:"after_bytes"` // of a namespace's files; default 0: never
	// Order of debug (and trace), info, unknown (no severity), warn, error, access;
	// what is not named is never given up. Default: all, in this order.
	Order []string `mapstructure:"order"`
}

// Batch bounds a batch: it leaves when the first of the bounds is reached.
type Batch struct {
	MaxRecords    int           `mapstructure:"max_records"`    // default 8192
	MaxBytes      int           `mapstructure:"max_bytes"`      // of bodies; default 2 MiB; one line may exceed it
	FlushInterval time.Duration `mapstructure:"flush_interval"` // after its first record; default 200ms
}

// Multiline joins the lines of stack traces.
type Multiline struct {
	// Mode: auto (the default) joins in container logs, on in plain files too, off
	// nowhere.
	Mode     string        `mapstructure:"mode"`
	Timeout  time.Duration `mapstructure:"timeout"`   // how long a record waits for its next line; default 500ms
	MaxLines int           `mapstructure:"max_lines"` // lines of a record; default 512
}

// Retry is how a refused batch is offered again.
type Retry struct {
	InitialInterval time.Duration `mapstructure:"initial_interval"` // default 100ms; doubles
	MaxInterval     time.Duration `mapstructure:"max_interval"`     // default 1s
	MaxElapsedTime  time.Duration `mapstructure:"max_elapsed_time"` // then the batch is dropped and counted; 0, the default: never
}

func createDefaultConfig() *Config {
	return &Config{
		Include:     []string{"/var/log/pods/*/*/*.log"},
		Pods:        Names{Exclude: []string{"vigie-*"}},
		Labels:      Selectors{Exclude: []string{"app.kubernetes.io/name=vigie"}},
		Parse:       Parse{Format: "auto", Body: bodyMessage, AccessLogs: accessRaw, MaxFields: 64, MaxDepth: 4, MaxKeyBytes: 128},
		Sacrifice:   Sacrifice{Order: slices.Clone(classNames[:])},
		Format:      "auto",
		StartAt:     "end",
		InvalidUTF8: "replace",

		MaxLineBytes: 1 << 20,
		MaxFiles:     8192,
		MaxOpenFiles: 1024,

		Batch:     Batch{MaxRecords: 8192, MaxBytes: 2 << 20, FlushInterval: 200 * time.Millisecond},
		Multiline: Multiline{Mode: "auto", Timeout: 500 * time.Millisecond, MaxLines: 512},
		Retry:     Retry{InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second},

		PollInterval:     100 * time.Millisecond,
		ScanInterval:     10 * time.Second,
		Inotify:          true,
		RotateWait:       5 * time.Second,
		UnterminatedWait: 5 * time.Second,
	}
}

// Validate tells what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	oneOf := func(key, got string, want ...string) {
		for _, w := range want {
			if got == w {
				return
			}
		}
		errs = append(errs, fmt.Errorf("%s must be one of %v (got %q)", key, want, got))
	}
	globs := func(key string, patterns []string) {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				errs = append(errs, fmt.Errorf("%s: %q is not a glob", key, p))
			}
		}
	}
	atLeast := func(key string, got, least int) {
		if got < least {
			errs = append(errs, fmt.Errorf("%s must be at least %d (got %d)", key, least, got))
		}
	}
	positive := func(key string, got time.Duration, example string) {
		if got <= 0 {
			errs = append(errs, fmt.Errorf("%s must be positive (got %s), e.g. %s", key, got, example))
		}
	}
	notNegative := func(key string, got time.Duration) {
		if got < 0 {
			errs = append(errs, fmt.Errorf("%s must not be negative (got %s)", key, got))
		}
	}
	globs("include", c.Include)
	globs("exclude", c.Exclude)
	for key, n := range map[string]Names{"namespaces": c.Namespaces, "pods": c.Pods, "containers": c.Containers} {
		globs(key+"::include", n.Include)
		globs(key+"::exclude", n.Exclude)
	}
	oneOf("format", c.Format, "auto", "cri", "docker", "raw")
	oneOf("start_at", c.StartAt, "end", "beginning")
	oneOf("invalid_utf8", c.InvalidUTF8, "replace", "bytes")
	oneOf("multiline::mode", c.Multiline.Mode, "auto", "on", "off")
	if _, err := readingOf(c.Parse.Format); err != nil {
		errs = append(errs, fmt.Errorf("parse::format: %w, or access, or the name of an access log's format", err))
	}
	oneOf("parse::body", c.Parse.Body, bodyMessage, bodyLine)
	oneOf("parse::access_logs", c.Parse.AccessLogs, accessRaw, accessParsed)
	if _, err := c.Parse.proxies(); err != nil {
		errs = append(errs, err)
	}
	for _, name := range c.Sacrifice.Order {
		oneOf("sacrifice::order", name, classNames[:]...)
	}
	notNegative("sacrifice::after_lag", c.Sacrifice.AfterLag)
	notNegative("new_within", c.NewWithin)
	atLeast("sacrifice::after_bytes", int(c.Sacrifice.AfterBytes), 0)
	atLeast("parse::max_fields", c.Parse.MaxFields, 1)
	atLeast("parse::max_depth", c.Parse.MaxDepth, 1)
	atLeast("parse::max_key_bytes", c.Parse.MaxKeyBytes, 1)
	for key, list := range map[string][]string{"labels::include": c.Labels.Include, "labels::exclude": c.Labels.Exclude,
		"annotations::include": c.Annotations.Include, "annotations::exclude": c.Annotations.Exclude} {
		for _, s := range list {
			k, value, _ := strings.Cut(s, "=")
			if _, err := path.Match(value, ""); err != nil || k == "" {
				errs = append(errs, fmt.Errorf("%s: %q is not a key, or key=glob", key, s))
			}
		}
	}
	atLeast("max_line_bytes", c.MaxLineBytes, 1024)
	atLeast("max_files", c.MaxFiles, 1)
	atLeast("max_open_files", c.MaxOpenFiles, 1)
	atLeast("batch::max_records", c.Batch.MaxRecords, 1)
	atLeast("batch::max_bytes", c.Batch.MaxBytes, 1)
	atLeast("multiline::max_lines", c.Multiline.MaxLines, 1)
	positive("batch::flush_interval", c.Batch.FlushInterval, "200ms")
	positive("poll_interval", c.PollInterval, "100ms")
	positive("scan_interval", c.ScanInterval, "10s")
	positive("rotate_wait", c.RotateWait, "5s")
	positive("multiline::timeout", c.Multiline.Timeout, "500ms")
	positive("retry::initial_interval", c.Retry.InitialInterval, "100ms")
	positive("retry::max_interval", c.Retry.MaxInterval, "5s")
	notNegative("retry::max_elapsed_time", c.Retry.MaxElapsedTime)
	notNegative("unterminated_wait", c.UnterminatedWait)
	notNegative("checkpoint_interval", c.CheckpointInterval)
	return errors.Join(errs...)
}
