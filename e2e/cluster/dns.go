//go:build linux

package cluster

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// zone are the addresses of the cluster's names, each with its dot at the end.
type zone map[string][]netip.Addr

// names builds the zone: a Service's name has its address; a headless one's has its
// ready endpoints, and each of these its own by its host name.
func names(services []corev1.Service, slices []discoveryv1.EndpointSlice) zone {
	z := zone{}
	add := func(name, address string) {
		if a, err := netip.ParseAddr(address); err == nil {
			name = strings.ToLower(name) + ".svc.cluster.local."
			z[name] = append(z[name], a)
		}
	}
	headless := map[string]bool{}
	for _, s := range services {
		name := s.Name + "." + s.Namespace
		if headless[name] = s.Spec.ClusterIP == corev1.ClusterIPNone; headless[name] {
			z[name+".svc.cluster.local."] = nil // there, without an address yet
		}
		add(name, s.Spec.ClusterIP)
	}
	for _, slice := range slices {
		name := slice.Labels[discoveryv1.LabelServiceName] + "." + slice.Namespace
		if !headless[name] {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			for _, address := range e.Addresses {
				add(name, address)
				if e.Hostname != nil {
					add(*e.Hostname+"."+name, address)
				}
			}
		}
	}
	return z
}

// answer is the reply to a question, for a zone that knows every name there is.
func (z zone) answer(packet []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil {
		return nil, err
	}
	q, err := parser.Question()
	if err != nil {
		return nil, err
	}
	addresses, known := z[strings.ToLower(q.Name.String())]
	header.Response, header.Authoritative, header.RCode = true, true, dnsmessage.RCodeSuccess
	if !known {
		header.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, header)
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(q); err != nil {
		return nil, err
	}
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if q.Type == dnsmessage.TypeA && a.Is4() {
			if err := b.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 2}, dnsmessage.AResource{A: a.As4()}); err != nil {
				return nil, err
			}
		}
	}
	return b.Finish()
}

// serveDNS is the cluster's DNS: a Service without a selector leads to this process.
// It goes on with what it knew while the API server is away.
func (c *Cluster) serveDNS(ctx context.Context) error {
	if err := c.dnsService(ctx); err != nil {
		return fmt.Errorf("make the DNS service: %w", err)
	}
	conn, err := net.ListenPacket("udp4", ControlIP+":53")
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	var current atomic.Pointer[zone]
	go func() {
		for ctx.Err() == nil {
			if z, err := c.lookAround(ctx); err == nil {
				current.Store(&z)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if z := current.Load(); z != nil {
				if reply, err := z.answer(packet[:n]); err == nil {
					_, _ = conn.WriteTo(reply, from)
				}
			}
		}
	}()
	return nil
}

// lookAround reads Services and their endpoints.
func (c *Cluster) lookAround(ctx context.Context) (zone, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	services, err := c.Client.CoreV1().Services("").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	slices, err := c.Client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	return names(services.Items, slices.Items), nil
}

func (c *Cluster) dnsService(ctx context.Context) error {
	port, protocol := int32(53), corev1.ProtocolUDP
	meta := metav1.ObjectMeta{Name: "kube-dns", Namespace: metav1.NamespaceSystem, Labels: map[string]string{discoveryv1.LabelServiceName: "kube-dns"}}
	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{ClusterIP: DNSIP, Ports: []corev1.ServicePort{{Name: "dns", Port: port, Protocol: protocol}}}}
	if _, err := c.Client.CoreV1().Services(meta.Namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return err
	}
	name := "dns"
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: meta, AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{ControlIP}}},
		Ports:     []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
	_, err := c.Client.DiscoveryV1().EndpointSlices(meta.Namespace).Create(ctx, slice, metav1.CreateOptions{})
	return err
}
