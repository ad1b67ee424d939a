package awsfake

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// MaxRemoteWriteBytes is the largest request that Amazon Managed Prometheus
// takes, compressed.
// https://docs.aws.amazon.com/prometheus/latest/userguide/AMP_quotas.html
const MaxRemoteWriteBytes = 1 << 20

// maxLabels is AMP's limit of labels a series.
const maxLabels = 150

// ampCounts is what remote write brought; guarded by Server.mu.
type ampCounts struct {
	RemoteWriteTotals
}

// RemoteWriteTotals counts what the front let through and what stood behind it
// took. Samples that came twice count twice.
type RemoteWriteTotals struct {
	Requests, Samples, Histograms, Series int
	// Refused are requests that the Prometheus behind refused.
	Refused int
}

// RemoteWriteTotals counts accepted requests.
func (s *Server) RemoteWriteTotals() RemoteWriteTotals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.amp.RemoteWriteTotals
}

// RemoteWriteURL is a workspace's endpoint.
func (s *Server) RemoteWriteURL() string {
	return s.URL + "/workspaces/ws-00000000-fake-fake-fake-000000000000/api/v1/remote_write"
}

func badRequest(format string, args ...any) *apiError {
	return &apiError{code: "ValidationException", message: fmt.Sprintf(format, args...), status: http.StatusBadRequest, violation: true}
}

// remoteWrite checks a remote-write v1 request and hands it on.
func (c *call) remoteWrite() (any, *apiError) {
	if len(c.raw) > MaxRemoteWriteBytes {
		return nil, &apiError{code: "RequestEntityTooLarge", message: fmt.Sprintf("%d bytes, at most %d", len(c.raw), MaxRemoteWriteBytes), status: http.StatusRequestEntityTooLarge, violation: true}
	}
	for name, want := range map[string]string{"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"} {
		if got := c.r.Header.Get(name); got != want {
			return nil, badRequest("%s must be %s (got %q)", name, want, got)
		}
	}
	raw, err := snappy.Decode(nil, c.raw)
	if err != nil {
		return nil, badRequest("snappy: %v", err)
	}
	var in prompb.WriteRequest
	if err := in.Unmarshal(raw); err != nil {
		return nil, badRequest("protobuf: %v", err)
	}
	got := RemoteWriteTotals{Requests: 1, Series: len(in.Timeseries)}
	for _, ts := range in.Timeseries {
		if err := checkLabels(ts.Labels); err != nil {
			return nil, err
		}
		got.Samples += len(ts.Samples)
		got.Histograms += len(ts.Histograms)
		for i := 1; i < len(ts.Samples); i++ {
			if ts.Samples[i].Timestamp < ts.Samples[i-1].Timestamp {
				return nil, badRequest("samples of a series are out of order within a request")
			}
		}
	}
	if c.s.options.Prometheus != "" {
		if err := c.forward(); err != nil {
			return nil, err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := &c.s.amp.RemoteWriteTotals
	t.Requests += got.Requests
	t.Series += got.Series
	t.Samples += got.Samples
	t.Histograms += got.Histograms
	return http.StatusOK, nil
}

func checkLabels(labels []prompb.Label) *apiError {
	if len(labels) > maxLabels {
		return badRequest("%d labels in a series, at most %d", len(labels), maxLabels)
	}
	named := false
	for i, l := range labels {
		named = named || l.Name == "__name__"
		if i > 0 && labels[i-1].Name >= l.Name {
			return badRequest("label %q after %q: names must be sorted and unique", l.Name, labels[i-1].Name)
		}
	}
	if !named {
		return badRequest("a series without __name__")
	}
	return nil
}

// forward hands the request on to the Prometheus behind, and back what it says.
func (c *call) forward() *apiError {
	req, err := http.NewRequestWithContext(c.r.Context(), http.MethodPost, c.s.options.Prometheus, bytes.NewReader(c.raw))
	if err != nil {
		return &apiError{code: "InternalServerException", message: err.Error(), status: http.StatusInternalServerError}
	}
	for _, name := range []string{"Content-Encoding", "Content-Type", "X-Prometheus-Remote-Write-Version"} {
		req.Header.Set(name, c.r.Header.Get(name))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return &apiError{code: "InternalServerException", message: err.Error(), status: http.StatusBadGateway}
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	if res.StatusCode/100 == 2 {
		return nil
	}
	c.s.mu.Lock()
	c.s.amp.Refused++
	c.s.mu.Unlock()
	return &apiError{code: "ValidationException", message: string(text), status: res.StatusCode}
}
