package detectcmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// blockBytes is how much is handed over at once: enough that handing over
	// costs nothing, little enough to stay in the cache.
	blockBytes = 512 << 10
	// blocksAhead is how many blocks the reader may be ahead of the detector.
	blocksAhead = 4
	// maxLine is the longest line that is carried from one block to the next.
	maxLine = 1 << 20
)

// block is whole lines of one file, or word of something that is none.
type block struct {
	file    int
	data    []byte // lines, the last of a file perhaps without its newline
	tooLong bool   // a line longer than maxLine stood here
	err     error  // the file ends here, unread
}

// source opens files and hands out their lines in blocks.
type source struct {
	files []string
	stdin io.Reader

	read  atomic.Int64 // bytes taken from the files, compressed as they are
	total int64        // bytes that they have; 0 if unknown
	sent  atomic.Int64 // bytes handed over, decompressed

	blocks chan block
	free   chan []byte
}

// newSource looks at all files first, so that a missing one is told before an
// hour's work on the others.
func newSource(files []string, stdin io.Reader) (*source, error) {
	s := &source{files: files, stdin: stdin, blocks: make(chan block, blocksAhead), free: make(chan []byte, blocksAhead+2)}
	var errs []error
	known := true
	for _, name := range files {
		if name == "-" {
			known = false
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		switch info, err := f.Stat(); {
		case err != nil:
			errs = append(errs, err)
		case info.IsDir():
			errs = append(errs, fmt.Errorf("%s is a directory: name the log files", name))
		case !info.Mode().IsRegular():
			known = false
		default:
			s.total += info.Size()
		}
		f.Close()
	}
	if !known {
		s.total = 0
	}
	return s, errors.Join(errs...)
}

// run reads all files and closes blocks. It ends early when ctx does.
func (s *source) run(ctx context.Context) {
	defer close(s.blocks)
	for i, name := range s.files {
		if err := s.file(ctx, i, name); err != nil {
			s.send(ctx, block{file: i, err: err})
			return
		}
	}
}

func (s *source) send(ctx context.Context, b block) bool {
	select {
	case s.blocks <- b:
		s.sent.Add(int64(len(b.data)))
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *source) file(ctx context.Context, i int, name string) error {
	raw := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		raw = f
	}
	r, done, err := decompress(&counter{raw, &s.read})
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer done()
	atOnce := blockBytes / 2
	if name == "-" { // somebody may be typing, or tailing
		atOnce = 1
	}
	if err := s.lines(ctx, i, r, atOnce); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// lines cuts r into blocks that end with a line.
// Blocks hold atOnce bytes at least, while there are more to come.
func (s *source) lines(ctx context.Context, file int, r io.Reader, atOnce int) error {
	var carry []byte // the beginning of a line whose end was not read yet
	skipping := false
	for {
		buf := s.buffer(len(carry))
		n := copy(buf, carry)
		m, err := fill(r, buf[n:], atOnce)
		data := buf[:n+m]
		if skipping {
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				data, skipping = data[i+1:], false
			} else {
				data = data[:0]
			}
		}
		end := bytes.LastIndexByte(data, '\n') + 1
		if err != nil {
			end = len(data)
		}
		carry = append(carry[:0], data[end:]...)
		tooLong := len(carry) > maxLine
		if tooLong {
			carry, skipping = carry[:0], true
		}
		if !s.send(ctx, block{file: file, data: data[:end]}) {
			return context.Cause(ctx)
		}
		if tooLong && !s.send(ctx, block{file: file, tooLong: true}) {
			return context.Cause(ctx)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// fill reads at least n bytes. Unlike io.ReadAtLeast it leaves the reader's error
// as it is: a gzip file cut short also ends in io.ErrUnexpectedEOF.
func fill(r io.Reader, b []byte, n int) (read int, err error) {
	for read < min(n, len(b)) && err == nil {
		var m int
		m, err = r.Read(b[read:])
		read += m
	}
	return read, err
}

// buffer returns a used buffer or a new one, with room behind carry.
func (s *source) buffer(carry int) []byte {
	select {
	case b := <-s.free:
		if b = b[:cap(b)]; len(b) >= carry+blockBytes/2 {
			return b
		}
	default:
	}
	return make([]byte, carry+blockBytes)
}

// done is the share of the files, 0–1, that judged bytes of their lines are: what
// was taken from the files, less what is still waiting.
func (s *source) done(judged int64) float64 {
	sent := s.sent.Load()
	if s.total == 0 || sent == 0 {
		return 0
	}
	return min(1, float64(s.read.Load())/float64(s.total)*float64(judged)/float64(sent))
}

// release gives a block's buffer back.
func (s *source) release(b block) {
	if cap(b.data) < blockBytes/2 {
		return
	}
	select {
	case s.free <- b.data:
	default:
	}
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// decompress recognises gzip (RFC 1952) and zstd (RFC 8878) by their first
// bytes, whatever the file is called.
func decompress(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, 256<<10)
	magic, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { z.Close() }, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}
