package awsfake

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Late is an endpoint that keeps whoever asks it for credentials waiting.
type Late struct {
	once     sync.Once
	asked    chan struct{} // closed by the first request
	answered atomic.Bool
}

// CredentialsLate makes it the only place where the process finds credentials,
// until the test ends. It gives them after the time given, so that a component
// that must not wait for them has started before, whatever the machine's speed,
// and one that does wait can be told by [Late.Answered].
func CredentialsLate(t testing.TB, after time.Duration) *Late {
	t.Helper()
	l, over := &Late{asked: make(chan struct{})}, make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/credentials" {
			http.NotFound(w, r)
			return
		}
		l.once.Do(func() { close(l.asked) })
		select {
		case <-time.After(after):
		case <-over: // the SDK's cache does not end its request with its caller
			http.Error(w, "too late", http.StatusBadRequest)
			return
		}
		l.answered.Store(true)
		fmt.Fprintf(w, `{"AccessKeyId":"AKIDLATE","SecretAccessKey":"late","Token":"t","Expiration":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(func() {
		close(over)
		server.Close()
	})
	for name, value := range map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL + "/credentials",
		"AWS_ENDPOINT_URL":                   server.URL, // nothing leaves the machine
		"AWS_REGION":                         "eu-west-3",
		"AWS_CONFIG_FILE":                    "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID":         "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_ROLE_ARN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	return l
}

// Answered reports whether it has given credentials.
func (l *Late) Answered() bool { return l.answered.Load() }

// Asked waits until somebody has asked for credentials, and fails the test when
// nobody does.
func (l *Late) Asked(t testing.TB) {
	t.Helper()
	select {
	case <-l.asked:
	case <-time.After(time.Minute):
		t.Fatal("awsfake: nobody asked for credentials")
	}
}
