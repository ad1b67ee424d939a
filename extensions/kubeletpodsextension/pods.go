package kubeletpodsextension

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/extensions/kubeletpodsextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
)

type pods struct {
	cfg  *Config
	set  component.TelemetrySettings
	list *podlist.List

	stop       context.CancelFunc
	unregister func() error
	wait       sync.WaitGroup
}

// Pods is the list, from Start on.
func (p *pods) Pods() *podlist.List { return p.list }

func (p *pods) Start(_ context.Context, host component.Host) (err error) {
	p.list, err = podlist.New(podlist.Options{
		Endpoint: p.cfg.Endpoint, TokenFile: p.cfg.TokenFile, CAFile: p.cfg.CAFile, Insecure: p.cfg.InsecureSkipVerify,
		Interval: p.cfg.Interval, Soonest: min(2*time.Second, p.cfg.Interval), Timeout: p.cfg.Timeout,
	})
	if err != nil {
		return err
	}
	if p.unregister, err = register(p.set, p.list); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	v := &voice{log: p.set.Logger, host: host}
	p.wait.Go(func() { p.list.Run(ctx, v.say) })
	return nil
}

func (p *pods) Shutdown(context.Context) error {
	if p.stop == nil {
		return nil
	}
	p.stop()
	p.wait.Wait()
	p.stop = nil
	return p.unregister()
}

// voice says how asking goes: each change in health, what is wrong once a minute
// in the log. It belongs to the goroutine that asks.
type voice struct {
	log  *zap.Logger
	host component.Host
	bad  bool
	said time.Time
}

func (v *voice) say(err error) {
	if err == nil {
		if v.bad {
			v.log.Info("The kubelet tells its pods again.")
			componentstatus.ReportStatus(v.host, componentstatus.NewEvent(componentstatus.StatusOK))
		}
		v.bad = false
		return
	}
	if !v.bad {
		componentstatus.ReportStatus(v.host, componentstatus.NewRecoverableErrorEvent(err))
	}
	v.bad = true
	if time.Since(v.said) >= time.Minute {
		v.said = time.Now()
		v.log.Warn("This node's pods are not known, or only as they were; it is tried again.", zap.Error(err))
	}
}

func register(set component.TelemetrySettings, list *podlist.List) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	lists, e1 := m.Int64ObservableCounter(names.KubeletPodsLists, metric.WithUnit("{request}"), metric.WithDescription("Requests to the kubelet for its pods."))
	known, e2 := m.Int64ObservableUpDownCounter(names.KubeletPodsPods, metric.WithUnit("{pod}"), metric.WithDescription("Pods of the newest list."))
	age, e3 := m.Float64ObservableGauge(names.KubeletPodsAge, metric.WithUnit("s"), metric.WithDescription("Age of the newest list."))
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, err
	}
	outcome := func(o string) metric.ObserveOption {
		return metric.WithAttributes(attribute.String(names.KubeletPodsOutcome, o))
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(lists, list.OK.Load(), outcome("ok"))
		o.ObserveInt64(lists, list.Failed.Load(), outcome("failed"))
		if all, ok := list.All(); ok {
			o.ObserveInt64(known, int64(len(all)))
			o.ObserveFloat64(age, time.Since(list.At()).Seconds())
		}
		return nil
	}, lists, known, age)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}
