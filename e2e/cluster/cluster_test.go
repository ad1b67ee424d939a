//go:build linux

package cluster

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDNSKnowsServicesAndTheReadyEndpointsOfHeadlessOnes(t *testing.T) {
	yes, no, host := true, false, "gateway-0"
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "vigie"} }
	slice := discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vigie", Labels: map[string]string{discoveryv1.LabelServiceName: "all"}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.1"}, Hostname: &host, Conditions: discoveryv1.EndpointConditions{Ready: &yes}},
			{Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: &no}},
		},
	}
	z := names([]corev1.Service{
		{ObjectMeta: meta("one"), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7"}},
		{ObjectMeta: meta("all"), Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}},
		{ObjectMeta: meta("empty"), Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}},
	}, []discoveryv1.EndpointSlice{slice})
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		code dnsmessage.RCode
		want []string
	}{
		{"one.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, []string{"10.96.0.7"}},
		{"ONE.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, []string{"10.96.0.7"}},
		{"one.vigie.svc.cluster.local.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, nil},
		{"all.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, []string{"10.0.0.1"}},
		{"gateway-0.all.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, []string{"10.0.0.1"}},
		{"empty.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, nil},
		{"two.vigie.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeNameError, nil},
		{"example.com.", dnsmessage.TypeA, dnsmessage.RCodeNameError, nil},
	} {
		query := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(c.name), Type: c.kind, Class: dnsmessage.ClassINET}}}
		packet, err := query.Pack()
		require.NoError(t, err)
		packet, err = z.answer(packet)
		require.NoError(t, err, c.name)
		var reply dnsmessage.Message
		require.NoError(t, reply.Unpack(packet))
		require.EqualValues(t, 7, reply.ID)
		require.True(t, reply.Response)
		require.Equal(t, c.code, reply.RCode, c.name)
		var got []string
		for _, a := range reply.Answers {
			got = append(got, netip.AddrFrom4(a.Body.(*dnsmessage.AResource).A).String())
		}
		require.Equal(t, c.want, got, c.name)
	}
	_, err := z.answer([]byte("no question"))
	require.Error(t, err)
}

func TestTheAuditLogTellsWhoWasDeniedWhatAlsoByAKubelet(t *testing.T) {
	log := `{"auditID":"1","stage":"ResponseComplete","verb":"list","requestURI":"/api/v1/pods?limit=5","user":{"username":"system:serviceaccount:vigie:vigie-agent","extra":{"authentication.kubernetes.io/pod-name":["vigie-agent-x"]}},"objectRef":{"resource":"pods"},"annotations":{"authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":"no role"}}
{"auditID":"2","stage":"ResponseStarted","verb":"watch","requestURI":"/api/v1/events","user":{"username":"system:serviceaccount:vigie:vigie-gateway"},"objectRef":{"resource":"events"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"auditID":"3","stage":"ResponseComplete","verb":"create","user":{"username":"system:node:e2e-1"},"objectRef":{"resource":"subjectaccessreviews","apiGroup":"authorization.k8s.io"},"responseObject":{"kind":"SubjectAccessReview","spec":{"user":"system:serviceaccount:vigie:vigie-agent","resourceAttributes":{"verb":"get","resource":"nodes","subresource":"stats"}},"status":{"allowed":false,"reason":"no role"}}}
{"auditID":"4","stage":"ResponseComplete","verb":"create","user":{"username":"system:node:e2e-1"},"objectRef":{"resource":"subjectaccessreviews"},"responseObject":{"kind":"Status","status":"Failure"}}
{"auditID":"5","stage":"ResponseComplete","verb":"get","requestURI":"/metrics?x=1","user":{"username":"system:serviceaccount:vigie:vigie-gateway"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"auditID":"6","stage":"ResponseComplete","verb":"get","user":{"username":"system:serviceaccount:other:vigie-agent"}}
{"auditID":"7","stage":"Respon`
	calls, err := parseAudit([]byte(log))
	require.NoError(t, err)
	require.Equal(t, []Call{
		{ID: "1", Account: "vigie-agent", Pod: "vigie-agent-x", Verb: "list", What: "pods", URI: "/api/v1/pods?limit=5", Reason: "no role", Ended: true},
		{ID: "2", Account: "vigie-gateway", Verb: "watch", What: "events", URI: "/api/v1/events", Allowed: true, Begun: true},
		{ID: "3", Account: "vigie-agent", Verb: "get", What: "nodes/stats", URI: "the kubelet", Reason: "no role", Ended: true},
		{ID: "5", Account: "vigie-gateway", Verb: "get", What: "/metrics", URI: "/metrics?x=1", Allowed: true, Ended: true},
	}, calls)
}

func TestAnImageHoldsItsFilesUnderTheirFolders(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(program, []byte("text"), 0o755))
	archive := filepath.Join(dir, "image.tar")
	require.NoError(t, WriteImage(archive, "e2e.local/x:1", "/bin/x", "7:7", File{Path: "usr/bin/x", From: program, Mode: 0o755}))

	parts := untar(t, archive)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	require.NoError(t, json.Unmarshal(parts["manifest.json"], &manifest))
	require.Equal(t, []string{"e2e.local/x:1"}, manifest[0].RepoTags)
	require.Contains(t, string(parts[manifest[0].Config]), `"Entrypoint":["/bin/x"]`)
	layer := filepath.Join(dir, "layer.tar")
	require.NoError(t, os.WriteFile(layer, parts[manifest[0].Layers[0]], 0o600))
	require.Equal(t, map[string][]byte{"usr/": {}, "usr/bin/": {}, "usr/bin/x": []byte("text")}, untar(t, layer))

	require.ErrorIs(t, WriteImage(archive, "x", "/x", "", File{Path: "x", From: filepath.Join(dir, "none")}), fs.ErrNotExist)
}

func untar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = b
	}
}

func TestWaitingEndsWithTheLastReasonOrWithADeadProcess(t *testing.T) {
	tries := 0
	err := Within(t.Context(), time.Minute, func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, tries)

	err = Within(t.Context(), 50*time.Millisecond, func(context.Context) error { return errors.New("no such thing") })
	require.ErrorContains(t, err, "no such thing")

	p, err := start("false", t.TempDir(), "false")
	require.NoError(t, err)
	<-p.done
	require.ErrorContains(t, Within(t.Context(), time.Minute, func(context.Context) error { return errors.New("waits for it") }, p), "false has ended")
}
