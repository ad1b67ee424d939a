package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// nowhere is a machine without AWS: no credentials, no region, no metadata
// service that answers.
func nowhere(t *testing.T) []string {
	t.Helper()
	home := t.TempDir()
	return []string{
		"HOME=" + home, "AWS_CONFIG_FILE=" + home + "/none", "AWS_SHARED_CREDENTIALS_FILE=" + home + "/none",
		"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_REGION=", "AWS_DEFAULT_REGION=", "AWS_PROFILE=",
		"AWS_ROLE_ARN=", "AWS_WEB_IDENTITY_TOKEN_FILE=", "AWS_CONTAINER_CREDENTIALS_FULL_URI=",
		// Nobody listens on the discard port of loopback.
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9",
	}
}

func TestAnAgentWithoutCredentialsIsReadyAndSaysWhatIsMissing(t *testing.T) {
	env := append(nowhere(t),
		"VIGIE_AMP_ENDPOINT=https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-1/api/v1/remote_write",
		"VIGIE_GATEWAY_ENDPOINT="+ports.Address(t), "VIGIE_TRACERS=none")
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	if err := checkFile(t, "embedded:agent"); err != nil {
		t.Errorf("validate: %v", err)
	}

	p := start(t, t.TempDir(), env, "--config", "embedded:agent")
	healthz := "http://" + p.health + "/healthz"
	took := within(t, 10*time.Second, "readiness", p, func() bool {
		code, _ := get(healthz)
		return code == http.StatusOK && strings.Contains(p.output(), "Everything is ready")
	})
	t.Logf("ready after %s", took.Round(time.Millisecond))
	within(t, 20*time.Second, "what is missing on /healthz", p, func() bool {
		code, body := get(healthz)
		return code == http.StatusOK && strings.Contains(body, "set region in the configuration, or AWS_REGION")
	})
	// Long enough for a second attempt, which must not be told again.
	time.Sleep(3 * time.Second)
	if n := strings.Count(p.output(), "AWS cannot be used; data waits in the queue."); n != 1 {
		t.Errorf("the log says %d times what is missing, once is enough:\n%s", n, p.output())
	}
	require.NoError(t, p.end(t, 15*time.Second))
}
