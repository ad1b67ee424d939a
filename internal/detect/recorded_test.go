package detect

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
)

// recorded reads a log through the detector in event time, as vigie detect does,
// and returns the findings in their final state and the marks by line.
func recorded(t testing.TB, log []byte) (found map[string]finding.Finding, marks []bool, requests int) {
	p, err := accesslog.New(accesslog.Auto, accesslog.Options{})
	require.NoError(t, err)
	d, err := New(Config{Seed: 5})
	require.NoError(t, err)
	found = map[string]finding.Finding{}
	take := func(fs []finding.Finding) {
		for _, f := range fs {
			found[f.ID] = f
		}
	}
	var r request.Request
	var newest int64
	s := bufio.NewScanner(bytes.NewReader(log))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if p.Parse(s.Bytes(), &r) != nil {
			marks = append(marks, false)
			continue
		}
		if sec := r.UnixNano / 1e9; sec > newest {
			newest = sec
			take(d.Tick(time.Unix(sec, 0)))
		}
		r.Service = nil
		m := d.Observe(&r)
		marks = append(marks, m.FindingID != "")
		requests++
	}
	take(d.Flush())
	return found, marks, requests
}

func dataFolder(t *testing.T) string {
	dir := os.Getenv("VIGIE_DATA")
	if dir == "" {
		t.Skip("VIGIE_DATA is not set: the folder with recorded logs")
	}
	return dir
}

func readLog(t *testing.T, path string) []byte {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		r, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

func describe(found map[string]finding.Finding) string {
	var s []string
	for _, f := range found {
		var who []string
		for i, a := range f.Actors {
			if i < 4 {
				who = append(who, a.Value)
			}
		}
		s = append(s, fmt.Sprintf("%s %.2f %s+%.0fs req %d %v", f.Class, f.Confidence, f.StartedAt.Format("15:04:05"), f.DetectedAt.Sub(f.StartedAt).Seconds(), f.Requests, who))
	}
	slices.Sort(s)
	return strings.Join(s, "\n      ")
}

func TestScannersAreNamedInRecordedLogs(t *testing.T) {
	dir := dataFolder(t)
	for _, name := range []string{"acunetix", "w3af"} {
		log := readLog(t, filepath.Join(dir, "scanners", name+".log.gz"))
		log = bytes.ReplaceAll(log, []byte("\n\""), []byte("\n")) // the lines are quoted whole
		log = bytes.TrimPrefix(log, []byte("\""))
		found, marks, n := recorded(t, log)
		hit := 0
		for _, m := range marks {
			if m {
				hit++
			}
		}
		t.Logf("%s: %d requests, %d marked\n      %s", name, n, hit, describe(found))
		require.Len(t, found, 1)
		for _, f := range found {
			require.Equal(t, finding.PathScanning, f.Class)
		}
		require.Greater(t, hit, n/3)
	}
}

func TestOrdinaryRecordedTrafficRaisesNothing(t *testing.T) {
	dir := dataFolder(t)
	found, _, n := recorded(t, readLog(t, filepath.Join(dir, "elastic-logs", "apache_logs.gz")))
	t.Logf("elastic: %d requests\n      %s", n, describe(found))
	// Four days of a blog hold one real scan, for an editor's test pages, and
	// some crawlers that follow broken links.
	require.Len(t, found, 1)
	require.Contains(t, describe(found), "91.236.75.25/32")
}

func TestSlowBotsAmongARecordedCrowd(t *testing.T) {
	dir := dataFolder(t)
	labels := strings.Split(string(readLog(t, filepath.Join(dir, "frade", "labels.csv.gz"))), "\n")[1:]
	found, marks, n := recorded(t, readLog(t, filepath.Join(dir, "frade", "access.clf.log.gz")))
	var right, wrong, missed int
	for i, m := range marks {
		bot := strings.HasSuffix(strings.TrimSpace(labels[i]), ",bot")
		switch {
		case m && bot:
			right++
		case m:
			wrong++
		case bot:
			missed++
		}
	}
	t.Logf("frade: %d requests, marks right %d wrong %d missed %d\n      %s", n, right, wrong, missed, describe(found))
	// The log carries no user agents, answers, sizes or referers and begins with
	// twelve seconds of people: the bots are not found. The crowd must not be.
	require.Zero(t, wrong)
}

// named are the peer's tests of behaviour, rather than of one request's text,
// whose first source is named too. Another, bunkerweb-http-malformed, raises a
// scan here and nothing there: twelve requests that are not HTTP.
var named = []string{
	"CVE-2022-46169", "apache-http-probing", "bunkerweb-http-sensitive-files", "litespeed-http-sensitive-files", "nginx-http-malformed",
	"nginx-http-path-traversal", "nginx-http-sqli-probing", "nginx-http-xss-probing", "nginx-proxy-manager-malformed",
	"http-dos-switching-ua",
}

func keep(is bool, s string) []string {
	if is {
		return []string{s}
	}
	return nil
}

func TestThePeersOwnTestLogs(t *testing.T) {
	dir := dataFolder(t)
	var tests []struct {
		Test, Log string
		Expect    []struct {
			Scenario string
			Sources  []string
		}
	}
	require.NoError(t, json.Unmarshal(readLog(t, filepath.Join(dir, "crowdsec-hub", "expectations.json")), &tests))
	for _, c := range tests {
		path := filepath.Join(dir, "crowdsec-hub", c.Log)
		found, _, n := recorded(t, readLog(t, path))
		var want []string
		for _, e := range c.Expect {
			want = append(want, e.Scenario+" "+strings.Join(e.Sources, ","))
		}
		if len(c.Expect) == 0 {
			require.Subset(t, []string{"bunkerweb-http-malformed"}, keep(len(found) > 0, c.Test), "ordinary traffic is accused")
		}
		if slices.Contains(named, c.Test) {
			require.Contains(t, describe(found), c.Expect[0].Sources[0], c.Test)
		}
		if n > 0 && (len(found) > 0 || n >= 8) {
			t.Logf("%-30s n %4d expects %d %v\n      %s", c.Test, n, len(c.Expect), want[:min(len(want), 2)], describe(found))
		}
	}
}
