//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// page is the gateway's, by kubectl port-forward as a person would reach it: it
// listens on the pod's loopback only.
type page struct {
	forward *exec.Cmd
	base    string
}

var forwarding = regexp.MustCompile(`Forwarding from (127\.0\.0\.1:\d+)`)

// open starts a port-forward and reads where it listens.
func (p *page) open(ctx context.Context, kubectl, kubeconfig string) error {
	p.close()
	cmd := exec.Command(kubectl, "--kubeconfig="+kubeconfig, "-n", namespace, "port-forward", "pod/vigie-gateway-0", ":8640")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.forward = cmd
	line := make(chan string, 1)
	go func() {
		l, _ := bufio.NewReader(out).ReadString('\n')
		line <- l
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case l := <-line:
		if m := forwarding.FindStringSubmatch(l); m != nil {
			p.base = "http://" + m[1]
			return nil
		}
		err = fmt.Errorf("port-forward said %q", l)
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.close()
	return err
}

func (p *page) close() {
	if p.forward != nil {
		_ = p.forward.Process.Kill()
		_ = p.forward.Wait()
		p.forward, p.base = nil, ""
	}
}

// ask reads JSON from the gateway's page; the way there is made anew when it broke.
func (e *env) ask(ctx context.Context, path string, into any) error {
	var err error
	for range 3 {
		if e.page.base == "" {
			if err = e.page.open(ctx, e.cluster.Program("kubectl"), e.cluster.Kubeconfig); err != nil {
				return err
			}
		}
		if err = fetch(ctx, e.page.base+path, into); err == nil || ctx.Err() != nil {
			return err
		}
		var refused *answer
		if errors.As(err, &refused) {
			return err
		}
		e.page.close()
	}
	return err
}

// answer is a reply that is not what was asked for.
type answer struct {
	status int
	body   string
}

func (a *answer) Error() string { return fmt.Sprintf("status %d: %s", a.status, a.body) }

func fetch(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &answer{response.StatusCode, string(body[:min(len(body), 300)])}
	}
	return json.Unmarshal(body, into)
}

// series is one of a query's answer.
type series struct {
	Metric map[string]string
	Value  [2]any // time, and the value as text
}

// short is the labels that tell whose it is, and the value.
func (s series) short() string {
	var whose []string
	for _, label := range []string{"job", "instance", "namespace", "k8s_pod_name", "pod", "k8s_container_name"} {
		if v := s.Metric[label]; v != "" {
			whose = append(whose, v)
		}
	}
	return fmt.Sprintf("%s = %v", strings.Join(whose, " "), s.Value[1])
}

func (s series) number() float64 {
	var v float64
	if text, ok := s.Value[1].(string); ok {
		_, _ = fmt.Sscanf(text, "%g", &v)
	}
	return v
}

// query asks the gateway's store as Grafana does; no series is an error.
func (e *env) query(ctx context.Context, promql string) ([]series, error) {
	var reply struct {
		Data struct{ Result []series }
	}
	if err := e.ask(ctx, "/api/v1/query?query="+url.QueryEscape(promql), &reply); err != nil {
		return nil, err
	}
	if len(reply.Data.Result) == 0 {
		return nil, fmt.Errorf("no series for %s", promql)
	}
	return reply.Data.Result, nil
}

// room is what the page shows of attacks.
type room struct {
	Verdicts []struct {
		Service string          `json:"service"`
		Verdict finding.Verdict `json:"verdict"`
		Since   time.Time       `json:"since"`
		Rate    float64         `json:"rate"`
	} `json:"verdicts"`
	Findings []finding.Finding `json:"findings"`
}

func (e *env) room(ctx context.Context) (*room, error) {
	var r room
	return &r, e.ask(ctx, "/api/warroom/now?logs=0&spans=0", &r)
}
