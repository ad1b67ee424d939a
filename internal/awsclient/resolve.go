package awsclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// ErrNoRegion is the cause of a NotReadyError when nothing names a region.
var ErrNoRegion = errors.New("no region")

// Identity is whose credentials they are.
type Identity struct {
	Account string // twelve digits
	ARN     string
	// Source is where the SDK found them, e.g. EnvConfigCredentials,
	// WebIdentityCredentials, CredentialsEndpointProvider, EC2RoleProvider.
	Source string
}

// Resolve asks the chain once: region, credentials, role. The answer's
// BaseEndpoint is Settings.Endpoint. It waits for the network, so it is for a
// goroutine of one's own or for a command; ctx bounds it. Errors are
// NotReadyErrors.
func Resolve(ctx context.Context, s Settings) (aws.Config, error) {
	cfg, err := load(ctx, s, s.Region)
	if err != nil {
		return aws.Config{}, notReady(fmt.Errorf("read AWS settings: %w", err))
	}
	if cfg.Region == "" {
		region, err := metadataRegion(ctx, cfg)
		if err != nil {
			return aws.Config{}, notReady(fmt.Errorf("%w: instance metadata: %w", ErrNoRegion, err))
		}
		// Again, since providers that ask STS take the region when they are made.
		if cfg, err = load(ctx, s, region); err != nil {
			return aws.Config{}, notReady(fmt.Errorf("read AWS settings: %w", err))
		}
	}
	if s.RoleARN != "" {
		cfg.Credentials = assume(cfg, s)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, notReady(err)
	}
	if s.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(s.Endpoint)
	}
	return cfg, nil
}

// WhoAmI asks STS whose credentials cfg has. It needs no permission.
func WhoAmI(ctx context.Context, s Settings, cfg aws.Config) (Identity, error) {
	held, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return Identity{}, notReady(err)
	}
	id := Identity{Account: held.AccountID, Source: held.Source}
	out, err := stsClient(cfg, s).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return id, fmt.Errorf("ask STS whose credentials they are: %w", err)
	}
	id.Account, id.ARN = aws.ToString(out.Account), aws.ToString(out.Arn)
	return id, nil
}

func load(ctx context.Context, s Settings, region string) (aws.Config, error) {
	// The SDK's own lines go to standard error, past the collector's log; what
	// matters in them is in the errors.
	opts := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if region != "" {
		opts = append(opts, config.WithRegion(region))
	}
	if s.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(s.Profile))
	}
	if s.UseFIPS {
		opts = append(opts, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if s.UseDualStack {
		opts = append(opts, config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return aws.Config{}, fmt.Errorf("ca_file: %w", err)
		}
		opts = append(opts, config.WithCustomCABundle(bytes.NewReader(pem)))
	}
	return config.LoadDefaultConfig(ctx, opts...)
}

// metadataRegion asks IMDSv2; it honours AWS_EC2_METADATA_DISABLED and
// AWS_EC2_METADATA_SERVICE_ENDPOINT.
func metadataRegion(ctx context.Context, cfg aws.Config) (string, error) {
	out, err := imds.NewFromConfig(cfg).GetRegion(ctx, &imds.GetRegionInput{})
	if err != nil {
		return "", err
	}
	return out.Region, nil
}

func assume(cfg aws.Config, s Settings) aws.CredentialsProvider {
	role := stscreds.NewAssumeRoleProvider(stsClient(cfg, s), s.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = cmp.Or(s.RoleSessionName, "vigie")
		if s.ExternalID != "" {
			o.ExternalID = aws.String(s.ExternalID)
		}
	})
	return aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute })
}

// stsClient is not affected by Settings.Endpoint, which is another service's.
func stsClient(cfg aws.Config, s Settings) *sts.Client {
	cfg.BaseEndpoint = nil
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		if s.STSEndpoint != "" {
			o.BaseEndpoint = aws.String(s.STSEndpoint)
		}
	})
}
