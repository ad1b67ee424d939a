package awsclient

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bare takes away everything that the machine of the test may have.
func bare(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

const stsAnswer = `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>
<Credentials><AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/vigie/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>
<Arn>arn:aws:sts::123456789012:assumed-role/vigie/x</Arn><Account>123456789012</Account><UserId>A:x</UserId>
</%[1]sResult></%[1]sResponse>`

// fakeSTS answers the three calls that the package makes and records the forms.
func fakeSTS(t *testing.T) (string, *[]map[string]string) {
	t.Helper()
	var calls []map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		call := map[string]string{"signed by": r.Header.Get("Authorization")}
		for k := range r.PostForm {
			call[k] = r.PostForm.Get(k)
		}
		calls = append(calls, call)
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, stsAnswer, call["Action"], "FROM"+strings.ToUpper(call["Action"]))
	}))
	t.Cleanup(server.Close)
	return server.URL, &calls
}

func TestKeysAndRegionOfTheEnvironmentAreEnough(t *testing.T) {
	bare(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "eu-west-3")
	cfg, err := Resolve(t.Context(), Settings{})
	require.NoError(t, err)
	require.Equal(t, "eu-west-3", cfg.Region)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "AKIDENV", got.AccessKeyID)
}

func TestARegionInTheConfigurationGoesBeforeTheEnvironments(t *testing.T) {
	bare(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "eu-west-3")
	cfg, err := Resolve(t.Context(), Settings{Region: "sa-east-1", Endpoint: "http://127.0.0.1:1", UseDualStack: true})
	require.NoError(t, err)
	require.Equal(t, "sa-east-1", cfg.Region)
	require.Equal(t, "http://127.0.0.1:1", *cfg.BaseEndpoint)
}

func TestAProfileGivesKeysAndRegion(t *testing.T) {
	bare(t)
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte("[profile match]\nregion = sa-east-1\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", file)
	cfg, err := Resolve(t.Context(), Settings{Profile: "match"})
	require.NoError(t, err)
	require.Equal(t, "sa-east-1", cfg.Region)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "AKIDPROFILE", got.AccessKeyID)
}

func TestIRSAsTokenIsExchangedAtSTS(t *testing.T) {
	bare(t)
	url, calls := fakeSTS(t)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("the-pod's-token"), 0o600))
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/vigie")
	t.Setenv("AWS_REGION", "eu-west-3")
	t.Setenv("AWS_ENDPOINT_URL_STS", url)
	cfg, err := Resolve(t.Context(), Settings{})
	require.NoError(t, err)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "FROMASSUMEROLEWITHWEBIDENTITY", got.AccessKeyID)
	require.Len(t, *calls, 1)
	require.Equal(t, "the-pod's-token", (*calls)[0]["WebIdentityToken"])
}

func TestPodIdentitysAgentIsAskedWithTheTokenOfItsFile(t *testing.T) {
	bare(t)
	var authorization string
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"AccessKeyId":"AKIDPOD","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`)
	}))
	t.Cleanup(agent.Close)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("pod-token"), 0o600))
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.URL+"/v1/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)
	t.Setenv("AWS_REGION", "eu-west-3")
	cfg, err := Resolve(t.Context(), Settings{})
	require.NoError(t, err)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "AKIDPOD", got.AccessKeyID)
	require.Equal(t, "pod-token", authorization)
}

