package gather

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/httpaccess"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/ready"
)

// feeder writes OpenTelemetry metrics into a store of its own, as a gateway does.
type feeder struct {
	t     *testing.T
	store *promstore.Store
	url   string
}

func gateway(t *testing.T) *feeder {
	t.Helper()
	s, err := promstore.Open(promstore.Config{Dir: t.TempDir(), Retention: 60 * 24 * time.Hour}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &feeder{t, s, server.URL}
}

// series writes one series, a sample each 15 s, of the time that ends at end.
func (f *feeder) series(name, unit string, counter bool, attrs map[string]string, host string, length time.Duration, end time.Time, value func(s float64) float64) {
	f.t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "host")
	rm.Resource().Attributes().PutStr("service.instance.id", host)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(counter)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for s := 0.0; s <= length.Seconds(); s += 15 {
		p := sum.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(end.Add(time.Duration(s-length.Seconds()) * time.Second)))
		p.SetDoubleValue(value(s))
		for k, v := range attrs {
			p.Attributes().PutStr(k, v)
		}
	}
	dropped, err := f.store.AppendMetrics(f.t.Context(), md)
	require.NoError(f.t, err)
	require.Zero(f.t, dropped)
}

func (f *feeder) requests(service string, rate float64, length time.Duration, end time.Time) {
	f.series(names.TrafficRequests, "{request}", true, map[string]string{names.ServiceName: service}, "gateway", length, end, func(s float64) float64 { return rate * s })
}

func (f *feeder) ask(text string, at time.Time) ready.Metrics {
	f.t.Helper()
	c, problems, err := calendar.Parse([]byte(text))
	require.NoError(f.t, err)
	require.Empty(f.t, problems)
	p, err := NewPrometheus(PrometheusAccess{URL: f.url})
	require.NoError(f.t, err)
	events := c.Events()
	return Metrics(f.t.Context(), p, p.Host(), c, &events[len(events)-1], at)
}

// tonight is an event five hours after at.
var (
	now     = time.Now().Truncate(time.Minute).UTC()
	tonight = "events: [{name: Final, kick_off: " + now.Add(5*time.Hour).Format(time.RFC3339) + "}]"
)

func TestWhatOpenTelemetryCallsItIsWhatIsRead(t *testing.T) {
	f := gateway(t)
	// The event is over at +6:52; a week before, its last hour had a peak.
	over := now.Add(6*time.Hour + 52*time.Minute)
	f.requests("signin", 40, 30*time.Minute, over.Add(-7*24*time.Hour-10*time.Minute))
	f.requests("signin", 12, 20*time.Minute, now)
	f.requests("shop", 3, 20*time.Minute, now)
	for _, node := range []string{"a", "b"} {
		f.series(names.ConntrackUsage, "{entry}", false, nil, node, 20*time.Minute, now, func(s float64) float64 {
			if s == 900 { // 5 min ago
				return 5000
			}
			return 1000
		})
		f.series(names.ConntrackLimit, "{entry}", false, nil, node, 20*time.Minute, now, func(float64) float64 { return 262_144 })
		f.series(names.ConntrackPacketDropped, "{packet}", true, nil, node, 20*time.Minute, now, func(float64) float64 { return 7 })
	}
	f.series(names.ConntrackEarlyDropped, "{entry}", true, nil, "b", 20*time.Minute, now, func(s float64) float64 { return 2 * s })
	eth := map[string]string{names.NetworkInterfaceName: "eth0"}
	f.series(names.ENAConntrackAvailable, "{connection}", false, eth, "a", 20*time.Minute, now, func(s float64) float64 { return 90_000 - s })
	f.series(names.ENAAllowanceExceeded, "{packet}", true, map[string]string{names.NetworkInterfaceName: "eth0", names.ENAAllowance: "conntrack"}, "a", 20*time.Minute, now, func(float64) float64 { return 0 })

	m := f.ask(tonight, now)
	require.Nil(t, m.Gap)
	require.Empty(t, m.Errors)
	require.Len(t, m.Rates, 2)
	require.InDelta(t, 12, *m.Rates["signin"].Now, 0.2)
	require.InDelta(t, 40, *m.Rates["signin"].Usual, 0.5)
	require.Equal(t, over.Add(-7*24*time.Hour), m.Rates["signin"].UsualAt)
	require.Nil(t, m.Rates["shop"].Usual, "nothing is known of it a week ago")
	require.Len(t, m.Tables, 2)
	require.Equal(t, ready.Table{Node: "a", Used: 5000, Limit: 262_144}, m.Tables[0], "the highest of 15 minutes")
	require.InDelta(t, 2, m.Tables[1].Dropped, 0.1, "early_drop counts as well")
	require.Len(t, m.ENA, 1)
	require.Equal(t, "conntrack", m.ENA[0].Name)
	require.InDelta(t, 88_800, *m.ENA[0].Left, 1)
	require.Nil(t, m.DNSP99)
}

