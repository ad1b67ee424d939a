package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/rules"
)

const runbooks = "../runbooks"

// headings that each page has, in this order: somebody who was woken reads the
// third first.
var headings = []string{"## What it means", "## Crowd or attack?", "## First five minutes", "## How to end it", "## False alarms", "## Links"}

func page(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(runbooks, name))
	require.NoError(t, err, "each alert has a page")
	return string(body)
}

func TestEachAlertHasARunbookWithAllItsParts(t *testing.T) {
	index := page(t, "README.md")
	for _, a := range rules.Alerts() {
		require.Equal(t, rules.RunbookBase+a.Name+".md", a.Runbook())
		body := page(t, a.Name+".md")
		want := fmt.Sprintf("# %s\n\n%s · %s\n\n%s\n", a.Name, a.Severity, a.Kind, headings[0])
		require.True(t, strings.HasPrefix(body, want), "%s begins with\n%s", a.Name, want)
		at := 0
		for i, h := range headings {
			next := strings.Index(body, h+"\n")
			require.Greater(t, next, at, "%s lacks %q, or has it in the wrong place", a.Name, h)
			at = next
			end := len(body)
			if i+1 < len(headings) {
				end = strings.Index(body, headings[i+1]+"\n")
			}
			require.Greater(t, len(strings.TrimSpace(body[next+len(h):max(end, next+len(h))])), 4, "%s: %q is empty", a.Name, h)
		}
		require.Contains(t, index, fmt.Sprintf("[%s](%s.md) | %s |", a.Name, a.Name, a.Severity), "the index")
	}
}

func TestEachRunbookBelongsToAnAlertAndItsLinksLead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		if name != "README" {
			require.NotEmpty(t, find(name).Name, "%s.md is the page of no alert", name)
		}
		for _, m := range link.FindAllStringSubmatch(page(t, name+".md"), -1) {
			if strings.HasPrefix(m[1], "http") {
				continue
			}
			_, err := os.Stat(filepath.Join(runbooks, m[1]))
			require.NoError(t, err, "%s links to what is not there", name)
		}
	}
}

// A query that does not parse, or reads a metric that was renamed, costs the
// minute in which it is needed.
func TestTheQueriesInTheRunbooksWork(t *testing.T) {
	recorded := map[string]bool{}
	for _, r := range records() {
		recorded[r.Name] = true
	}
	code := regexp.MustCompile("`([^`]+)`")
	series := regexp.MustCompile(`\b(?:vigie|system|otelcol|aws_ena|kube|container|coredns|apiserver|traces_span)_[a-z0-9_]+`)
	query := regexp.MustCompile(`^(?:sum|count|max|min|rate|increase|deriv|topk|bottomk|histogram_quantile|cluster_service:\w+|[a-z]+_[a-z0-9_]+(?:_total|_bytes|_ratio|_seconds|_per_second|_prefixes|_entries|_size|_available))\s*(?:[({]|by|[-/<]|$)`)
	parsed := 0
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	for _, path := range files {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range code.FindAllStringSubmatch(string(body), -1) {
			for _, at := range series.FindAllStringIndex(m[1], -1) {
				if at[0] > 0 && m[1][at[0]-1] == ':' {
					continue // a recorded series; see below
				}
				name := m[1][at[0]:at[1]]
				require.True(t, name == "container_log" || known(name), "%s: `%s` reads %s, which is not emitted", filepath.Base(path), m[1], name)
			}
			if !query.MatchString(m[1]) {
				continue
			}
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(m[1])
			require.NoError(t, err, "%s: `%s`", filepath.Base(path), m[1])
			for _, s := range parser.ExtractSelectors(expr) {
				for _, l := range s {
					if l.Name == "__name__" && strings.Contains(l.Value, ":") {
						require.True(t, recorded[l.Value], "%s: nothing records %s", filepath.Base(path), l.Value)
					}
				}
			}
			parsed++
		}
	}
	require.Greater(t, parsed, 40)
	t.Logf("%d queries", parsed)
}
