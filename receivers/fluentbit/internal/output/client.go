package output

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // makes gzip known to gRPC
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// client is a connection to one endpoint.
type client struct {
	conn    *grpc.ClientConn
	logs    plogotlp.GRPCClient
	headers metadata.MD
}

func dial(c Config) (*client, error) {
	transport := insecure.NewCredentials()
	secured, err := c.tls()
	if err != nil {
		return nil, err
	}
	if secured != nil {
		transport = credentials.NewTLS(secured)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("vigie-fluent-bit"),
		// A server that is gone without a word: the next chunk must not find out
		// by its timeout each time. Servers dislike pings more often than this.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 10 * time.Second}),
	}
	if c.Compression != "none" {
		knowZstd()
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(c.Compression)))
	}
	conn, err := grpc.NewClient(c.Endpoint, options...)
	if err != nil {
		return nil, err
	}
	return &client{conn, plogotlp.NewGRPCClient(conn), metadata.New(c.Headers)}, nil
}

// send returns how many records the server rejected of those it took.
func (c *client) send(ctx context.Context, logs plog.Logs) (int64, error) {
	if len(c.headers) > 0 {
		ctx = metadata.NewOutgoingContext(ctx, c.headers)
	}
	answer, err := c.logs.Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	if err != nil {
		return 0, err
	}
	return answer.PartialSuccess().RejectedLogRecords(), nil
}

func (c *client) close() error { return c.conn.Close() }

// knowZstd registers zstd with gRPC, which has none of its own, once and before
// the first connection that uses it.
var knowZstd = sync.OnceFunc(func() { //nolint:gochecknoglobals // gRPC's own registry is global
	encoding.RegisterCompressor(&zstdCompressor{})
})

// zstdCompressor keeps encoders and decoders, which are costly to make.
type zstdCompressor struct{ writers, readers sync.Pool }

func (*zstdCompressor) Name() string { return "zstd" }

func (z *zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	if e, ok := z.writers.Get().(*zstdWriter); ok {
		e.Reset(w)
		return e, nil
	}
	e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<10))
	if err != nil {
		return nil, err
	}
	return &zstdWriter{e, z}, nil
}

type zstdWriter struct {
	*zstd.Encoder
	of *zstdCompressor
}

func (w *zstdWriter) Close() error {
	err := w.Encoder.Close()
	w.of.writers.Put(w)
	return err
}

func (z *zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	if d, ok := z.readers.Get().(*zstdReader); ok {
		d.given = false
		return d, d.Reset(r)
	}
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &zstdReader{Decoder: d, of: z}, nil
}

type zstdReader struct {
	*zstd.Decoder
	of    *zstdCompressor
	given bool // back to the pool
}

func (r *zstdReader) Read(p []byte) (int, error) {
	n, err := r.Decoder.Read(p)
	if err == io.EOF && !r.given { //nolint:errorlint // what Read returns, unwrapped
		r.given = true
		r.of.readers.Put(r)
	}
	return n, err
}
