package mitigation

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// Limits of AWS WAFv2 (developer guide, "AWS WAF quotas" and "WCUs").
const (
	wafSetAddresses = 10_000 // addresses in one IP set
	wafSearchBytes  = 200    // length of a byte match's search string
	wafRegexBytes   = 512    // length of a regular expression
	wafStatements   = 40     // values in one OR that we are willing to write: each costs capacity units
	wafCapacity     = 1500   // capacity units that a web ACL has at the basic price
	wafRateLimit    = 100    // requests a window of a rate rule whose finding names no limit
	wafWindow       = 60     // s; WAF takes 60, 120, 300 and 600
)

// obj is a JSON object of the WAFv2 API.
type obj map[string]any

type wafDoc struct {
	Note      string
	IPSets    []wafSet
	Rules     []obj
	Estimates []wafEstimate
}

type wafSet struct {
	Name             string
	Scope            string
	Description      string
	IPAddressVersion string
	Addresses        []string
}

type wafEstimate struct {
	Rule          string
	Finding       string
	Class         finding.Class
	Service       string
	Coverage      float64
	LegitimateHit float64
	Capacity      int    `json:",omitempty"` // WCUs
	Note          string `json:",omitempty"`
}

// wafNote is for whom the document is meant.
const wafNote = "SearchString is plain text: for the console's rule editor, or aws wafv2 --cli-binary-format raw-in-base64-out. Create the IP sets first and put their ARNs in."

