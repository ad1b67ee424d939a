package cloudmetadataprocessor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/vigie-otel/vigie/internal/names"
)

// answerWithin is how long one round of questions may take.
const answerWithin = 5 * time.Second

// longest is how much of an answer is read: tags of 50 × 256 bytes.
const longest = 16 << 10

// service is the metadata service. read returns what it could learn; an error
// says that there may be more later.
type service interface {
	read(ctx context.Context, clusterTag bool) (map[string]string, error)
}

// instance asks the machine's own metadata service, version 2.
type instance struct {
	client *imds.Client
	heard  *listener
}

func newService(cfg IMDSConfig) service {
	// A link-local service answers at once or not at all. HTTP_PROXY is not for it.
	return newInstance(cfg, awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Proxy, t.ResponseHeaderTimeout = nil, time.Second
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }))
}

// newInstance takes what sends the requests.
func newInstance(cfg IMDSConfig, over imds.HTTPClient) *instance {
	heard := &listener{next: over}
	return &instance{heard: heard, client: imds.New(imds.Options{
		Endpoint:       cfg.Endpoint,
		EnableFallback: aws.FalseTernary, // never version 1, which hands out data without a token
		HTTPClient:     heard,
		Retryer:        aws.NopRetryer{}, // the machine asks again
	})}
}

// listener remembers how the last request ended, which the SDK's error for a
// token that it did not get tells in words only. One goroutine asks, so nothing
// guards it.
type listener struct {
	next   imds.HTTPClient
	status int // 0 without an answer
	err    error
}

// Do sends the request.
func (l *listener) Do(r *http.Request) (*http.Response, error) {
	res, err := l.next.Do(r)
	l.status, l.err = 0, err
	if err == nil {
		l.status = res.StatusCode
	}
	return res, err
}

var errDisabled = errors.New("AWS_EC2_METADATA_DISABLED is true")

func (i *instance) read(ctx context.Context, clusterTag bool) (map[string]string, error) {
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return nil, &failure{disabled, errDisabled}
	}
	found, err := i.questions(ctx, clusterTag)
	if err != nil {
		return found, &failure{i.heard.why(), err}
	}
	return found, nil
}

func (i *instance) questions(ctx context.Context, clusterTag bool) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	doc, err := i.client.GetInstanceIdentityDocument(ctx, &imds.GetInstanceIdentityDocumentInput{})
	if err != nil {
		return nil, fmt.Errorf("read identity document: %w", err)
	}
	if doc.InstanceID == "" {
		return nil, errors.New("read identity document: it names no instance")
	}
	found := map[string]string{
		names.CloudProvider:         "aws",
		names.CloudPlatform:         ec2Platform,
		names.CloudRegion:           doc.Region,
		names.CloudAvailabilityZone: doc.AvailabilityZone,
		names.CloudAccountID:        doc.AccountID,
		names.HostID:                doc.InstanceID,
		names.HostType:              doc.InstanceType,
		names.HostImageID:           doc.ImageID,
	}
	if found[names.HostName], err = i.value(ctx, "hostname"); err != nil {
		return found, err
	}
	if clusterTag {
		cluster, eks, err := i.clusterOf(ctx)
		if err != nil {
			return found, err
		}
		found[names.K8sClusterName] = cluster
		if eks {
			found[names.CloudPlatform] = eksPlatform
		}
	}
	return found, nil
}

// clusterTags name the cluster: what EKS puts on the nodes of managed groups and
// of its own autoscaler.
var clusterTags = [...]string{"eks:cluster-name", "aws:eks:cluster-name"}

// clusterOf looks for the cluster's name in the instance's tags, "" without. eks:
// the tag is one that only EKS sets.
func (i *instance) clusterOf(ctx context.Context) (name string, eks bool, err error) {
	list, err := i.value(ctx, "tags/instance")
	if err != nil || list == "" {
		return "", false, err
	}
	has := map[string]bool{}
	for key := range strings.Lines(list) {
		has[strings.TrimSpace(key)] = true
	}
	for _, key := range clusterTags {
		if has[key] {
			name, err := i.value(ctx, "tags/instance/"+key)
			return name, err == nil && name != "", err
		}
	}
	// kubernetes.io/cluster/NAME: owned, on the nodes of any cluster on EC2.
	for key := range has {
		if name, ok := strings.CutPrefix(key, "kubernetes.io/cluster/"); ok {
			return name, false, nil
		}
	}
	return "", false, nil
}

// value reads one line of metadata; "" where there is none.
func (i *instance) value(ctx context.Context, path string) (string, error) {
	out, err := i.client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if err != nil && i.heard.status == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	defer out.Content.Close()
	b, err := io.ReadAll(io.LimitReader(out.Content, longest))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// reason is why the service does not answer.
type reason int

const (
	unreachable reason = iota // nothing there: not EC2, or Fargate
	silent                    // connected, and then nothing
	refused                   // 403
	unexpected                // anything else
	disabled                  // by the environment
)

func (r reason) String() string {
	return [...]string{"unreachable", "no answer", "refused", "unexpected answer", "AWS_EC2_METADATA_DISABLED"}[r]
}

// hint is what to do about it; "" where it may be as it should be.
func (r reason) hint() string {
	switch r {
	case silent:
		return "the service takes connections and does not answer. In a pod its hop limit must be 2 (HttpPutResponseHopLimit), or the pod in the host's network"
	case refused:
		return "the service refuses. It is turned off for this instance (HttpEndpoint), or a network policy answers in its place"
	}
	return ""
}

// failure is an error of the service with its reason.
type failure struct {
	why reason
	err error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// why tells how the last request failed.
func (l *listener) why() reason {
	if op, ok := errors.AsType[*net.OpError](l.err); ok && op.Op == "dial" {
		return unreachable
	}
	if t, ok := errors.AsType[net.Error](l.err); ok && t.Timeout() {
		return silent // context.DeadlineExceeded is one, too
	}
	if l.status == http.StatusForbidden {
		return refused
	}
	return unexpected
}

func reasonOf(err error) reason {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.why
	}
	return unexpected
}