func TestAnotherEventsHourIsNotAUsualOne(t *testing.T) {
	f := gateway(t)
	over := now.Add(6*time.Hour + 52*time.Minute)
	f.requests("signin", 9, 30*time.Minute, over.Add(-14*24*time.Hour))
	f.requests("signin", 40, 30*time.Minute, over.Add(-7*24*time.Hour))
	last := now.Add(5*time.Hour - 7*24*time.Hour).Format(time.RFC3339)
	m := f.ask("events: [{name: Semi-final, kick_off: "+last+"}, {name: Final, kick_off: "+now.Add(5*time.Hour).Format(time.RFC3339)+"}]", now)
	require.InDelta(t, 9, *m.Rates["signin"].Usual, 0.5)
	require.Nil(t, m.Rates["signin"].Now)
}

func TestADayBeforeIsTakenWhereNoWeekIsKept(t *testing.T) {
	f := gateway(t)
	over := now.Add(6*time.Hour + 52*time.Minute)
	f.requests("signin", 21, 30*time.Minute, over.Add(-24*time.Hour))
	m := f.ask(tonight, now)
	require.InDelta(t, 21, *m.Rates["signin"].Usual, 0.5)
	require.Equal(t, over.Add(-24*time.Hour), m.Rates["signin"].UsualAt)

	later := "events: [{name: Final, kick_off: " + now.Add(5*time.Hour+20*24*time.Hour).Format(time.RFC3339) + "}]"
	m = f.ask(later, now)
	require.InDelta(t, 21, *m.Rates["signin"].Usual, 0.5, "the same hour of yesterday, for an event in three weeks")
}

func TestASpansCountIsTakenWhereThereAreNoLogs(t *testing.T) {
	f := gateway(t)
	f.series("traces.span.metrics.calls", "", true, map[string]string{"service.name": "api", "span.kind": "SPAN_KIND_SERVER"}, "g", 20*time.Minute, now, func(s float64) float64 { return 5 * s })
	f.series("traces.span.metrics.calls", "", true, map[string]string{"service.name": "api", "span.kind": "SPAN_KIND_CLIENT"}, "g", 20*time.Minute, now, func(s float64) float64 { return 50 * s })
	m := f.ask(tonight, now)
	require.InDelta(t, 5, *m.Rates["api"].Now, 0.1)
	require.Contains(t, m.Rates["api"].Metric, "traces.span.metrics.calls")
}

// A service that had access logs a week ago and has spans now, and one the other
// way round: what they count is not the same requests.
func TestNowAndUsualAreOfTheSameMetric(t *testing.T) {
	f := gateway(t)
	before := now.Add(6*time.Hour + 42*time.Minute - 7*24*time.Hour) // ten minutes before the event's end, a week ago
	spans := func(service string, rate float64, length time.Duration, end time.Time) {
		f.series("traces.span.metrics.calls", "", true, map[string]string{"service.name": service, "span.kind": "SPAN_KIND_SERVER"}, "g", length, end, func(s float64) float64 { return rate * s })
	}
	f.requests("newer", 40, 30*time.Minute, before)
	spans("older", 90, 30*time.Minute, before)
	spans("newer", 5, 20*time.Minute, now)
	f.requests("older", 7, 20*time.Minute, now)
	m := f.ask(tonight, now)
	for service, rate := range map[string]float64{"newer": 5, "older": 7} {
		require.InDelta(t, rate, *m.Rates[service].Now, 0.2, service)
		require.Nil(t, m.Rates[service].Usual, service)
	}
}

