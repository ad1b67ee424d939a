package helm

import (
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/vigie-otel/vigie/internal/ready"
)

func TestTheRoleOfReadyIsWhatTheCommandAsksFor(t *testing.T) {
	var cluster, system []rbacv1.PolicyRule
	for _, r := range ready.Rights() {
		rule := rbacv1.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: r.Verbs, ResourceNames: r.Names}
		if len(r.Names) > 0 {
			system = append(system, rule)
		} else {
			cluster = append(cluster, rule)
		}
	}
	objects := render(t, "--set", "rbac.ready=true")
	require.Equal(t, rights(cluster), rights(one[*rbacv1.ClusterRole](t, objects, "vigie-ready").Rules))
	role := one[*rbacv1.Role](t, objects, "vigie-ready")
	require.Equal(t, ready.SystemNamespace, role.Namespace)
	require.Equal(t, rights(system), rights(role.Rules))

	// The gateway's own rights are the same with it and without.
	with, without := one[*rbacv1.ClusterRole](t, objects, "vigie-gateway"), one[*rbacv1.ClusterRole](t, render(t), "vigie-gateway")
	require.Equal(t, rights(without.Rules), rights(with.Rules))
}
