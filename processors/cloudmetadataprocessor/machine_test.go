package cloudmetadataprocessor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/testdata"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
	"github.com/vigie-otel/vigie/processors/cloudmetadataprocessor/internal/metadata"
)

// ec2 is what the fake machine says of itself.
func ec2() map[string]any {
	return map[string]any{
		names.CloudProvider: "aws", names.CloudPlatform: ec2Platform, names.CloudRegion: "eu-west-3",
		names.CloudAvailabilityZone: "eu-west-3a", names.CloudAccountID: "123456789012",
		names.HostID: "i-0123456789abcdef0", names.HostType: "m6i.4xlarge", names.HostImageID: "ami-0abc",
		names.HostName: "ip-10-0-0-7.eu-west-3.compute.internal",
	}
}

// started is a machine that asks s, and its log.
func started(t *testing.T, s *metadataService, change func(*Config)) (*machine, *observer.ObservedLogs) {
	t.Helper()
	cfg := defaultConfig()
	cfg.ServiceAccount = ""
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zap.DebugLevel)
	m := newMachine(cfg, zap.New(core), newInstance(cfg.IMDS, s))
	begun := time.Now()
	require.NoError(t, m.Start(t.Context(), componenttest.NewNopHost()))
	require.Zero(t, time.Since(begun), "Start waits for nothing")
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return m, logs
}

func attributesOf(m *machine) map[string]any {
	attrs := pcommon.NewMap()
	m.put(attrs)
	return attrs.AsRaw()
}

func TestAMachineOnEC2IsDescribedAndAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &metadataService{}
		m, logs := started(t, s, nil)
		require.Empty(t, attributesOf(m), "nothing is known yet, and nothing waits")
		synctest.Wait()
		require.Empty(t, cmp.Diff(ec2(), attributesOf(m)))
		require.Equal(t, 1, logs.Len())
		time.Sleep(time.Hour)
		require.Equal(t, 1, s.tokens)
		require.Len(t, s.reads, 3, "the document, the host's name, the tags")
	})
}

func TestTheClustersNameComesFromTheInstancesTags(t *testing.T) {
	for name, tc := range map[string]struct {
		tags              map[string]string
		cluster, platform string
	}{
		"managed nodes":      {map[string]string{"Name": "node", "eks:cluster-name": "tv"}, "tv", eksPlatform},
		"EKS's autoscaler":   {map[string]string{"aws:eks:cluster-name": "tv"}, "tv", eksPlatform},
		"any cluster on EC2": {map[string]string{"kubernetes.io/cluster/tv": "owned"}, "tv", ec2Platform},
		"no cluster":         {map[string]string{"Name": "bastion"}, "", ec2Platform},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := started(t, &metadataService{tags: tc.tags}, nil)
				synctest.Wait()
				want := ec2()
				want[names.CloudPlatform] = tc.platform
				if tc.cluster != "" {
					want[names.K8sClusterName] = tc.cluster
				}
				require.Empty(t, cmp.Diff(want, attributesOf(m)))
			})
		})
	}
}

func TestAServiceThatAppearsAfterAMinuteIsFound(t *testing.T) {
	for _, before := range []mode{absent, hopLimit, hangs, forbidden, notFound, wrongAnswer} {
		t.Run(fmt.Sprint(before), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &metadataService{mode: before}
				m, logs := started(t, s, func(c *Config) { c.Attributes = map[string]string{names.K8sClusterName: "tv", "empty": ""} })
				time.Sleep(time.Minute)
				require.Empty(t, cmp.Diff(map[string]any{names.K8sClusterName: "tv"}, attributesOf(m)), "data passes with what is known")
				s.set(works)
				time.Sleep(lastPause + answerWithin)
				want := ec2()
				want[names.K8sClusterName] = "tv"
				require.Empty(t, cmp.Diff(want, attributesOf(m)))
				require.Equal(t, 1, logs.FilterLevelExact(zap.InfoLevel).Len())
			})
		})
	}
}

