package checkcmd

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

// identity is one way to come by credentials, and what came of it.
type identity struct {
	settings awsclient.Settings // without an endpoint
	users    []string           // parts that use it

	clock *clock
	once  sync.Once
	done  chan struct{}
	cfg   aws.Config
	who   awsclient.Identity
	err   error // no credentials
	asked error // credentials, and STS did not say whose
}

// identities are shared by parts whose settings are the same.
type identities struct {
	clock *clock
	mu    sync.Mutex
	all   []*identity // guarded by mu: in the order of their first use
}

func (ids *identities) of(s awsclient.Settings, user string) *identity {
	s.Endpoint = ""
	ids.mu.Lock()
	defer ids.mu.Unlock()
	for _, id := range ids.all {
		if id.settings == s {
			id.users = append(id.users, user)
			return id
		}
	}
	id := &identity{settings: s, users: []string{user}, clock: ids.clock, done: make(chan struct{})}
	ids.all = append(ids.all, id)
	return id
}

// get resolves once; the first caller's time bounds it.
func (id *identity) get(ctx context.Context) (aws.Config, error) {
	id.once.Do(func() {
		defer close(id.done)
		if id.cfg, id.err = awsclient.Resolve(ctx, id.settings); id.err != nil {
			return
		}
		if b, ok := id.cfg.HTTPClient.(*awshttp.BuildableClient); ok {
			id.cfg.HTTPClient = &http.Client{Transport: timed{id.clock, b.GetTransport()}}
		}
		id.cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		id.who, id.asked = awsclient.WhoAmI(ctx, id.settings, id.cfg)
	})
	<-id.done
	return id.cfg, id.err
}

// name is whom a permission is to be granted to.
func (id *identity) name() string {
	select {
	case <-id.done:
		if id.who.ARN != "" {
			return roleOf(id.who.ARN)
		}
	default:
	}
	return "the role in use"
}

// roleOf turns a session's ARN into its role's, which is what policies name.
func roleOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return arn
	}
	session, ok := strings.CutPrefix(parts[5], "assumed-role/")
	if !ok {
		return arn
	}
	name, _, _ := strings.Cut(session, "/")
	return strings.Join([]string{parts[0], parts[1], "iam", "", parts[4], "role/" + name}, ":")
}

// sources are the SDK's names for where credentials come from, in words.
var sources = []struct{ name, words string }{ //nolint:gochecknoglobals // a constant table
	{"EnvConfigCredentials", "the environment"},
	{"SharedConfigCredentials", "a shared profile"},
	{"WebIdentityCredentials", "IRSA"},
	{"AssumeRoleProvider", "an assumed role"},
	{"CredentialsEndpointProvider", "EKS Pod Identity"},
	{"EC2RoleProvider", "the instance's profile"},
	{"SSOProvider", "IAM Identity Center"},
	{"ProcessProvider", "a process"},
}

func inWords(source string) string {
	for _, s := range sources {
		if strings.HasPrefix(source, s.name) {
			return s.words
		}
	}
	return source
}

func (id *identity) probe() probe {
	part := "aws credentials"
	if id.settings.RoleARN != "" {
		part += " " + id.settings.RoleARN[strings.LastIndexByte(id.settings.RoleARN, '/')+1:]
	}
	return probe{part, func(ctx context.Context) []Result {
		cfg, err := id.get(ctx)
		if err != nil {
			return one(noCredentials(err, id.users))
		}
		if id.asked != nil {
			return one(warn("let sts.amazonaws.com be reached, or set sts_endpoint", "from %s, in %s; whose they are STS does not say: %v", inWords(id.who.Source), cfg.Region, id.asked))
		}
		return one(ok("%s, account %s, in %s, from %s", id.who.ARN, id.who.Account, cfg.Region, inWords(id.who.Source)))
	}}
}

func noCredentials(err error, users []string) Result {
	text, fix := err.Error(), ""
	if missing, isMissing := errors.AsType[*awsclient.NotReadyError](err); isMissing {
		text, fix, _ = strings.Cut(missing.Hint, ": ")
		text += " for " + strings.Join(users, ", ")
		if missing.Err != nil {
			text += " (" + lastCause(missing.Err) + ")"
		}
	}
	return fail(fix, "%s", text)
}

// lastCause is the innermost error, where the SDK's chain of words says anything.
func lastCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// untried is the line of a part whose credentials are missing: one line says why,
// and it is not this one.
func untried() Result {
	return fail("see aws credentials above", "not tried: there are no AWS credentials")
}