func TestInstanceMetadataGivesRegionAndRole(t *testing.T) {
	bare(t)
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" {
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			fmt.Fprint(w, "v2-token")
			return
		}
		if r.Header.Get("X-Aws-Ec2-Metadata-Token") != "v2-token" {
			w.WriteHeader(http.StatusUnauthorized) // IMDSv1 is off
			return
		}
		switch p := strings.TrimSuffix(r.URL.Path, "/"); p {
		case "/latest/dynamic/instance-identity/document":
			fmt.Fprint(w, `{"region":"ca-central-1"}`)
		case "/latest/meta-data/iam/security-credentials", "/latest/meta-data/iam/security-credentials-extended":
			fmt.Fprint(w, "node-role")
		case "/latest/meta-data/iam/security-credentials/node-role", "/latest/meta-data/iam/security-credentials-extended/node-role":
			fmt.Fprint(w, `{"Code":"Success","AccessKeyId":"AKIDNODE","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(metadata.Close)
	os.Unsetenv("AWS_EC2_METADATA_DISABLED")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	cfg, err := Resolve(t.Context(), Settings{})
	require.NoError(t, err)
	require.Equal(t, "ca-central-1", cfg.Region)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "AKIDNODE", got.AccessKeyID)
}

func TestARoleIsAssumedWithItsExternalID(t *testing.T) {
	bare(t)
	url, calls := fakeSTS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s := Settings{Region: "eu-west-3", RoleARN: "arn:aws:iam::123456789012:role/match", ExternalID: "final", STSEndpoint: url, Endpoint: "http://127.0.0.1:1"}
	require.NoError(t, s.Validate())
	cfg, err := Resolve(t.Context(), s)
	require.NoError(t, err)
	got, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "FROMASSUMEROLE", got.AccessKeyID)
	require.Equal(t, "final", (*calls)[0]["ExternalId"])
	require.Equal(t, "vigie", (*calls)[0]["RoleSessionName"])
	require.Contains(t, (*calls)[0]["signed by"], "AKIDENV")

	id, err := WhoAmI(t.Context(), s, cfg)
	require.NoError(t, err)
	require.Equal(t, "123456789012", id.Account)
	require.Equal(t, "arn:aws:sts::123456789012:assumed-role/vigie/x", id.ARN)
	require.Contains(t, (*calls)[1]["signed by"], "FROMASSUMEROLE")
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Run("region", func(t *testing.T) {
		bare(t)
		_, err := Resolve(t.Context(), Settings{})
		require.ErrorIs(t, err, ErrNoRegion)
		require.ErrorContains(t, err, "AWS_REGION")
	})
	t.Run("credentials", func(t *testing.T) {
		bare(t)
		_, err := Resolve(t.Context(), Settings{Region: "eu-west-3"})
		require.ErrorContains(t, err, "IRSA, EKS Pod Identity or an instance profile")
		require.Equal(t, Credentials, KindOf(err))
	})
	t.Run("IRSA's token file", func(t *testing.T) {
		bare(t)
		t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(t.TempDir(), "none"))
		t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/vigie")
		_, err := Resolve(t.Context(), Settings{Region: "eu-west-3"})
		require.ErrorContains(t, err, "eks.amazonaws.com/role-arn")
	})
	t.Run("trust", func(t *testing.T) {
		bare(t)
		deny := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`)
		}))
		t.Cleanup(deny.Close)
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		_, err := Resolve(t.Context(), Settings{Region: "eu-west-3", RoleARN: "arn:aws:iam::123456789012:role/match", STSEndpoint: deny.URL})
		require.ErrorContains(t, err, "trust policy")
	})
}

func TestSettingsTellEverythingThatIsWrong(t *testing.T) {
	s := Settings{Region: "Paris", RoleARN: "vigie", Endpoint: "logs.example", STSEndpoint: "https://sts.example/path", RoleSessionName: "a b", CAFile: "/does/not/exist", UseFIPS: true}
	err := s.Validate()
	for _, want := range []string{`region must be the code of an AWS region (got "Paris")`, "role_arn must be", "\nendpoint must be a URL", "sts_endpoint must be a URL", "role_session_name takes", "use_fips", "ca_file"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, (&Settings{}).Validate(), "neither region nor credentials is a valid configuration")
	require.ErrorContains(t, (&Settings{ExternalID: "x"}).Validate(), "external_id is used only to assume a role")
}