func TestTheCPUOfAWorkloadIsThatOfItsOwnPods(t *testing.T) {
	f := gateway(t)
	f.requests("cart", 5, 20*time.Minute, now)
	use := func(pod, container string, cores float64) {
		f.series("container_cpu_usage_seconds", "", true, map[string]string{"namespace": "shop", "pod": pod, "container": container}, pod, 20*time.Minute, now, func(s float64) float64 { return cores * s })
	}
	use("cart-0", "app", 0.25)
	use("cart-1", "app", 0.5)
	use("cart-1", "", 0.5) // the pod's own group
	use("cart-worker-7d9f-x2b4c", "app", 8)
	use("api-7d9f-x2b4c", "app", 1)
	m := f.ask(tonight, now)
	p, err := NewPrometheus(PrometheusAccess{URL: f.url})
	require.NoError(t, err)
	CPU(t.Context(), p, &m, []ready.Workload{
		{Kind: "StatefulSet", Namespace: "shop", Name: "cart", Services: []string{"cart"}},
		{Kind: "Deployment", Namespace: "shop", Name: "api", Services: []string{"api"}},
		{Kind: "Deployment", Namespace: "shop", Name: "scaled", Services: []string{"cart"}, HPA: &ready.HPA{}},
	})
	require.Empty(t, m.Errors)
	require.Len(t, m.CPU, 1, "nothing is asked of what has no measured requests, or an autoscaler")
	require.InDelta(t, 0.75, m.CPU["shop/cart"], 0.01)
}

func TestAPrometheusThatIsAwayOrNoneIsAGap(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\x1b[31mlog in")) }))
	t.Cleanup(page.Close)
	c, _, err := calendar.Parse([]byte(tonight))
	require.NoError(t, err)
	for url, want := range map[string]string{"http://127.0.0.1:1": "127.0.0.1:1", page.URL: "not as a Prometheus"} {
		p, err := NewPrometheus(PrometheusAccess{URL: url})
		require.NoError(t, err)
		m := Metrics(t.Context(), p, p.Host(), c, &c.Events()[0], now)
		require.NotNil(t, m.Gap)
		require.Contains(t, m.Gap.Why, want)
		require.NotContains(t, m.Gap.Why, "\x1b")
	}
}

func TestATokenStaysOnTheMachineOrBehindTLS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("secret\n"), 0o600))
	_, err := NewPrometheus(PrometheusAccess{URL: "http://prometheus.example:9090", As: httpaccess.Access{TokenFile: file}})
	require.ErrorContains(t, err, "in the clear")
	_, err = NewPrometheus(PrometheusAccess{URL: "http://u:p@127.0.0.1:9090"})
	require.ErrorContains(t, err, "must not hold a password")
	_, err = NewPrometheus(PrometheusAccess{URL: "127.0.0.1:9090"})
	require.ErrorContains(t, err, "want an address")
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	t.Cleanup(s.Close)
	p, err := NewPrometheus(PrometheusAccess{URL: s.URL, As: httpaccess.Access{TokenFile: file}})
	require.NoError(t, err)
	_, _ = p.Query(t.Context(), "up", now)
	require.Equal(t, "Bearer secret", got)
}

func TestAmazonManagedPrometheusIsAskedWithASignature(t *testing.T) {
	region, ok := managedRegion("aps-workspaces.eu-west-3.amazonaws.com")
	require.True(t, ok)
	require.Equal(t, "eu-west-3", region)
	_, ok = managedRegion("aps-workspaces.eu-west-3.example.com")
	require.False(t, ok)
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	}))
	t.Cleanup(s.Close)
	p, err := NewPrometheus(PrometheusAccess{URL: s.URL + "/workspaces/ws-1"})
	require.NoError(t, err)
	p.sign = signer("eu-west-3", keys)
	_, err = p.Query(t.Context(), "sum(up) + 1", now)
	require.NoError(t, err)
	require.Equal(t, "/workspaces/ws-1/api/v1/query", got.URL.Path)
	require.Equal(t, "GET", got.Method)
	require.Contains(t, got.Header.Get("Authorization"), "/eu-west-3/aps/aws4_request")
}

// keys are credentials that belong to nobody.
func keys(context.Context) (aws.Config, error) {
	return aws.Config{Region: "eu-west-3", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "none", "")}, nil
}

const describeAnswer = `<?xml version="1.0"?><DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><subnetSet>%s</subnetSet>%s</DescribeSubnetsResponse>`

