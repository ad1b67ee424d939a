package promstore

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/klauspost/compress/snappy"
)

// remoteWrite takes a remote-write v1 request: a snappy block of one
// prometheus.WriteRequest. As Prometheus does, it answers 204 when all is
// stored, 400 when something in it can never be (what can be is stored; the
// sender must not repeat it), 5xx when the sender should try again.
func (s *Store) remoteWrite(w http.ResponseWriter, r *http.Request) {
	code, err := s.takeWrite(w, r)
	s.tel.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	if err != nil {
		if code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "5")
		}
		http.Error(w, err.Error(), code)
		return
	}
	w.WriteHeader(code)
}

func (s *Store) takeWrite(w http.ResponseWriter, r *http.Request) (code int, err error) {
	if err := checkWriteHeaders(r.Header); err != nil {
		return http.StatusUnsupportedMediaType, err
	}
	body, err := s.readBody(w, r)
	if err != nil {
		var ref *refusal
		if errors.As(err, &ref) {
			s.tel.drop(ref.reason, 1)
			if ref.reason == reasonTooLarge {
				return http.StatusRequestEntityTooLarge, err
			}
		}
		return http.StatusBadRequest, err
	}
	// First the whole of it is walked: a body that breaks off in the middle must
	// not leave half of itself behind.
	total, err := checkWriteRequest(body)
	if err != nil {
		s.tel.drop(reasonMalformed, 1)
		return http.StatusBadRequest, fmt.Errorf("decode write request: %w", err)
	}
	d := writeDecoder{maxHistogram: s.cfg.MaxHistogramBuckets * 64}
	s.keepMetadata(body)
	var (
		dropped int
		first   error
	)
	for rest := body; len(rest) > 0 && err == nil; {
		// One commit per so many samples: the memory of a batch stays bounded
		// whatever the body holds.
		var n int
		var f error
		n, f, err = s.append(r.Context(), func(a *appender) {
			for len(rest) > 0 && !a.full() {
				rest = d.next(rest, a)
			}
		})
		dropped += n
		if first == nil {
			first = f
		}
	}
	switch {
	case err != nil:
		s.tel.drop(reasonOf(err), total)
		return http.StatusServiceUnavailable, fmt.Errorf("append remote write: %w", err)
	case first != nil:
		s.log.Debug("remote-write samples refused", "dropped", dropped, "of", total, "first", first)
		return http.StatusBadRequest, fmt.Errorf("%d of %d samples refused, the rest is stored; first: %w", dropped, total, first)
	}
	return http.StatusNoContent, nil
}

// checkWriteHeaders accepts version 1 in snappy, as headers or by their absence.
func checkWriteHeaders(h http.Header) error {
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "snappy" {
		return fmt.Errorf("content encoding must be snappy (got %q)", enc)
	}
	ct := h.Get("Content-Type")
	if ct == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(ct)
	if err != nil || kind != "application/x-protobuf" {
		return fmt.Errorf("content type must be application/x-protobuf (got %q)", ct)
	}
	if msg := params["proto"]; msg != "" && msg != "prometheus.WriteRequest" {
		return fmt.Errorf("message must be prometheus.WriteRequest, remote write 1 (got %q)", msg)
	}
	return nil
}

// readBody reads and decompresses; it allocates for neither more than the limit,
// whatever the body claims.
func (s *Store) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := s.cfg.RemoteWriteMaxBytes
	packed, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, refuse(reasonTooLarge, "the body has more than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	n, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, refuse(reasonMalformed, "decompress body: %w", err)
	}
	if int64(n) > limit {
		return nil, refuse(reasonTooLarge, "the body decompresses to %d bytes; at most %d are taken", n, limit)
	}
	// The densest element of the format, a copy of three bytes, makes at most 64:
	// what claims more is a lie told to make us allocate.
	if n > 22*len(packed) {
		return nil, refuse(reasonMalformed, "decompress body: %d bytes cannot hold the %d that they claim", len(packed), n)
	}
	body, err := snappy.Decode(nil, packed)
	if err != nil {
		return nil, refuse(reasonMalformed, "decompress body: %w", err)
	}
	return body, nil
}
