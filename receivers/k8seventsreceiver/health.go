package k8seventsreceiver

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health says what can't be had from the cluster: in the component's status, and in
// one log line as it begins and one as it ends.
type health struct {
	host   component.Host
	logger *zap.Logger

	mu      sync.Mutex
	failing map[string]error // by what: cluster, lease, events; guarded by mu
}

func (h *health) failed(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing[what] != nil {
		return
	}
	h.failing[what] = err
	h.logger.Warn("Kubernetes events can't be read; trying on", zap.String("what", what), zap.Error(err))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("%s: %w", what, err)))
}

func (h *health) works(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing[what] == nil {
		return
	}
	delete(h.failing, what)
	h.logger.Info("Kubernetes answers again", zap.String("what", what))
	if len(h.failing) == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
