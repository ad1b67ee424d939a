package cloudmetadataprocessor

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/names"
)

// How soon the metadata service is asked again: doubled from first to last.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// Values of cloud.platform.
const (
	eksPlatform = "aws_eks"
	ec2Platform = "aws_ec2"
)

// machine is what the pipelines of one component ID know of where they run.
type machine struct {
	cfg     *Config
	log     *zap.Logger
	service service
	known   atomic.Pointer[[]attribute] // replaced as a whole

	cancel context.CancelFunc // nil before Start
	done   sync.WaitGroup
}

// attribute is one that a resource gets; its value is not empty.
type attribute struct{ key, value string }

func newMachine(cfg *Config, log *zap.Logger, s service) *machine {
	m := &machine{cfg: cfg, log: log, service: s}
	m.publish(nil)
	return m
}

// put sets what is known on a resource.
func (m *machine) put(attrs pcommon.Map) {
	for _, a := range *m.known.Load() {
		v, ok := attrs.Get(a.key)
		switch {
		case !ok:
			attrs.PutStr(a.key, a.value)
		case m.cfg.Override, v.Type() == pcommon.ValueTypeEmpty, v.Type() == pcommon.ValueTypeStr && v.Str() == "":
			v.SetStr(a.value)
		}
	}
}

// publish makes found and what the configuration says known from now on.
func (m *machine) publish(found map[string]string) {
	all := maps.Clone(found)
	if all == nil {
		all = map[string]string{}
	}
	for _, key := range m.cfg.Exclude {
		delete(all, key)
	}
	for key, value := range m.cfg.Attributes {
		if value != "" {
			all[key] = value
		}
	}
	known := make([]attribute, 0, len(all))
	for key, value := range all {
		if value != "" {
			known = append(known, attribute{key, value})
		}
	}
	slices.SortFunc(known, func(a, b attribute) int { return cmp.Compare(a.key, b.key) })
	m.known.Store(&known)
}

// Start looks at what is at hand and begins to ask for the rest.
func (m *machine) Start(context.Context, component.Host) error {
	found := m.cluster()
	m.publish(found)
	if !m.cfg.IMDS.Enabled {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.done.Go(func() { m.ask(ctx, found) })
	return nil
}

// Shutdown ends the asking and waits for it.
func (m *machine) Shutdown(context.Context) error {
	if m.cancel != nil {
		m.cancel()
	}
	m.done.Wait()
	return nil
}

// cluster is what the pod's own files tell. Whatever cannot be read tells
// nothing.
func (m *machine) cluster() map[string]string {
	found := map[string]string{}
	if m.cfg.ServiceAccount == "" {
		return found
	}
	token, err := os.ReadFile(m.cfg.ServiceAccount)
	if err != nil {
		return found
	}
	if region, ok := eksRegion(token); ok {
		found[names.CloudProvider], found[names.CloudPlatform] = "aws", eksPlatform
		found[names.CloudRegion] = region
	}
	return found
}

// ask asks the metadata service until it has answered all, or is given up. It is
// the machine's goroutine.
func (m *machine) ask(ctx context.Context, found map[string]string) {
	begun, pause, warned := time.Now(), firstPause, false
	for {
		learnt, err := m.service.read(ctx, m.cfg.IMDS.ClusterTag)
		if len(learnt) > 0 {
			if found[names.CloudPlatform] == eksPlatform {
				delete(learnt, names.CloudPlatform) // an EKS node is an EC2 instance, too
			}
			maps.Copy(found, learnt)
			m.publish(found)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			m.log.Info("instance metadata read", zap.String("platform", found[names.CloudPlatform]),
				zap.String("zone", found[names.CloudAvailabilityZone]), zap.String("type", found[names.HostType]), zap.String("cluster", found[names.K8sClusterName]))
			return
		}
		why := reasonOf(err)
		if hint := why.hint(); hint != "" && !warned {
			warned = true
			m.log.Warn("instance metadata: "+hint, zap.Error(err))
		}
		if limit := m.cfg.IMDS.GiveUpAfter; why == disabled || (limit > 0 && time.Since(begun)+pause > limit) {
			m.log.Info("instance metadata is not to be had here; resources get what is known without it",
				zap.Int("attributes", len(*m.known.Load())), zap.Stringer("reason", why), zap.Duration("asked_for", time.Since(begun).Round(time.Second)))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}
