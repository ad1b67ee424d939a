package gather

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/httpaccess"
)

// maxAnswer bounds what is read of one query's answer.
const maxAnswer = 64 << 20

// Prometheus asks one Prometheus API: Vigie's own, Amazon Managed Prometheus, any.
type Prometheus struct {
	server *httpaccess.Server
	sign   func(context.Context, *http.Request) error
}

// PrometheusAccess is how one is found.
type PrometheusAccess struct {
	URL string // e.g. http://127.0.0.1:8640; of AMP with /workspaces/ws-…
	As  httpaccess.Access
	// AWS gives credentials where URL is Amazon Managed Prometheus'.
	AWS func(context.Context) (aws.Config, error)
}

// NewPrometheus makes a client; it asks nobody yet.
func NewPrometheus(a PrometheusAccess) (*Prometheus, error) {
	server, err := a.As.Open(a.URL)
	if err != nil {
		return nil, err
	}
	p := &Prometheus{server: server}
	if region, ok := managedRegion(server.Base.Hostname()); ok && a.AWS != nil {
		p.sign = signer(region, a.AWS)
	}
	return p, nil
}

// managedRegion is the region of an Amazon Managed Prometheus host:
// aps-workspaces.eu-west-3.amazonaws.com.
func managedRegion(host string) (string, bool) {
	rest, ok := strings.CutPrefix(host, "aps-workspaces.")
	region, domain, _ := strings.Cut(rest, ".")
	return region, ok && strings.HasPrefix(domain, "amazonaws.com")
}

func signer(region string, resolve func(context.Context) (aws.Config, error)) func(context.Context, *http.Request) error {
	return func(ctx context.Context, req *http.Request) error {
		conf, err := resolve(ctx)
		if err != nil {
			return err
		}
		creds, err := conf.Credentials.Retrieve(ctx)
		if err != nil {
			return fmt.Errorf("get AWS credentials: %w", err)
		}
		none := sha256.Sum256(nil)
		return v4.NewSigner().SignHTTP(ctx, creds, req, hex.EncodeToString(none[:]), "aps", region, time.Now())
	}
}

// Host is whom it asks.
func (p *Prometheus) Host() string { return p.server.Base.Host }

// Query evaluates an expression at a time.
func (p *Prometheus) Query(ctx context.Context, expr string, at time.Time) (*promql.Result, error) {
	return p.ask(ctx, "query", url.Values{"query": {expr}, "time": {stamp(at)}})
}

// QueryRange evaluates an expression at each step.
func (p *Prometheus) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (*promql.Result, error) {
	return p.ask(ctx, "query_range", url.Values{"query": {expr}, "start": {stamp(start)}, "end": {stamp(end)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}})
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func (p *Prometheus) ask(ctx context.Context, what string, q url.Values) (*promql.Result, error) {
	u := p.server.Base.JoinPath("api/v1", what)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", p.Host(), err)
	}
	if p.sign != nil {
		if err := p.sign(ctx, req); err != nil {
			return nil, err
		}
	}
	res, err := p.server.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", p.Host(), err)
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s has more than %d bytes", p.Host(), maxAnswer)
	}
	return p.read(res, raw)
}

func (p *Prometheus) read(res *http.Response, raw []byte) (*promql.Result, error) {
	var body struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Status == "" {
		return nil, fmt.Errorf("%s answers %s, and not as a Prometheus: %s", p.Host(), res.Status, finding.Clean(string(bytes.TrimSpace(raw[:min(len(raw), 200)]))))
	}
	if body.Status != "success" {
		return nil, fmt.Errorf("%s answers %s: %s", p.Host(), res.Status, cut(finding.Clean(body.Error), 300))
	}
	var rows []struct {
		Metric map[string]string `json:"metric"`
		Value  sample            `json:"value"`
		Values []sample          `json:"values"`
	}
	if body.Data.Type != "vector" && body.Data.Type != "matrix" {
		return nil, fmt.Errorf("%s answers with a %q", p.Host(), cut(body.Data.Type, 20))
	}
	if err := json.Unmarshal(body.Data.Result, &rows); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", p.Host(), err)
	}
	if body.Data.Type == "vector" {
		v := make(promql.Vector, 0, len(rows))
		for _, r := range rows {
			v = append(v, promql.Sample{Metric: labels.FromMap(r.Metric), T: r.Value.T, F: r.Value.F})
		}
		return &promql.Result{Value: v}, nil
	}
	m := make(promql.Matrix, 0, len(rows))
	for _, r := range rows {
		s := promql.Series{Metric: labels.FromMap(r.Metric)}
		for _, x := range r.Values {
			s.Floats = append(s.Floats, promql.FPoint(x))
		}
		m = append(m, s)
	}
	return &promql.Result{Value: m}, nil
}

// sample is [seconds, "value"].
type sample promql.FPoint

// UnmarshalJSON reads a pair as Prometheus writes it.
func (s *sample) UnmarshalJSON(raw []byte) error {
	var at float64
	var value string
	if err := json.Unmarshal(raw, &[]any{&at, &value}); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("value %q: %w", cut(value, 30), err)
	}
	s.T, s.F = int64(at*1000), f
	return nil
}