// writeWAF writes one document: the IP sets to create (aws wafv2
// create-ip-set), the rules that refer to them, and the estimates. A rule refers
// to a set by the ARN that it will have; until then ${arn:NAME} stands there.
func writeWAF(w io.Writer, findings []finding.Finding) error {
	doc := wafDoc{Note: wafNote, IPSets: []wafSet{}, Rules: []obj{}, Estimates: []wafEstimate{}}
	for i := range findings {
		f := &findings[i]
		for n := range f.Rules {
			doc.add(f, n, &f.Rules[n])
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

func (d *wafDoc) add(f *finding.Finding, n int, r *finding.Rule) {
	name := fmt.Sprintf("vigie-%s-%d", f.ID, n+1)
	est := wafEstimate{Rule: name, Finding: f.ID, Class: f.Class, Service: f.Service, Coverage: r.Coverage, LegitimateHit: r.LegitimateHit}
	sets := len(d.IPSets)
	statement, limit, err := d.statement(name, r)
	if est.Capacity = capacity(statement); r.Action == finding.ActionRateLimit {
		est.Capacity += 2
	}
	if err == nil && est.Capacity > wafCapacity {
		err = fmt.Errorf("it takes %d capacity units, more than a web ACL's %d", est.Capacity, wafCapacity)
	}
	if err != nil {
		est.Capacity = 0
		d.IPSets = d.IPSets[:sets]
		est.Note = "left out: " + err.Error()
		d.Estimates = append(d.Estimates, est)
		return
	}
	if r.Action == finding.ActionChallenge {
		est.Note = "a challenge is only answered by browsers that load a page: WAF refuses other requests that it matches"
	}
	d.Estimates = append(d.Estimates, est)
	if r.Action == finding.ActionRateLimit {
		rate := obj{"Limit": limit, "EvaluationWindowSec": wafWindow, "AggregateKeyType": "IP"}
		if statement != nil {
			rate["ScopeDownStatement"] = statement
		}
		statement = obj{"RateBasedStatement": rate}
	}
	d.Rules = append(d.Rules, obj{
		"Name": name, "Priority": len(d.Rules), "Statement": statement, "Action": wafAction(r.Action),
		"VisibilityConfig": obj{"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": name},
	})
}

func wafAction(action string) obj {
	switch action {
	case finding.ActionChallenge:
		return obj{"Challenge": obj{}}
	case finding.ActionBlock, finding.ActionRateLimit:
		return obj{"Block": obj{}}
	}
	return obj{"Count": obj{}}
}

// statement puts a rule's conditions together; limit is what a rate rule may
// let through in a window.
func (d *wafDoc) statement(name string, r *finding.Rule) (s obj, limit int, err error) {
	limit = wafRateLimit
	var all []obj
	for i := range r.Match {
		c := &r.Match[i]
		if c.More > 0 {
			return nil, 0, fmt.Errorf("%d values of %s are not in the finding", c.More, c.Field)
		}
		if c.Op == finding.OpAbove {
			if limit, err = perWindow(c, r.Action); err != nil {
				return nil, 0, err
			}
			continue
		}
		one, err := d.condition(name, c)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, one)
	}
	if len(all) == 0 && r.Action != finding.ActionRateLimit {
		return nil, 0, fmt.Errorf("it has no condition that WAF could test")
	}
	if len(all) == 0 {
		return nil, limit, nil
	}
	return join("AndStatement", all), limit, nil
}

// perWindow turns "above N requests a second" into a limit for WAF's window.
func perWindow(c *finding.Condition, action string) (int, error) {
	if action != finding.ActionRateLimit || len(c.Values) != 1 {
		return 0, fmt.Errorf("%s above a value is only a matter of a rate limit", c.Field)
	}
	perSecond, err := strconv.ParseFloat(c.Values[0], 64)
	if err != nil || !(perSecond > 0) {
		return 0, fmt.Errorf("the limit of %s is no number (%q)", c.Field, c.Values[0])
	}
	return int(max(10, min(2e9, perSecond*wafWindow))), nil // WAF takes 10 to 2,000,000,000
}

// join needs no And or Or around a single statement, and WAF refuses one.
func join(op string, statements []obj) obj {
	if len(statements) == 1 {
		return statements[0]
	}
	return obj{op: obj{"Statements": statements}}
}

func (d *wafDoc) condition(name string, c *finding.Condition) (obj, error) {
	if isAddress(c) {
		return d.addresses(name, c)
	}
	field, ok := wafField(c.Field)
	if !ok {
		return nil, fmt.Errorf("WAF cannot test %s", c.Field)
	}
	switch c.Op {
	case finding.OpPresent:
		return notEmpty(field), nil
	case finding.OpAbsent:
		return empty(field), nil
	}
	position, ok := map[string]string{
		finding.OpEquals: "EXACTLY", finding.OpIn: "EXACTLY", finding.OpPrefix: "STARTS_WITH", finding.OpContains: "CONTAINS",
	}[c.Op]
	if !ok {
		return nil, fmt.Errorf("WAF cannot test %s %s", c.Field, c.Op)
	}
	if len(c.Values) == 0 || len(c.Values) > wafStatements {
		return nil, fmt.Errorf("%d values of %s are more than one rule should hold", len(c.Values), c.Field)
	}
	var any []obj
	for _, v := range c.Values {
		one := match(field, position, v, c.Field == names.URLPath)
		if one == nil {
			return nil, fmt.Errorf("%s is longer than WAF's %d bytes of a regular expression", strconv.Quote(v), wafRegexBytes)
		}
		any = append(any, one)
	}
	return join("OrStatement", any), nil
}

// notEmpty holds where a field is there and has something in it. A statement on
// a header that is missing never holds, so empty is its negation rather than a
// size of 0.
func notEmpty(field obj) obj {
	return obj{"SizeConstraintStatement": obj{"FieldToMatch": field, "ComparisonOperator": "GT", "Size": 0, "TextTransformations": noTransformation}}
}

func empty(field obj) obj { return obj{"NotStatement": obj{"Statement": notEmpty(field)}} }

// match tests a field for one value. A value that the finding had to cut, or that
// is longer than WAF can search for, is tested by its beginning. It is nil where
// WAF has no room for it.
func match(field obj, position, v string, isPath bool) obj {
	if v == "" {
		return empty(field)
	}
	if re, ok := templateRegexp(v); ok && isPath {
		if len(re) > wafRegexBytes {
			return nil
		}
		return obj{"RegexMatchStatement": obj{"FieldToMatch": field, "RegexString": re, "TextTransformations": noTransformation}}
	}
	whole, isCut := strings.CutSuffix(v, "…")
	if isCut || len(whole) > wafSearchBytes {
		v = whole[:min(len(whole), wafSearchBytes)]
		if position == "EXACTLY" {
			position = "STARTS_WITH"
		}
	}
	return obj{"ByteMatchStatement": obj{
		"FieldToMatch": field, "PositionalConstraint": position, "SearchString": v, "TextTransformations": noTransformation,
	}}
}

var noTransformation = []obj{{"Priority": 0, "Type": "NONE"}}

// addresses puts the prefixes into sets, since one set holds one version and at
// most 10,000.
func (d *wafDoc) addresses(name string, c *finding.Condition) (obj, error) {
	var v4, v6 []netip.Prefix
	for _, p := range prefixes(c.Values) {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	var any []obj
	for _, part := range []struct {
		version string
		ps      []netip.Prefix
	}{{"IPV4", v4}, {"IPV6", v6}} {
		for n := 0; len(part.ps) > 0; n++ {
			k := min(len(part.ps), wafSetAddresses)
			set := wafSet{
				Name: fmt.Sprintf("%s-%s-%d", name, part.version, n+1), Scope: "REGIONAL",
				Description: "Proposed by vigie, to be reviewed", IPAddressVersion: part.version,
			}
			for _, p := range part.ps[:k] {
				set.Addresses = append(set.Addresses, p.String())
			}
			part.ps = part.ps[k:]
			d.IPSets = append(d.IPSets, set)
			any = append(any, obj{"IPSetReferenceStatement": obj{"ARN": "${arn:" + set.Name + "}"}})
		}
	}
	if len(any) == 0 {
		return nil, fmt.Errorf("it names no address that could be blocked")
	}
	return join("OrStatement", any), nil
}
