package gather

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ready"
)

// subnet is what EC2 says of one.
type subnet struct {
	ID   string `xml:"subnetId"`
	VPC  string `xml:"vpcId"`
	Zone string `xml:"availabilityZone"`
	CIDR string `xml:"cidrBlock"`
	Free int64  `xml:"availableIpAddressCount"`
}

// eniConfig is crd.k8s.amazonaws.com/v1alpha1: the subnet of pods in a zone.
type eniConfig struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Subnet string `json:"subnet"`
	} `json:"spec"`
}

// nodeClass is karpenter.k8s.aws/v1: the subnets of new nodes.
type nodeClass struct {
	metav1.ObjectMeta `json:"metadata"`
	Status            struct {
		Subnets []struct {
			ID string `json:"id"`
		} `json:"subnets"`
	} `json:"status"`
}

// Subnets fills in the subnets that pods get addresses of: the cluster tells which,
// EC2 how many are free. Without the VPC CNI it does nothing.
func Subnets(ctx context.Context, api *API, c *ready.Cluster, resolve func(context.Context) (aws.Config, error)) {
	if !c.CNI.Found || c.CNI.IPv6 {
		return
	}
	r := &reading{api: api, gaps: c.Gaps}
	from := map[string]string{}
	if c.CNI.Custom {
		r.read(ctx, ready.SourceENIConfigs, func(ctx context.Context) error {
			return ignore404(list(ctx, api, "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs", func() { clear(from) }, func(e *eniConfig) {
				from[e.Spec.Subnet] = "ENIConfig " + e.Name
			}))
		})
	}
	if len(from) == 0 && c.Karpenter {
		r.read(ctx, ready.SourceNodeClasses, func(ctx context.Context) error {
			return ignore404(list(ctx, api, "/apis/karpenter.k8s.aws/v1/ec2nodeclasses", func() { clear(from) }, func(n *nodeClass) {
				for _, s := range n.Status.Subnets {
					from[s.ID] = "EC2NodeClass " + n.Name
				}
			}))
		})
	}
	gap := func(why, do string) { c.Gaps[ready.SourceSubnets] = ready.Gap{Why: why, Do: do} }
	for _, s := range []ready.Source{ready.SourceENIConfigs, ready.SourceNodeClasses} {
		if g, ok := c.Gaps[s]; ok {
			gap(g.Why, g.Do)
			return
		}
	}
	if resolve == nil {
		gap("AWS is not asked for the subnets' free addresses (--no-aws)", "leave --no-aws out, with credentials that may ec2:DescribeSubnets")
		return
	}
	conf, err := resolve(ctx)
	if err != nil {
		gap("the subnets' free addresses are unknown without AWS credentials", "give credentials that may ec2:DescribeSubnets: IRSA, Pod Identity, a profile")
		return
	}
	all, err := describeSubnets(ctx, conf)
	if err != nil {
		do := "look at the AWS Health Dashboard, or at the VPC console"
		if awsclient.KindOf(err) == awsclient.Denied {
			do = "allow ec2:DescribeSubnets to the role in use"
		}
		gap(fmt.Sprintf("ec2:DescribeSubnets: %v", err), do)
		return
	}
	if c.Subnets, err = choose(all, from, c.Nodes); err != nil {
		gap(err.Error(), "look at the subnets' free addresses in the VPC console")
	}
}

func ignore404(err error) error {
	if is(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// choose takes the subnets that the cluster names, else those that hold its nodes'
// addresses. Two VPCs may have the same ranges: then nobody can tell.
func choose(all []subnet, from map[string]string, nodes []ready.Node) (out []ready.Subnet, err error) {
	if len(from) > 0 {
		for _, s := range all {
			if how, ok := from[s.ID]; ok {
				out = append(out, ready.Subnet{ID: s.ID, Zone: s.Zone, CIDR: s.CIDR, Free: s.Free, From: how})
			}
		}
		if len(out) < len(from) {
			return nil, fmt.Errorf("%d of %d subnets that the cluster names are not in the account and region that AWS was asked of", len(from)-len(out), len(from))
		}
		return out, nil
	}
	vpcs := map[string]bool{}
	for _, s := range all {
		ranges, err := netip.ParsePrefix(s.CIDR)
		if err == nil && slices.ContainsFunc(nodes, func(n ready.Node) bool { return ranges.Contains(n.Address) }) {
			vpcs[s.VPC] = true
			out = append(out, ready.Subnet{ID: s.ID, Zone: s.Zone, CIDR: s.CIDR, Free: s.Free, From: "node addresses"})
		}
	}
	if len(vpcs) > 1 {
		return nil, fmt.Errorf("subnets of %d VPCs hold the nodes' addresses: which are the cluster's is not seen", len(vpcs))
	}
	return out, nil
}

// maxSubnetPages bounds what is read: 20,000 subnets.
const maxSubnetPages = 20

// describeSubnets speaks EC2's query protocol itself: the SDK's client of EC2 adds
// 20 MB to the binary, for one call that has read two fields.
func describeSubnets(ctx context.Context, conf aws.Config) (out []subnet, err error) {
	endpoint := "https://ec2." + conf.Region + ".amazonaws.com"
	if strings.HasPrefix(conf.Region, "cn-") {
		endpoint += ".cn"
	}
	if conf.BaseEndpoint != nil {
		endpoint = *conf.BaseEndpoint
	}
	form := url.Values{"Action": {"DescribeSubnets"}, "Version": {"2016-11-15"}, "MaxResults": {"1000"}}
	for range maxSubnetPages {
		raw, err := query(ctx, conf, endpoint, form.Encode())
		if err != nil {
			return nil, err
		}
		var page struct {
			Items []subnet `xml:"subnetSet>item"`
			Next  string   `xml:"nextToken"`
		}
		if err := xml.Unmarshal(raw, &page); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		out = append(out, page.Items...)
		if page.Next == "" {
			return out, nil
		}
		form.Set("NextToken", page.Next)
	}
	return nil, fmt.Errorf("more than %d pages", maxSubnetPages)
}

func query(ctx context.Context, conf aws.Config, endpoint, form string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	creds, err := conf.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256([]byte(form))
	if err := v4.NewSigner().SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), "ec2", conf.Region, time.Now()); err != nil {
		return nil, err
	}
	var client aws.HTTPClient = http.DefaultClient
	if conf.HTTPClient != nil { // knows the CA bundle and the proxy
		client = conf.HTTPClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil || res.StatusCode == http.StatusOK {
		return raw, err
	}
	var said struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	if xml.Unmarshal(raw, &said) != nil || said.Code == "" {
		return nil, errors.New(res.Status)
	}
	return nil, &smithy.GenericAPIError{Code: cut(finding.Clean(said.Code), 100), Message: cut(finding.Clean(said.Message), 300)}
}
