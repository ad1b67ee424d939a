package conntrack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// Proc reads usage and counters of the caller's namespace from /proc, which
// needs no capability and, with the files held open, some 20 µs.
//
// In a container without the host's network namespace, /proc shows the
// container's own. Not safe for concurrent use.
type Proc struct {
	count, limit, stat *os.File
	buf                []byte
	columns            []int // of stat: which field of CPUStats, by column
}

// Where the files are. /proc/thread-self rather than /proc/net, which follows
// the process's first thread and so the wrong namespace inside InNetNS.
const (
	procCount = "sys/net/netfilter/nf_conntrack_count"
	procLimit = "sys/net/netfilter/nf_conntrack_max"
	procStat  = "thread-self/net/stat/nf_conntrack"
)

// OpenProc opens the files under root, usually "/proc". The files are of the
// namespace that the calling thread is in and stay so. ErrNoModule means that
// they are not there. The statistics may be missing by themselves
// (CONFIG_NF_CONNTRACK_PROCFS): CPUStats then gives ErrNoModule.
func OpenProc(root string) (*Proc, error) {
	p := &Proc{buf: make([]byte, 16<<10)}
	var err error
	if p.count, err = openProc(root, procCount); err != nil {
		return nil, err
	}
	if p.limit, err = openProc(root, procLimit); err != nil {
		p.Close()
		return nil, err
	}
	p.stat, err = openProc(root, procStat)
	if err != nil && !errors.Is(err, ErrNoModule) {
		p.Close()
		return nil, err
	}
	return p, nil
}

func openProc(root, name string) (*os.File, error) {
	f, err := os.Open(root + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (no %s)", ErrNoModule, name)
	}
	return f, err
}

// Close closes the files. Closing twice is fine.
func (p *Proc) Close() error {
	for _, f := range []**os.File{&p.count, &p.limit, &p.stat} {
		if *f != nil {
			(*f).Close()
			*f = nil
		}
	}
	return nil
}

// Usage reads how full the table is.
func (p *Proc) Usage() (u Usage, err error) {
	if u.Count, err = p.number(p.count); err != nil {
		return u, fmt.Errorf("read nf_conntrack_count: %w", err)
	}
	if u.Limit, err = p.number(p.limit); err != nil {
		return u, fmt.Errorf("read nf_conntrack_max: %w", err)
	}
	return u, nil
}

// number reads a whole file of one number. A pread at 0 makes /proc format it anew.
func (p *Proc) number(f *os.File) (uint64, error) {
	if f == nil {
		return 0, os.ErrClosed
	}
	n, err := f.ReadAt(p.buf[:32], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return parseDecimal(bytes.TrimSpace(p.buf[:n]))
}

func parseDecimal(b []byte) (v uint64, err error) {
	if len(b) == 0 || len(b) > 19 {
		return 0, fmt.Errorf("%w: %q is no number", ErrMalformed, b)
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%w: %q is no number", ErrMalformed, b)
		}
		v = v*10 + uint64(c-'0')
	}
	return v, nil
}

// CPUStats reads the counters of each CPU and appends them to dst.
func (p *Proc) CPUStats(dst []CPUStats) ([]CPUStats, error) {
	if p.stat == nil {
		return dst, fmt.Errorf("%w (no %s)", ErrNoModule, procStat)
	}
	n, err := p.readStat()
	if err != nil {
		return dst, fmt.Errorf("read %s: %w", procStat, err)
	}
	return p.parseStat(dst, p.buf[:n])
}

// readStat reads the file to its end, from its beginning: a seq_file gives a
// page at a time, so 64 CPUs take several reads.
func (p *Proc) readStat() (n int, err error) {
	for {
		if n == len(p.buf) {
			p.buf = append(p.buf, make([]byte, len(p.buf))...)
		}
		m, err := p.stat.ReadAt(p.buf[n:], int64(n))
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// statNames are the columns that are read, in the order of CPUStats' fields.
// Two columns have kept older names: icmp_error holds the errors, chainlength
// since Linux 5.15 the chains that were too long.
var statNames = [...][]byte{
	[]byte("invalid"), []byte("insert"), []byte("insert_failed"), []byte("drop"), []byte("early_drop"),
	[]byte("icmp_error"), []byte("search_restart"), []byte("clashres"), []byte("chainlength"),
}

// parseStat reads a header of column names, whose set and order differ by
// kernel, and one line of hexadecimal numbers a CPU.
func (p *Proc) parseStat(dst []CPUStats, b []byte) ([]CPUStats, error) {
	line, b, _ := bytes.Cut(b, []byte{'\n'})
	p.columns = p.columns[:0]
	for name := range bytes.FieldsSeq(line) {
		column := -1
		for i, n := range statNames {
			if bytes.Equal(n, name) {
				column = i
			}
		}
		p.columns = append(p.columns, column)
	}
	for cpu := 0; len(b) > 0; cpu++ {
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		s := CPUStats{CPU: cpu}
		fields := [len(statNames)]*uint32{
			&s.Invalid, &s.Insert, &s.InsertFailed, &s.Drop, &s.EarlyDrop,
			&s.Error, &s.SearchRestart, &s.ClashResolve, &s.ChainTooLong,
		}
		i := 0
		for word := range bytes.FieldsSeq(line) {
			if i < len(p.columns) && p.columns[i] >= 0 {
				v, err := strconv.ParseUint(string(word), 16, 32)
				if err != nil {
					return dst, fmt.Errorf("%w: %q in %s", ErrMalformed, word, procStat)
				}
				*fields[p.columns[i]] = uint32(v)
			}
			i++
		}
		if i > 0 {
			dst = append(dst, s)
		}
	}
	return dst, nil
}
