package podlist

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Holder is an extension that has a list for others.
type Holder interface{ Pods() *List }

// From is the list that the extension of an ID holds.
func From(host component.Host, id component.ID) (*List, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("extension %q does not run; configure it and name it in service::extensions", id)
	}
	h, ok := ext.(Holder)
	if !ok {
		return nil, fmt.Errorf("extension %q knows no pods; name a kubelet_pods", id)
	}
	return h.Pods(), nil
}
