package mitigation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

func rule(action string, match ...finding.Condition) finding.Rule {
	return finding.Rule{Kind: "composite", Action: action, Match: match, Coverage: 0.932, LegitimateHit: 0.0011}
}

func flood(rules ...finding.Rule) []finding.Finding {
	return []finding.Finding{{ID: "0011223344556677", Class: finding.HTTPFlood, Service: "tv", Rules: rules}}
}

func write(t *testing.T, f Format, findings []finding.Finding) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, findings); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	hosts   = finding.Condition{Field: names.ClientAddress, Op: finding.OpIn, Values: []string{"198.51.100.0/25", "198.51.100.128/25", "198.51.100.7", "203.0.113.9", "2001:db8::/48", "3fff:12:34::/48", "not an address", "0.0.0.0/0"}}
	agent   = finding.Condition{Field: names.UserAgentOriginal, Op: finding.OpEquals, Values: []string{`Evil "quoted" \ $agent`, ""}}
	path    = finding.Condition{Field: names.URLPath, Op: finding.OpPrefix, Values: []string{"/live/"}}
	above   = finding.Condition{Field: "requests_per_second", Op: finding.OpAbove, Values: []string{"5"}}
	account = finding.Condition{Field: "enduser.id", Op: finding.OpEquals, Values: []string{"bob"}}
)

func TestPrefixesAreJoinedAndUnusableOnesLeftOut(t *testing.T) {
	got := fmt.Sprint(prefixes(hosts.Values))
	if want := "[198.51.100.0/24 203.0.113.9/32 2001:db8::/48]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAggregatingKeepsTheSameAddresses(t *testing.T) {
	var in []netip.Prefix
	for i := range 2000 {
		a := netip.AddrFrom4([4]byte{10, byte(i * 7 % 4), byte(i * 13), byte(i * 31)})
		in = append(in, netip.PrefixFrom(a, 24+i%9).Masked())
	}
	out := aggregate(slices.Clone(in))
	covers := func(ps []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	for i := range 4 * 65536 / 61 {
		n := i * 61
		a := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		if covers(in, a) != covers(out, a) {
			t.Fatalf("%v: covered before %v, after %v", a, covers(in, a), covers(out, a))
		}
	}
	for i := 1; i < len(out); i++ {
		if out[i-1].Overlaps(out[i]) {
			t.Fatalf("%v and %v overlap", out[i-1], out[i])
		}
	}
}

func TestTheListHasPrefixesOnlyOfRulesThatGoByThemAlone(t *testing.T) {
	got := write(t, CIDR, flood(rule(finding.ActionBlock, hosts), rule(finding.ActionBlock, hosts, path)))
	want := `# finding 0011223344556677, http_flood on tv, rule 1 (composite, block): estimated to cover 93.2 % of the attack and to hit 0.11 % of legitimate requests
198.51.100.0/24
203.0.113.9/32
2001:db8::/48
# finding 0011223344556677, http_flood on tv, rule 2 (composite, block): estimated to cover 93.2 % of the attack and to hit 0.11 % of legitimate requests; not a matter of prefixes alone, left out
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWAFRulesTestWhatTheFindingSays(t *testing.T) {
	got := write(t, WAF, flood(rule(finding.ActionBlock, hosts, agent), rule(finding.ActionRateLimit, path, above), rule(finding.ActionBlock, account)))
	golden := filepath.Join("testdata", "waf.json")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestAnIPSetHoldsTenThousandAndNoMore(t *testing.T) {
	c := finding.Condition{Field: names.ClientAddress, Op: finding.OpIn}
	for i := range 10_001 {
		c.Values = append(c.Values, fmt.Sprintf("10.%d.%d.1", i/256, i%256))
	}
	var doc wafDoc
	if err := json.Unmarshal([]byte(write(t, WAF, flood(rule(finding.ActionBlock, c)))), &doc); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, s := range doc.IPSets {
		sizes = append(sizes, len(s.Addresses))
	}
	if diff := cmp.Diff([]int{10_000, 1}, sizes); diff != "" {
		t.Error(diff)
	}
}

func TestARuleThatLostValuesIsNotWritten(t *testing.T) {
	short := hosts
	short.More = 5
	if got := write(t, WAF, flood(rule(finding.ActionBlock, short))); strings.Contains(got, `"Action"`) || !strings.Contains(got, "left out: 5 values") {
		t.Error(got)
	}
	if got := write(t, Nginx, flood(rule(finding.ActionBlock, short))); strings.Contains(got, "geo ") || !strings.Contains(got, "left out: 5 values") {
		t.Error(got)
	}
}

func TestTheNginxSnippetQuotesWhatTheAttackerWrote(t *testing.T) {
	got := write(t, Nginx, flood(rule(finding.ActionBlock, hosts, agent), rule(finding.ActionRateLimit, path, above), rule(finding.ActionBlock, account)))
	want := `# finding 0011223344556677, http_flood on tv, rule 1 (composite, block): estimated to cover 93.2 % of the attack and to hit 0.11 % of legitimate requests
geo $vigie_0011223344556677_1_1 {
    default 0;
    198.51.100.0/24 1;
    203.0.113.9/32 1;
    2001:db8::/48 1;
}
map $http_user_agent $vigie_0011223344556677_1_2 {
    default 0;
    "~^Evil \"quoted\" \\\\ \\$agent$" 1;
    "~^$" 1;
}
map "$vigie_0011223344556677_1_1$vigie_0011223344556677_1_2" $vigie_0011223344556677_1 {
    default 0;
    "11" 1;
}
# in the server block: if ($vigie_0011223344556677_1) { return 403; }

# finding 0011223344556677, http_flood on tv, rule 2 (composite, rate_limit): estimated to cover 93.2 % of the attack and to hit 0.11 % of legitimate requests
map $request_uri $vigie_0011223344556677_2_1 {
    default 0;
    "~^/live/" 1;
}
map "$vigie_0011223344556677_2_1" $vigie_0011223344556677_2 {
    default "";
    "1" $binary_remote_addr;
}
limit_req_zone $vigie_0011223344556677_2 zone=vigie_0011223344556677_2:10m rate=300r/m;
# in the server block: limit_req zone=vigie_0011223344556677_2 burst=50 nodelay;

# finding 0011223344556677, http_flood on tv, rule 3 (composite, block): estimated to cover 93.2 % of the attack and to hit 0.11 % of legitimate requests
# left out: nginx cannot test enduser.id

`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNginxTakesTheSnippet(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed: its own check of the snippet is left out")
	}
	dir := t.TempDir()
	snippet := write(t, Nginx, flood(rule(finding.ActionBlock, hosts, agent), rule(finding.ActionRateLimit, path, above)))
	conf := fmt.Sprintf("pid %s/pid; error_log stderr; events {}\nhttp { access_log off;\n%s\n}\n", dir, snippet)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(nginx, "-t", "-p", dir, "-c", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