func TestWithoutAServiceOneLineSaysSoAndTheAskingEnds(t *testing.T) {
	for m, hint := range map[mode]string{absent: "", hopLimit: "HttpPutResponseHopLimit", hangs: "hop limit", forbidden: "HttpEndpoint", notFound: "", wrongAnswer: ""} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &metadataService{mode: m}
				on, logs := started(t, s, nil)
				time.Sleep(30 * time.Minute)
				require.Empty(t, attributesOf(on))
				info, warn := logs.FilterLevelExact(zap.InfoLevel), logs.FilterLevelExact(zap.WarnLevel)
				require.Equal(t, 1, info.Len())
				require.Contains(t, info.All()[0].Message, "not to be had here")
				require.LessOrEqual(t, info.All()[0].ContextMap()["asked_for"], 10*time.Minute)
				if hint == "" {
					require.Zero(t, warn.Len(), "off AWS it is no problem")
				} else {
					require.Equal(t, 1, warn.Len(), "said once")
					require.Contains(t, warn.All()[0].Message, hint)
				}
				s.set(works)
				time.Sleep(time.Hour)
				require.Empty(t, attributesOf(on), "given up")
			})
		})
	}
}

func TestWhatIsMissingIsLeftOutAndTheRestIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := started(t, &metadataService{missing: map[string]bool{"meta-data/hostname": true}}, func(c *Config) {
			c.Exclude = []string{names.HostImageID, "unknown"}
		})
		synctest.Wait()
		want := ec2()
		delete(want, names.HostName)
		delete(want, names.HostImageID)
		require.Empty(t, cmp.Diff(want, attributesOf(m)))
	})
}

func TestTheEnvironmentTurnsTheAskingOff(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	synctest.Test(t, func(t *testing.T) {
		s := &metadataService{}
		m, logs := started(t, s, nil)
		synctest.Wait()
		require.Empty(t, attributesOf(m))
		require.Zero(t, s.tokens)
		require.Equal(t, 1, logs.FilterMessageSnippet("not to be had").Len())
	})
}

func TestShutdownDoesNotWaitForAServiceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := started(t, &metadataService{mode: hangs}, nil)
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, m.Shutdown(t.Context()))
		require.Zero(t, time.Since(begun))
		require.NoError(t, m.Shutdown(t.Context()), "twice")
	})
}

// serviceAccount writes a token with an issuer; its signature is nobody's.
func serviceAccount(t *testing.T, issuer string) string {
	path := filepath.Join(t.TempDir(), "token")
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":%q,"sub":"system:serviceaccount:vigie:agent"}`, issuer))
	require.NoError(t, os.WriteFile(path, []byte("e30."+payload+".c2ln\n"), 0o600))
	return path
}

func TestEKSIsKnownByTheServiceAccountsIssuerBeforeAnyAnswer(t *testing.T) {
	path := serviceAccount(t, "https://oidc.eks.eu-west-3.amazonaws.com/id/ABC")
	synctest.Test(t, func(t *testing.T) {
		s := &metadataService{mode: hopLimit}
		m, _ := started(t, s, func(c *Config) { c.ServiceAccount = path })
		eks := map[string]any{names.CloudProvider: "aws", names.CloudPlatform: eksPlatform, names.CloudRegion: "eu-west-3"}
		require.Empty(t, cmp.Diff(eks, attributesOf(m)))
		s.set(works)
		time.Sleep(time.Minute)
		want := ec2()
		want[names.CloudPlatform] = eksPlatform
		require.Empty(t, cmp.Diff(want, attributesOf(m)))
	})
}

