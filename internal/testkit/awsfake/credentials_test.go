package awsfake

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

// identity loads the SDK's own chain in an environment and asks who that is.
func identity(t *testing.T, env []string, options ...func(*awsconfig.LoadOptions) error) (string, error) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED"} {
		t.Setenv(name, "")
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	options = append(options, awsconfig.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
	c, err := awsconfig.LoadDefaultConfig(t.Context(), options...)
	require.NoError(t, err)
	out, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	if *out.Account != Account {
		t.Errorf("account %s", *out.Account)
	}
	// What signs for one service signs for another.
	_, err = cloudwatchlogs.NewFromConfig(c).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	require.NoError(t, err)
	return *out.Arn, nil
}

func TestEachWayToCredentialsWorksForTheRealSDK(t *testing.T) {
	s := Start(t, Options{})
	irsa, err := s.IRSAEnv(t.TempDir())
	require.NoError(t, err)
	pod, err := s.PodIdentityEnv(t.TempDir())
	require.NoError(t, err)
	for what, c := range map[string]struct {
		env  []string
		want string
	}{
		"environment":  {s.Env(), "arn:aws:sts::123456789012:assumed-role/vigie/test"},
		"IRSA":         {irsa, "arn:aws:sts::123456789012:assumed-role/irsa/pod"},
		"Pod Identity": {pod, "arn:aws:sts::123456789012:assumed-role/pod/eks-fake"},
		"IMDSv2":       {s.EnvWithoutCredentials(), "arn:aws:sts::123456789012:assumed-role/node/" + InstanceID},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := identity(t, c.env)
			require.NoError(t, err)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestARoleIsAssumedWithItsExternalIDOnly(t *testing.T) {
	s := Start(t, Options{ExternalID: "match-2026"})
	assume := func(id string) error {
		client := sts.NewFromConfig(config(s))
		provider := stscreds.NewAssumeRoleProvider(client, "arn:aws:iam::999999999999:role/observability", func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "vigie"
			if id != "" {
				o.ExternalID = &id
			}
		})
		c := config(s)
		c.Credentials = provider
		out, err := sts.NewFromConfig(c).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
		if err == nil && *out.Arn != "arn:aws:sts::999999999999:assumed-role/observability/vigie" {
			t.Errorf("%s", *out.Arn)
		}
		return err
	}
	if err := assume("match-2026"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "other"} {
		if err := assume(id); err == nil || code(t, err) != "AccessDenied" {
			t.Errorf("external id %q: %v", id, err)
		}
	}
	s.Allow("logs:PutLogEvents")
	if err := assume("match-2026"); err == nil || !strings.Contains(err.Error(), "sts:AssumeRole") {
		t.Errorf("without the permission: %v", err)
	}
}

func TestTheMetadataServiceWantsATokenAndKnowsItsMachine(t *testing.T) {
	s := Start(t, Options{Region: "eu-south-2"})
	for path, want := range map[string]int{
		"/latest/meta-data/instance-type": http.StatusUnauthorized,
		"/latest/api/token":               http.StatusBadRequest,
	} {
		res, err := http.Get(s.MetadataURL + path)
		require.NoError(t, err)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
	client := imds.New(imds.Options{Endpoint: s.MetadataURL})
	document, err := client.GetInstanceIdentityDocument(t.Context(), &imds.GetInstanceIdentityDocumentInput{})
	require.NoError(t, err)
	region, err := client.GetRegion(t.Context(), &imds.GetRegionInput{})
	require.NoError(t, err)
	if document.InstanceType != InstanceType || document.AccountID != Account || region.Region != "eu-south-2" {
		t.Errorf("%+v %+v", document.InstanceIdentityDocument, region)
	}
	_, err = client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "nosuch"})
	if err == nil {
		t.Error("a path that does not exist has a value")
	}
}
