package score

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/vigie-otel/vigie/internal/replay"
)

// PeerResult is whom CrowdSec named in one case.
type PeerResult struct {
	Case                    Case
	Lines                   int64
	Attackers, AttackersHit int // distinct addresses of attacks, and how many of them were named
	People, PeopleHit       int // the same of people
	Took                    time.Duration
	AttackRequests, InReach int64 // attack requests, and those of named addresses
}

// peerCases are few and small: CrowdSec reads some hundreds to a thousand lines a
// CPU-second. A smaller site has fewer clients, each as fast.
func peerCases() []Case {
	return []Case{
		{Scenario: "flood", Seed: 1, Scale: 0.005, Intensity: 1, Duration: 4 * time.Minute},
		{Scenario: "flood", Seed: 6, Scale: 0.005, Intensity: 1, Duration: 4 * time.Minute},
		{Scenario: "low-and-many", Seed: 1, Scale: 0.005, Duration: 5 * time.Minute},
		{Scenario: "stuffing-fast", Seed: 1, Scale: 0.004},
		{Scenario: "scan", Seed: 1, Scale: 0.005, Duration: 6 * time.Minute},
		{Scenario: "goal", Seed: 1, Scale: 0.001},
	}
}

// named is CrowdSec's log line of an alert: "Ip 192.0.2.1 performed
// 'crowdsecurity/http-probing' (11 events over 2s) at …" (version 1.4).
var named = regexp.MustCompile(`Ip ([0-9a-fA-F.:]+) performed '`)

// CrowdSec runs the peer cases through CrowdSec, whose configuration must log to
// standard output at level info, know the parser for nginx, and carry the
// scenarios that are to be judged.
func CrowdSec(ctx context.Context, binary, config string) ([]PeerResult, error) {
	dir, err := os.MkdirTemp("", "vigie-eval-")
	if err != nil {
		return nil, fmt.Errorf("make folder for logs: %w", err)
	}
	defer os.RemoveAll(dir)
	var out []PeerResult
	for _, c := range peerCases() {
		r, err := c.crowdSec(ctx, binary, config, filepath.Join(dir, "access.log"))
		if err != nil {
			return nil, fmt.Errorf("crowdsec on %s: %w", c.Scenario, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (c Case) crowdSec(ctx context.Context, binary, config, path string) (PeerResult, error) {
	r := PeerResult{Case: c}
	g, err := c.generator()
	if err != nil {
		return r, err
	}
	attackers, people := map[netip.Addr]int64{}, map[netip.Addr]int64{}
	file, err := os.Create(path)
	if err != nil {
		return r, fmt.Errorf("write log: %w", err)
	}
	w := bufio.NewWriter(file)
	l := replay.LineWriter{Format: replay.Combined}
	var ev replay.Event
	var line []byte
	for g.Next(&ev) {
		line = l.Append(line[:0], &ev)
		w.Write(line) // Flush has the error
		if ev.Attack >= 0 {
			attackers[ev.Client]++
			r.AttackRequests++
		} else {
			people[ev.Client]++
		}
	}
	r.Lines = g.Truth().Lines
	if err := w.Flush(); err != nil {
		return r, fmt.Errorf("write log: %w", err)
	}
	if err := file.Close(); err != nil {
		return r, fmt.Errorf("write log: %w", err)
	}
	began := time.Now()
	text, err := exec.CommandContext(ctx, binary, "-c", config, "-info", "-type", "nginx", "-dsn", "file://"+path).CombinedOutput()
	r.Took = time.Since(began)
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, text[max(0, len(text)-500):])
	}
	r.Attackers, r.People = len(attackers), len(people)
	seen := map[netip.Addr]bool{}
	for _, m := range named.FindAllSubmatch(text, -1) {
		addr, err := netip.ParseAddr(string(bytes.TrimSpace(m[1])))
		if err != nil || seen[addr] {
			continue
		}
		seen[addr] = true
		if n := attackers[addr]; n > 0 {
			r.AttackersHit++
			r.InReach += n
		} else if people[addr] > 0 {
			r.PeopleHit++
		}
	}
	return r, nil
}
