package replay

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"

	"github.com/vigie-otel/vigie/internal/names"
)

// receiver keeps what it is sent.
type receiver struct {
	plogotlp.UnimplementedGRPCServer
	mu      sync.Mutex // guards what follows: grpc calls from its own goroutines
	service string
	records []pcommon.Map
	bodies  []string
	calls   int
}

func (r *receiver) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	rl := request.Logs().ResourceLogs().At(0)
	v, _ := rl.Resource().Attributes().Get(names.ServiceName)
	r.service = v.Str()
	list := rl.ScopeLogs().At(0).LogRecords()
	for i := range list.Len() {
		r.records = append(r.records, list.At(i).Attributes())
		r.bodies = append(r.bodies, list.At(i).Body().AsString())
	}
	return plogotlp.NewExportResponse(), nil
}

func listen(t *testing.T) (*receiver, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, r := grpc.NewServer(), &receiver{}
	plogotlp.RegisterGRPCServer(server, r)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return r, l.Addr().String()
}

func send(t *testing.T, o OTLPOptions) *Generator {
	t.Helper()
	sink, err := NewOTLP(o)
	require.NoError(t, err)
	defer sink.Close()
	g := generator(t, scenario(t, "stuffing-fast"), Options{Seed: 3, Scale: 0.005})
	require.NoError(t, Run(t.Context(), g, sink, nil, Pace{}))
	return g
}

func TestEachRequestArrivesOverOTLPWithItsAttributes(t *testing.T) {
	r, endpoint := listen(t)
	g := send(t, OTLPOptions{Endpoint: endpoint, Service: "tv", Batch: 100})
	lines := int(g.Truth().Lines)
	if len(r.records) != lines || r.service != "tv" || r.calls != (lines+99)/100 {
		t.Fatalf("%d records of %d in %d calls from %q", len(r.records), lines, r.calls, r.service)
	}
	for _, m := range r.records {
		for _, key := range []string{names.ClientAddress, names.HTTPRequestMethod, names.URLPath, names.HTTPResponseStatusCode, names.ServerAddress, names.HTTPServerDuration} {
			if _, ok := m.Get(key); !ok {
				t.Fatalf("a record has no %s", key)
			}
		}
	}
}

func TestRawLinesArriveInTheBody(t *testing.T) {
	r, endpoint := listen(t)
	g := send(t, OTLPOptions{Endpoint: endpoint, Raw: Combined})
	if len(r.bodies) != int(g.Truth().Lines) || !strings.Contains(r.bodies[0], " HTTP/") || strings.Contains(r.bodies[0], "\n") || r.records[0].Len() != 0 {
		t.Errorf("%d bodies, the first %q", len(r.bodies), r.bodies[0])
	}
}

func TestAnEndpointThatIsNotThereIsNamed(t *testing.T) {
	sink, err := NewOTLP(OTLPOptions{Endpoint: "127.0.0.1:1"})
	require.NoError(t, err)
	defer sink.Close()
	g := generator(t, scenario(t, "stuffing-fast"), Options{Seed: 3, Scale: 0.005})
	if err := Run(t.Context(), g, sink, nil, Pace{}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("error %v", err)
	}
}
