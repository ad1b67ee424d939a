package podattributesprocessor

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Config of one instance.
type Config struct {
	// Pods is the extension that knows this node's pods. Default kubelet_pods.
	Pods component.ID `mapstructure:"pods"`
	// Labels are those of a pod's that become attributes, k8s.pod.label.<key>.
	// Empty: none.
	Labels []string `mapstructure:"labels"`

	_ struct{} // keyed literals only
}

func defaultConfig() *Config { return &Config{Pods: component.MustNewID("kubelet_pods")} }

// Validate reports what is wrong.
func (c *Config) Validate() error {
	if len(c.Labels) > 32 {
		return fmt.Errorf("labels takes at most 32 (got %d)", len(c.Labels))
	}
	for i, l := range c.Labels {
		if l == "" {
			return fmt.Errorf(`labels[%d] must name a label (got ""), e.g. team`, i)
		}
	}
	return nil
}
