package replay

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vigie-otel/vigie/internal/names"
)

// OTLPOptions say where requests are sent as log records over OTLP/gRPC.
type OTLPOptions struct {
	Endpoint string // host:port
	TLS      credentials.TransportCredentials
	Service  string // service.name of the resource; "" means the site's model
	// Raw sends each request as a line in the record's body instead of the
	// attributes of the HTTP semantic conventions.
	Raw    Format
	Batch  int           // records a call; 0 means 1000
	Expiry time.Duration // of one call; 0 means 10 s
}

// OTLP is a Sink that sends log records. It sends in the caller's goroutine, one
// call at a time, so the receiver's pace is the sender's.
type OTLP struct {
	options OTLPOptions
	conn    *grpc.ClientConn
	client  plogotlp.GRPCClient
	lines   LineWriter
	line    []byte
	logs    plog.Logs
	records plog.LogRecordSlice
	refused int64
}

// NewOTLP connects lazily: an endpoint that is not there is an error of the first
// Flush.
func NewOTLP(options OTLPOptions) (*OTLP, error) {
	if options.Batch == 0 {
		options.Batch = 1000
	}
	if options.Expiry == 0 {
		options.Expiry = 10 * time.Second
	}
	if options.TLS == nil {
		options.TLS = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient(options.Endpoint, grpc.WithTransportCredentials(options.TLS))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", options.Endpoint, err)
	}
	o := &OTLP{options: options, conn: conn, client: plogotlp.NewGRPCClient(conn), lines: LineWriter{Format: options.Raw}}
	o.begin()
	return o, nil
}

func (o *OTLP) begin() {
	o.logs = plog.NewLogs()
	rl := o.logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, o.options.Service)
	o.records = rl.ScopeLogs().AppendEmpty().LogRecords()
	o.records.EnsureCapacity(o.options.Batch)
}

// Refused is how many records the receiver did not take.
func (o *OTLP) Refused() int64 { return o.refused }

// Add appends a record and sends when the batch is full.
func (o *OTLP) Add(ctx context.Context, ev *Event) error {
	rec := o.records.AppendEmpty()
	rec.SetTimestamp(pcommon.Timestamp(ev.UnixNano))
	if o.options.Raw != "" {
		o.line = o.lines.Append(o.line[:0], ev)
		rec.Body().SetStr(string(o.line[:len(o.line)-1]))
	} else {
		putRequest(rec.Attributes(), ev)
	}
	if o.records.Len() < o.options.Batch {
		return nil
	}
	return o.Flush(ctx)
}

func putRequest(m pcommon.Map, ev *Event) {
	m.EnsureCapacity(10)
	m.PutStr(names.ClientAddress, ev.Client.String())
	m.PutStr(names.HTTPRequestMethod, string(ev.Method))
	m.PutStr(names.ServerAddress, string(ev.Host))
	m.PutStr(names.URLPath, string(ev.Path))
	if len(ev.Query) > 0 {
		m.PutStr(names.URLQuery, string(ev.Query))
	}
	if len(ev.UserAgent) > 0 {
		m.PutStr(names.UserAgentOriginal, string(ev.UserAgent))
	}
	m.PutInt(names.HTTPResponseStatusCode, int64(ev.Status))
	m.PutInt(names.HTTPResponseBodySize, ev.Bytes)
	m.PutDouble(names.HTTPServerDuration, ev.Duration.Seconds())
	if len(ev.Referer) > 0 {
		m.PutStr("http.request.header.referer", string(ev.Referer))
	}
	if len(ev.Account) > 0 {
		m.PutStr("enduser.id", string(ev.Account))
	}
}

// Flush sends what is kept.
func (o *OTLP) Flush(ctx context.Context) error {
	if o.records.Len() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.options.Expiry)
	defer cancel()
	response, err := o.client.Export(ctx, plogotlp.NewExportRequestFromLogs(o.logs))
	if err != nil {
		return fmt.Errorf("send %d log records to %s: %w", o.records.Len(), o.options.Endpoint, err)
	}
	o.refused += response.PartialSuccess().RejectedLogRecords()
	o.begin()
	return nil
}

// Close ends the connection; it does not flush.
func (o *OTLP) Close() error { return o.conn.Close() }