func TestIssuersOfOtherClustersAreNotEKS(t *testing.T) {
	for issuer, region := range map[string]string{
		"https://oidc.eks.us-east-1.amazonaws.com/id/A":        "us-east-1",
		"https://oidc.eks.cn-north-1.amazonaws.com.cn/id/A":    "cn-north-1",
		"https://oidc-eks.eu-west-3.api.aws/id/A":              "eu-west-3",
		"https://kubernetes.default.svc":                       "",
		"https://oidc.eks.evil.example.com/id/A":               "",
		"https://oidc.eks.a.b.amazonaws.com/id/A":              "",
		"http://oidc.eks.us-east-1.amazonaws.com/id/A":         "",
		"https://container.googleapis.com/v1/projects/x":       "",
		"https://oidc.eks..amazonaws.com/id/A":                 "",
		"https://oidc-eks.api.aws/id/A":                        "",
		"https://eastus.oic.prod-aks.azure.com/00000000/11111": "",
	} {
		raw, err := os.ReadFile(serviceAccount(t, issuer))
		require.NoError(t, err)
		got, ok := eksRegion(raw)
		require.Equal(t, region != "", ok, issuer)
		if ok {
			require.Equal(t, region, got, issuer)
		}
	}
	for _, junk := range []string{"", "a.b", "a.b.c", "a.e30.c", "..", "a.!!.c"} {
		_, ok := eksRegion([]byte(junk))
		require.False(t, ok, junk)
	}
}

func FuzzToken(f *testing.F) {
	f.Add([]byte("e30.eyJpc3MiOiJodHRwczovL29pZGMuZWtzLnVzLWVhc3QtMS5hbWF6b25hd3MuY29tL2lkL0EifQ.c2ln"))
	f.Fuzz(func(t *testing.T, token []byte) {
		if region, ok := eksRegion(token); ok && (region == "" || strings.Contains(region, ".")) {
			t.Errorf("EKS in the region %q", region)
		}
	})
}

func TestAResourceKeepsWhatItSaysUnlessToldOtherwise(t *testing.T) {
	attrs := func() pcommon.Map {
		m := pcommon.NewMap()
		require.NoError(t, m.FromRaw(map[string]any{"cloud.region": "us-east-1", "host.name": "", "host.id": nil, "host.type": 7}))
		return m
	}
	for override, want := range map[bool]map[string]any{
		false: {"cloud.region": "us-east-1", "host.name": "a", "host.id": "b", "host.type": int64(7), "x": "y"},
		true:  {"cloud.region": "eu-west-3", "host.name": "a", "host.id": "b", "host.type": "c", "x": "y"},
	} {
		cfg := defaultConfig()
		cfg.Override = override
		cfg.Attributes = map[string]string{"cloud.region": "eu-west-3", "host.name": "a", "host.id": "b", "host.type": "c", "x": "y", "k8s.node.name": ""}
		got := attrs()
		newMachine(cfg, zap.NewNop(), nil).put(got)
		require.Empty(t, cmp.Diff(want, got.AsRaw()))
	}
}

// With the SDK's own client over pipes: its time-outs, by a clock that no slow
// machine moves, and how its errors are told apart.
func TestWhyAServiceDoesNotAnswerIsToldApart(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // must not be used
	for m, want := range map[mode]reason{hopLimit: silent, hangs: silent, forbidden: refused, notFound: unexpected, wrongAnswer: unexpected} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, dialed := piped(t, &metadataService{mode: m})
				begun := time.Now()
				_, err := in.read(t.Context(), true)
				require.Equal(t, want, reasonOf(err), "%v", err)
				require.Less(t, time.Since(begun), answerWithin)
				require.Equal(t, []string{"169.254.169.254:80"}, slices.Compact(dialed()))
			})
		})
	}
}

func TestAServiceIsAskedOverARealNetwork(t *testing.T) {
	server := httptest.NewServer(&metadataService{tags: map[string]string{"eks:cluster-name": "tv"}})
	defer server.Close()
	var found map[string]string
	err := errors.New("not asked")
	for end := time.Now().Add(30 * time.Second); err != nil && time.Now().Before(end); { // an answer may be late once
		found, err = newService(IMDSConfig{Endpoint: server.URL}).read(t.Context(), true)
	}
	require.NoError(t, err)
	require.Equal(t, "tv", found[names.K8sClusterName])

	_, err = newService(IMDSConfig{Endpoint: "http://" + ports.Address(t)}).read(t.Context(), true)
	require.Equal(t, unreachable, reasonOf(err), "%v", err)
}