func item(id, vpc, cidr, free string) string {
	return "<item><subnetId>" + id + "</subnetId><vpcId>" + vpc + "</vpcId><availabilityZone>eu-west-3a</availabilityZone><cidrBlock>" + cidr +
		"</cidrBlock><availableIpAddressCount>" + free + "</availableIpAddressCount></item>"
}

// ec2 answers DescribeSubnets in two pages and keeps what it was asked.
func ec2(t *testing.T, first, second string) (func(context.Context) (aws.Config, error), *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = append(asked, r.PostForm.Get("Action")+" "+r.Header.Get("Authorization"))
		body := strings.Replace(strings.Replace(describeAnswer, "%s", first, 1), "%s", "<nextToken>more</nextToken>", 1)
		if r.PostForm.Get("NextToken") == "more" {
			body = strings.ReplaceAll(strings.Replace(describeAnswer, "%s", second, 1), "%s", "")
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return func(ctx context.Context) (aws.Config, error) {
		c, err := keys(ctx)
		c.BaseEndpoint = aws.String(s.URL)
		return c, err
	}, &asked
}

func TestSubnetsOfTheNodeClassAreAskedOfEC2(t *testing.T) {
	s := match(t)
	api := client(t, s)
	c := read(t, s)
	resolve, asked := ec2(t, item("subnet-a", "vpc-1", "10.0.1.0/24", "120")+item("subnet-x", "vpc-2", "10.0.1.0/24", "9"), item("subnet-b", "vpc-1", "10.0.2.0/24", "7"))
	Subnets(t.Context(), api, &c, resolve)
	require.Empty(t, c.Gaps)
	require.Equal(t, []ready.Subnet{
		{ID: "subnet-a", Zone: "eu-west-3a", CIDR: "10.0.1.0/24", Free: 120, From: "EC2NodeClass default"},
		{ID: "subnet-b", Zone: "eu-west-3a", CIDR: "10.0.2.0/24", Free: 7, From: "EC2NodeClass default"},
	}, c.Subnets)
	require.Len(t, *asked, 2)
	for _, a := range *asked {
		require.True(t, strings.HasPrefix(a, "DescribeSubnets AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), a)
		require.Contains(t, a, "/eu-west-3/ec2/aws4_request")
	}
}

func TestSubnetsAreFoundByNodesAddressesWhereNothingNamesThem(t *testing.T) {
	s := match(t)
	api := client(t, s)
	s.Lists["/apis/karpenter.k8s.aws/v1/ec2nodeclasses"] = s.Lists["/none"]
	c := read(t, s)
	resolve, _ := ec2(t, item("subnet-a", "vpc-1", "10.0.0.0/16", "120"), item("subnet-z", "vpc-2", "192.168.0.0/16", "5"))
	Subnets(t.Context(), api, &c, resolve)
	require.Len(t, c.Subnets, 1)
	require.Equal(t, "node addresses", c.Subnets[0].From)

	c = read(t, s)
	resolve, _ = ec2(t, item("subnet-a", "vpc-1", "10.0.0.0/16", "120"), item("subnet-z", "vpc-2", "10.0.0.0/16", "5"))
	Subnets(t.Context(), api, &c, resolve)
	require.Empty(t, c.Subnets, "two VPCs with the same ranges: nobody can tell")
	require.Contains(t, c.Gaps[ready.SourceSubnets].Why, "2 VPCs")
}

func TestAWSThatDeniesOrIsAwayIsAGap(t *testing.T) {
	s := match(t)
	api := client(t, s)
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized</Message></Error></Errors></Response>`))
	}))
	t.Cleanup(denied.Close)
	for want, resolve := range map[string]func(context.Context) (aws.Config, error){
		"allow ec2:DescribeSubnets to the role in use": func(ctx context.Context) (aws.Config, error) {
			c, err := keys(ctx)
			c.BaseEndpoint = aws.String(denied.URL)
			return c, err
		},
		"give credentials":   func(context.Context) (aws.Config, error) { return aws.Config{}, errors.New("none") },
		"leave --no-aws out": nil,
		"look at the AWS Health": func(ctx context.Context) (aws.Config, error) {
			c, err := keys(ctx)
			c.BaseEndpoint = aws.String("http://127.0.0.1:1")
			return c, err
		},
	} {
		c := read(t, s)
		Subnets(t.Context(), api, &c, resolve)
		require.Contains(t, c.Gaps[ready.SourceSubnets].Do, want)
	}
}
