package shared_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/vigie-otel/vigie/internal/shared"
)

// thing counts what is done to it.
type thing struct {
	fail            error // of the next starts
	starts, running int
	stops           int
}

func (t *thing) Start(context.Context, component.Host) error {
	t.starts++
	if t.fail != nil {
		return t.fail
	}
	t.running++
	return nil
}

func (t *thing) Shutdown(context.Context) error {
	t.stops++
	return nil
}

type registry = shared.Registry[string, *thing]

func face(t *testing.T, r *registry, key string) *shared.Face[*thing] {
	f, err := r.Face(key, func() (*thing, error) { return &thing{}, nil })
	require.NoError(t, err)
	return f
}

func start(t *testing.T, f *shared.Face[*thing]) {
	require.NoError(t, f.Start(t.Context(), componenttest.NewNopHost()))
}

func TestAnInstanceStartsWithItsFirstFaceAndStopsWithItsLast(t *testing.T) {
	var r registry
	a, b, c, other := face(t, &r, "x"), face(t, &r, "x"), face(t, &r, "x"), face(t, &r, "y")
	in := a.Instance
	require.Same(t, in, b.Instance)
	require.Same(t, in, c.Instance)
	require.NotSame(t, in, other.Instance)

	start(t, b)
	start(t, a)
	start(t, a)
	require.Equal(t, 1, in.starts)
	require.Zero(t, other.Instance.starts)

	require.NoError(t, b.Shutdown(t.Context()))
	require.NoError(t, b.Shutdown(t.Context()), "twice counts once")
	require.NoError(t, a.Shutdown(t.Context()))
	require.Zero(t, in.stops, "the third face is still there, though it has not started")
	require.NoError(t, c.Shutdown(t.Context()), "before its own start")
	require.Equal(t, 1, in.stops)
	require.Zero(t, other.Instance.stops)
	require.NoError(t, other.Shutdown(t.Context()))
}

func TestAnInstanceThatNeverStartedIsShutDownOnce(t *testing.T) {
	var r registry
	a, b := face(t, &r, "x"), face(t, &r, "x")
	require.NoError(t, a.Shutdown(t.Context()))
	require.NoError(t, b.Shutdown(t.Context()))
	require.Zero(t, a.Instance.starts)
	require.Equal(t, 1, a.Instance.stops)
}

func TestAStartThatFailsIsToldToEachFaceAndTriedAgain(t *testing.T) {
	var r registry
	a, b, c := face(t, &r, "x"), face(t, &r, "x"), face(t, &r, "x")
	in := a.Instance
	in.fail = errors.New("port in use")
	require.ErrorIs(t, a.Start(t.Context(), componenttest.NewNopHost()), in.fail)
	require.ErrorIs(t, b.Start(t.Context(), componenttest.NewNopHost()), in.fail)
	in.fail = nil
	start(t, c)
	start(t, a)
	require.Equal(t, 3, in.starts)
	require.Equal(t, 1, in.running)
	for _, f := range []*shared.Face[*thing]{a, b, c} {
		require.NoError(t, f.Shutdown(t.Context()))
	}
	require.Equal(t, 1, in.stops)
}

func TestAKeyHasASecondLife(t *testing.T) {
	var r registry
	a := face(t, &r, "x")
	start(t, a)
	require.NoError(t, a.Shutdown(t.Context()))
	require.Error(t, a.Start(t.Context(), componenttest.NewNopHost()), "a face has one life")
	b := face(t, &r, "x")
	require.NotSame(t, a.Instance, b.Instance)
	start(t, b)
	require.Equal(t, 1, b.Instance.starts)
	require.Equal(t, 1, a.Instance.starts)
	require.NoError(t, b.Shutdown(t.Context()))
}

func TestWhatCouldNotBeBuiltIsNotKept(t *testing.T) {
	var r registry
	_, err := r.Face("x", func() (*thing, error) { return nil, errors.New("no meter") })
	require.EqualError(t, err, "no meter")
	f := face(t, &r, "x")
	require.NotNil(t, f.Instance)
	require.NoError(t, f.Shutdown(t.Context()))
}

// opening has nothing but what Registry promises between it and a race.
type opening struct {
	open, closed bool
	starts       atomic.Int32
}

func (o *opening) Start(context.Context, component.Host) error {
	o.starts.Add(1)
	o.open = true
	return nil
}

func (o *opening) Shutdown(context.Context) error {
	o.closed = true
	return nil
}

func TestFacesMayComeStartAndGoAtOnce(t *testing.T) {
	var r shared.Registry[int, *opening]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				f, err := r.Face(i%2, func() (*opening, error) { return &opening{}, nil })
				if err != nil || f.Start(t.Context(), componenttest.NewNopHost()) != nil {
					t.Error("no face, or no start")
					return
				}
				if !f.Instance.open || f.Instance.closed {
					t.Error("a face whose Start has returned has no open instance")
				}
				if n := f.Instance.starts.Load(); n != 1 {
					t.Errorf("started %d times", n)
				}
				if err := f.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
