package checkcmd

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/conntrack"
)

func TestEachAnswerOfTheKernelHasItsLine(t *testing.T) {
	wants(t, tracked("", conntrack.Usage{Count: 7, Limit: 100}, nil), OK, "can be read, 7 of 100 entries in use", "")
	wants(t, tracked("", conntrack.Usage{}, fmt.Errorf("stats: %w", conntrack.ErrPermission)), Warn, "may not be read", "CAP_NET_ADMIN")
	wants(t, tracked("", conntrack.Usage{}, unix.EPERM), Warn, "may not be read", "CAP_NET_ADMIN")
	wants(t, tracked("", conntrack.Usage{}, conntrack.ErrNoModule), Warn, "tracks no connections", "modprobe nf_conntrack")
	wants(t, tracked("/run/netns/blue", conntrack.Usage{}, conntrack.ErrNamespaceGone), Fail, "/run/netns/blue is not there", "netns")
	wants(t, tracked("", conntrack.Usage{}, unix.EIO), Fail, "read the connection-tracking table", "")
}

func TestTheReceiversNamespaceIsTheOneThatIsTried(t *testing.T) {
	got := run(t, `
receivers: {conntrack: , conntrack/gone: {netns: /nowhere/netns}}
exporters: {debug: }
service:
  pipelines: {metrics: {receivers: [conntrack, conntrack/gone], exporters: [debug]}}
`)
	require.Len(t, got, 2)
	wants(t, got[1], Fail, "/nowhere/netns", "")
	require.Equal(t, "receivers::conntrack/gone", got[1].Part)
}
