package proof

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/vigie-otel/vigie/extensions/configreloadextension"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/internal/ledger"
)

// state is what belongs to a whole process: its configuration, told by the real
// extension, and the ledger, published by the real one from modelled books, since
// the keeper reads the pipelines of a collector's service.
type state struct {
	config     *configstate.State
	cl         *cluster
	read       float64 // s up to which books holds
	books      [3]ledger.Book
	unregister func() error
}

func (p *pipeline) state(t *testing.T, tel component.TelemetrySettings) {
	s := &state{config: configstate.New(nil), cl: p.cl, books: [3]ledger.Book{
		{Signal: "logs", To: "otlp_grpc/gateway", QueuedAtStart: 1200}, {Signal: "metrics", To: "otlp_grpc/gateway"}, {Signal: "traces", To: "load_balancing/gateway"},
	}}
	s.config.Started(configstate.Hash{1, 2, 3, 4, 5, 6})
	p.config = s.config
	f := configreloadextension.NewFactoryOf(s.config)
	e, err := f.Create(t.Context(), extension.Settings{ID: component.NewID(f.Type()), TelemetrySettings: tel}, f.CreateDefaultConfig())
	require.NoError(t, err)
	p.parts = append(p.parts, e)
	s.unregister, err = ledger.Publish(tel.MeterProvider.Meter("ledger"), s.keep)
	require.NoError(t, err)
	p.parts = append(p.parts, s)
}

func (s *state) Start(context.Context, component.Host) error { return nil }

func (s *state) Shutdown(context.Context) error { return s.unregister() }

// keep gives the books, which grow with the demand.
func (s *state) keep(context.Context) []ledger.Book {
	passed := s.cl.t - s.read
	s.read = s.cl.t
	for i, rate := range []float64{s.cl.people + s.cl.attack, 2900, 3 * s.cl.people} {
		b := &s.books[i]
		b.Read += int64(rate * passed)
		b.Waiting = int64(rate * 1.4)
		b.State = ledger.Waiting
		if b.Dropped = nil; i == 2 && s.cl.t > 450 { // one request, refused for good
			b.Dropped = map[ledger.Reason]int64{ledger.SendFailed: 512}
		}
		if b.Signal == "logs" {
			b.Removed = b.Read / 50 // flow records, which end in conntrack
		}
		b.Sent = b.Read + b.QueuedAtStart - b.Waiting - b.Removed - b.Lost()
	}
	return s.books[:]
}
