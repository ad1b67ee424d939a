package mitigation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

func condition(field, op string, values ...string) finding.Condition {
	return finding.Condition{Field: field, Op: op, Values: values}
}

// everyForm is a rule of each form that findings propose.
func everyForm() []finding.Rule {
	return []finding.Rule{
		rule(finding.ActionBlock, hosts),
		rule(finding.ActionBlock, agent, condition(names.URLPath, finding.OpEquals, "/search")),
		rule(finding.ActionBlock, condition(names.URLPath, finding.OpPrefix, "/live/", "/sport/"), condition(names.HTTPRequestMethod, finding.OpEquals, "GET"), condition(names.HTTPRequestHeaderReferer, finding.OpAbsent)),
		rule(finding.ActionBlock, condition(names.URLQuery, finding.OpPrefix, "cb="), condition(names.URLPath, finding.OpEquals, "/assets/{id}.js")),
		rule(finding.ActionBlock, condition(names.URLQuery, finding.OpPresent), condition(names.URLPath, finding.OpEquals, "/")),
		rule(finding.ActionBlock, condition(names.UserAgentOriginal, finding.OpContains, "Windows NT 5.1", "Presto/2.")),
		rule(finding.ActionBlock, condition(names.UserAgentOriginal, finding.OpAbsent), condition(names.URLQuery, finding.OpAbsent)),
		rule(finding.ActionChallenge, condition(names.URLPath, finding.OpPrefix, "/live/")),
		rule(finding.ActionRateLimit, path, above),
	}
}

// sent is an HTTP client that keeps what it is asked to send.
type sent struct{ body []byte }

func (s *sent) Do(r *http.Request) (*http.Response, error) {
	s.body, _ = io.ReadAll(r.Body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Capacity": 1}`))}, nil
}

// TestTheSDKSendsTheRulesAsTheyAreWritten reads the rules into the types of AWS' own
// SDK, strictly, lets it validate and send them, and compares.
func TestTheSDKSendsTheRulesAsTheyAreWritten(t *testing.T) {
	var doc struct {
		IPSets    []wafSet
		Rules     []map[string]any
		Estimates []wafEstimate
	}
	require.NoError(t, json.Unmarshal([]byte(write(t, WAF, flood(everyForm()...))), &doc))
	require.Len(t, doc.Rules, len(everyForm()))
	for i, r := range doc.Rules {
		onTheWire(r)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		var typed types.Rule
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&typed), "%s", text)
		require.LessOrEqual(t, len(*typed.Name), 128)
		require.Positive(t, doc.Estimates[i].Capacity)

		var http sent
		client := wafv2.New(wafv2.Options{Region: "eu-west-1", HTTPClient: &http, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
		_, err = client.CheckCapacity(t.Context(), &wafv2.CheckCapacityInput{Scope: types.ScopeRegional, Rules: []types.Rule{typed}})
		require.NoError(t, err)
		var got struct{ Rules []map[string]any }
		require.NoError(t, json.Unmarshal(http.body, &got))
		if diff := cmp.Diff(r, got.Rules[0]); diff != "" {
			t.Errorf("rule %d (-written +sent):\n%s", i+1, diff)
		}
	}
	for _, set := range doc.IPSets {
		var http sent
		client := wafv2.New(wafv2.Options{Region: "eu-west-1", HTTPClient: &http, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
		_, err := client.CreateIPSet(t.Context(), &wafv2.CreateIPSetInput{Name: aws.String(set.Name), Description: aws.String(set.Description), Scope: types.Scope(set.Scope),
			IPAddressVersion: types.IPAddressVersion(set.IPAddressVersion), Addresses: set.Addresses})
		require.NoError(t, err)
	}
}

// onTheWire does what the AWS CLI does with raw blobs, and names the sets.
func onTheWire(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if s, ok := inner.(string); ok && k == "SearchString" {
				v[k] = base64.StdEncoding.EncodeToString([]byte(s))
			}
			if s, ok := inner.(string); ok && k == "ARN" {
				v[k] = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/" + strings.Trim(s, "${}") + "/1"
			}
			onTheWire(inner)
		}
	case []any:
		for _, inner := range v {
			onTheWire(inner)
		}
	}
}

func TestWhatWAFHasNoRoomForIsLeftOutAndSaid(t *testing.T) {
	var agents []string
	for i := range wafStatements {
		agents = append(agents, fmt.Sprintf("agent %d", i))
	}
	many := func(field string) finding.Condition { return condition(field, finding.OpContains, agents...) }
	for what, r := range map[string]finding.Rule{
		"capacity units":            rule(finding.ActionBlock, many(names.UserAgentOriginal), many(names.URLPath), many(names.URLQuery), many(names.HTTPRequestHeaderReferer)),
		"more than one rule":        rule(finding.ActionBlock, condition(names.UserAgentOriginal, finding.OpEquals, append(agents, "one more")...)),
		"of a regular expression":   rule(finding.ActionBlock, condition(names.URLPath, finding.OpEquals, "/{id}/"+strings.Repeat("a", 600))),
		"enduser.id":                rule(finding.ActionBlock, account),
		"no address that could be ": rule(finding.ActionBlock, condition(names.ClientAddress, finding.OpIn, "0.0.0.0/0")),
	} {
		var doc wafDoc
		require.NoError(t, json.Unmarshal([]byte(write(t, WAF, flood(r))), &doc))
		require.Empty(t, doc.Rules, what)
		require.Empty(t, doc.IPSets, what)
		require.Contains(t, doc.Estimates[0].Note, "left out: ")
		require.Contains(t, doc.Estimates[0].Note, what)
	}
}

func TestALongUserAgentIsTestedByAsMuchAsWAFSearchesFor(t *testing.T) {
	got := write(t, WAF, flood(rule(finding.ActionBlock, condition(names.UserAgentOriginal, finding.OpEquals, strings.Repeat("x", 300)))))
	require.Contains(t, got, `"SearchString": "`+strings.Repeat("x", wafSearchBytes)+`"`)
	require.Contains(t, got, `"STARTS_WITH"`)
}