// piped is the service that newService makes, whose connections are pipes to s. It
// is for a test with a clock of its own.
func piped(t *testing.T, s http.Handler) (in *instance, dialed func() []string) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		<-served
	})
	var mu sync.Mutex
	var addresses []string
	in = newService(IMDSConfig{Endpoint: "http://169.254.169.254"}).(*instance)
	in.heard.next = in.heard.next.(*awshttp.BuildableClient).WithTransportOptions(func(tr *http.Transport) {
		tr.DisableKeepAlives = true // no goroutine is left behind
		tr.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
			mu.Lock()
			addresses = append(addresses, address)
			mu.Unlock()
			here, there := net.Pipe()
			select {
			case l.conns <- there:
				return here, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	})
	return in, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(addresses)
	}
}

// pipes is a listener for the ends of pipes.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestPipelinesOfOneIDAskOnceAndEachSignalIsDescribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &metadataService{}
		f := newFactory(func(c IMDSConfig) service { return newInstance(c, s) })
		set, cfg := processortest.NewNopSettings(metadata.Type), f.CreateDefaultConfig()
		cfg.(*Config).ServiceAccount = ""
		ts, ms, ls := new(consumertest.TracesSink), new(consumertest.MetricsSink), new(consumertest.LogsSink)
		tp, err := f.CreateTraces(t.Context(), set, cfg, ts)
		require.NoError(t, err)
		mp, err := f.CreateMetrics(t.Context(), set, cfg, ms)
		require.NoError(t, err)
		lp, err := f.CreateLogs(t.Context(), set, cfg, ls)
		require.NoError(t, err)
		for _, c := range []component.Component{tp, mp, lp} {
			require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		}
		synctest.Wait()
		require.NoError(t, tp.ConsumeTraces(t.Context(), testdata.GenerateTraces(1)))
		require.NoError(t, mp.ConsumeMetrics(t.Context(), testdata.GenerateMetrics(1)))
		require.NoError(t, lp.ConsumeLogs(t.Context(), testdata.GenerateLogs(1)))
		for _, attrs := range []pcommon.Map{
			ts.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes(),
			ms.AllMetrics()[0].ResourceMetrics().At(0).Resource().Attributes(),
			ls.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes(),
		} {
			v, ok := attrs.Get(names.HostID)
			require.True(t, ok)
			require.Equal(t, "i-0123456789abcdef0", v.Str())
		}
		require.Equal(t, 1, s.tokens)
		for _, c := range []component.Component{tp, mp, lp} {
			require.NoError(t, c.Shutdown(t.Context()))
		}
	})
}

func TestAConfigurationThatCannotWorkIsRefusedWithAllThatIsWrong(t *testing.T) {
	c := &Config{
		Attributes: map[string]string{"": "x"}, Exclude: []string{""},
		IMDS: IMDSConfig{Endpoint: "169.254.169.254", GiveUpAfter: -1},
	}
	err := c.Validate()
	require.Error(t, err)
	for _, key := range []string{"attributes", "exclude", "imds::endpoint", "imds::give_up_after"} {
		require.Contains(t, err.Error(), key)
	}
}

func BenchmarkPut(b *testing.B) {
	cfg := defaultConfig()
	cfg.Attributes = map[string]string{}
	for key, value := range ec2() {
		cfg.Attributes[key] = value.(string)
	}
	m := newMachine(cfg, zap.NewNop(), nil)
	attrs := pcommon.NewMap()
	for i := range 10 {
		attrs.PutStr(fmt.Sprint("k8s.something.", i), "value")
	}
	m.put(attrs)
	b.ReportAllocs()
	for b.Loop() {
		m.put(attrs) // a resource that has them all
	}
}
