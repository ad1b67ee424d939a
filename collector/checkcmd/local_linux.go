package checkcmd

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/conntrack"
)

// freeBytes is what a user without privileges may still write.
func freeBytes(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}

// kernel tries what the conntrack receiver reads.
func (p *plan) kernel() (out []probe) {
	for _, id := range p.receivers {
		if id.Type().String() != "conntrack" {
			continue
		}
		netns, _ := p.conf.Get("receivers::" + id.String() + "::netns").(string)
		out = append(out, probe{"receivers::" + id.String(), func(context.Context) []Result { return one(tracking(netns)) }})
	}
	return out
}

func tracking(netns string) Result {
	c, err := conntrack.Dial(conntrack.Options{NetNS: netns})
	var u conntrack.Usage
	if err == nil {
		defer c.Close()
		if _, err = c.CPUStats(nil); err == nil {
			u, _ = c.Usage()
		}
	}
	return tracked(netns, u, err)
}

func tracked(netns string, u conntrack.Usage, err error) Result {
	switch {
	case errors.Is(err, conntrack.ErrPermission), errors.Is(err, unix.EPERM):
		return warn("grant CAP_NET_ADMIN (securityContext.capabilities.add: [NET_ADMIN]) for half-open connections, owners and NAT", "the connection-tracking table may not be read; count and limit are read all the same")
	case errors.Is(err, conntrack.ErrNoModule):
		return warn("nothing, where no connections are tracked; else modprobe nf_conntrack nf_conntrack_netlink", "this kernel tracks no connections")
	case errors.Is(err, conntrack.ErrNamespaceGone):
		return fail("look at netns", "network namespace %s is not there", netns)
	case err != nil:
		return fail("", "read the connection-tracking table: %v", err)
	}
	text := "the connection-tracking table can be read"
	if u.Limit > 0 {
		text += fmt.Sprintf(", %d of %d entries in use", u.Count, u.Limit)
	}
	return ok("%s", text)
}
