package configreloadextension

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/extensions/configreloadextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/internal/names"
)

// host remembers what is reported.
type host struct{ events []string }

func (*host) GetExtensions() map[component.ID]component.Component { return nil }

func (h *host) Report(e *componentstatus.Event) {
	text := e.Status().String()
	if e.Err() != nil {
		text += " " + e.Err().Error()
	}
	h.events = append(h.events, text)
}

func TestAConfigurationThatDoesNotRunIsARecoverableErrorUntilOneDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, h := configstate.New(nil), &host{}
		state.Started(configstate.Hash{1})
		e, err := NewFactoryOf(state).Create(t.Context(), extension.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}, nil)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), h))
		for _, change := range []func(){
			func() { state.Refused(errors.New("no such exporter")) },
			func() { state.Applied(configstate.Hash{2}) },
			func() { state.Applied(configstate.Hash{3}) }, // nothing to say
		} {
			change()
			synctest.Wait()
		}
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, e.Shutdown(t.Context()))
		want := []string{"StatusRecoverableError an earlier configuration runs (010000000000): no such exporter", "StatusOK"}
		if d := cmp.Diff(want, h.events); d != "" {
			t.Error(d)
		}
	})
}

func TestTheMetricsSayWhatRunsAndWhatBecameOfTheRest(t *testing.T) {
	tel := componenttest.NewTelemetry()
	state := configstate.New(nil)
	state.Kept(configstate.Hash{0, 0, 0, 0, 1}, errors.New("bad"))
	state.Refused(errors.New("bad"))
	e, err := NewFactoryOf(state).Create(t.Context(), extension.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: tel.NewTelemetrySettings()}, nil)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), &host{}))
	value := func(name string) float64 {
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		return m.Data.(metricdata.Gauge[float64]).DataPoints[0].Value
	}
	if got := value(names.ConfigReloadSuccessful); got != 0 {
		t.Errorf("successful: %v", got)
	}
	if got := value(names.ConfigHash); got != 256 {
		t.Errorf("hash: %v", got)
	}
	if now, _ := state.Now(); value(names.ConfigReloadTime) != float64(now.Since.UnixMilli())/1e3 {
		t.Errorf("time: %v", value(names.ConfigReloadTime))
	}
	m, err := tel.GetMetric(names.ConfigReloads)
	require.NoError(t, err)
	var got []string
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value(names.ConfigOutcome)
		got = append(got, v.AsString()+strings.Repeat("+", int(p.Value)))
	}
	require.ElementsMatch(t, []string{"applied", "refused+", "reverted"}, got)
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}
