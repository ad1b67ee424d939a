package podlist

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func list(t *testing.T, answer http.HandlerFunc) *List {
	srv := httptest.NewTLSServer(answer)
	t.Cleanup(srv.Close)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("secret\n"), 0o600))
	l, err := New(Options{Endpoint: srv.URL + "/", TokenFile: token, Insecure: true, Interval: time.Hour, Soonest: time.Millisecond, Timeout: 30 * time.Second})
	require.NoError(t, err)
	return l
}

const twoPods = `{"kind":"PodList","metadata":{"x":[1,{"items":2}]},"items":[
 {"metadata":{"name":"a","namespace":"n","labels":{"l":"1"},"annotations":{"vigie.dev/logs":"off"}},"spec":{"containers":[{"name":"c"}]},"status":{}},
 {"metadata":{"name":"b","namespace":"n"}}]}`

func TestPodsAreKnownByNamespaceAndName(t *testing.T) {
	l := list(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pods" || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		fmt.Fprint(w, twoPods)
	})
	_, known := l.Get("n", "a")
	require.False(t, known, "before it was asked")
	require.NoError(t, l.Refresh(t.Context()))
	require.Equal(t, uint64(1), l.Generation())
	a, known := l.Get("n", "a")
	require.True(t, known)
	require.Equal(t, Pod{Namespace: "n", Name: "a", Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"vigie.dev/logs": "off"}}, a)
	_, known = l.Get("n", "b")
	require.True(t, known)
	_, known = l.Get("other", "a")
	require.False(t, known)
}

func TestWhatGoesWrongIsSaidAndTheLastListStays(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, twoPods) }
	l := list(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	require.NoError(t, l.Refresh(t.Context()))
	for want, with := range map[string]http.HandlerFunc{
		"nodes/proxy":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"500":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"302":           func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"not a list":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[]`) },
		"not a list of": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"kind":"Status"}`) },
		"unexpected":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, twoPods[:150]) },
	} {
		answer = with
		require.ErrorContains(t, l.Refresh(t.Context()), want)
	}
	_, known := l.Get("n", "a")
	require.True(t, known)
	require.Equal(t, uint64(1), l.Generation())
	answer = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":null}`) }
	require.NoError(t, l.Refresh(t.Context()), "a node without pods")
}

func TestAnUnknownPodIsAskedForSooner(t *testing.T) {
	asked := make(chan struct{}, 10)
	l := list(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items":[]}`)
		asked <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { l.Run(ctx, func(err error) { assert.NoError(t, err) }); close(ended) }()
	<-asked
	l.Want()
	<-asked
	cancel()
	<-ended
	require.GreaterOrEqual(t, l.OK.Load(), int64(1))
}

func TestANodeHasOnlySoManyPods(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"items":[{}`)
	for i := range maxPods + 10 {
		fmt.Fprintf(&b, `,{"metadata":{"name":"p%d"}}`, i)
	}
	pods, err := decode(strings.NewReader(b.String() + "]}"))
	require.NoError(t, err)
	require.Len(t, pods, maxPods)
}

func TestAListThatNobodyMadeKnowsNothing(t *testing.T) {
	var l *List
	_, known := l.Get("n", "a")
	require.False(t, known)
	require.Zero(t, l.Generation())
	l.Want()
}

func TestAMissingTokenIsSaid(t *testing.T) {
	var asked atomic.Int64
	l := list(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	l.opts.TokenFile = filepath.Join(t.TempDir(), "none")
	require.ErrorContains(t, l.Refresh(t.Context()), "none")
	require.Zero(t, asked.Load())
}

func TestACertificateAuthorityIsReadAtTheStart(t *testing.T) {
	_, err := New(Options{CAFile: filepath.Join(t.TempDir(), "none")})
	require.ErrorContains(t, err, "authority")
	empty := filepath.Join(t.TempDir(), "ca")
	require.NoError(t, os.WriteFile(empty, []byte("x"), 0o600))
	_, err = New(Options{CAFile: empty})
	require.ErrorContains(t, err, "no certificate")
}
