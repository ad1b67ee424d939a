//go:build linux

package netlab_test

import (
	"bufio"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

func read(t *testing.T, ns *netlab.NS, path string) (s string) {
	ns.Do(func() error {
		b, err := os.ReadFile(path)
		s = strings.TrimSpace(string(b))
		return err
	})
	return s
}

func TestANamespaceIsItsOwn(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Sysctl("net.ipv4.ip_forward", "1")
	require.Equal(t, "1", read(t, ns, "/proc/sys/net/ipv4/ip_forward"))
	require.NotContains(t, ns.Run("ip", "-brief", "link"), "eth0")
}

func TestALinkCarriesTCPThroughADNATRuleAndIsTracked(t *testing.T) {
	client, server := netlab.New(t, "client"), netlab.New(t, "server")
	client.Link(server, "10.9.0.1/24", "10.9.0.2/24")
	client.Track()
	client.DNAT("tcp", "10.96.0.1:443", "10.9.0.2:8443")
	client.Run("ip", "route", "add", "10.96.0.0/16", "via", "10.9.0.2")

	var listener net.Listener
	server.Do(func() (err error) { listener, err = net.Listen("tcp", "10.9.0.2:8443"); return err })
	defer listener.Close()
	go func() {
		if c, err := listener.Accept(); err == nil {
			c.Write([]byte("hello\n"))
			c.Close()
		}
	}()
	var line string
	client.Do(func() error {
		c, err := net.Dial("tcp", "10.96.0.1:443")
		if err != nil {
			return err
		}
		defer c.Close()
		line, err = bufio.NewReader(c).ReadString('\n')
		return err
	})
	require.Equal(t, "hello\n", line)
	require.Equal(t, "1", read(t, client, "/proc/sys/net/netfilter/nf_conntrack_count"))
	require.Equal(t, "0", read(t, server, "/proc/sys/net/netfilter/nf_conntrack_count"))
}

func TestTheLimitIsOneForAllNamespacesAndIsSetBack(t *testing.T) {
	const path = "/proc/sys/net/netfilter/nf_conntrack_max"
	before, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	t.Run("lowered", func(t *testing.T) {
		netlab.Limit(t, 12345)
		require.Equal(t, "12345", read(t, netlab.New(t, "a"), path))
	})
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
