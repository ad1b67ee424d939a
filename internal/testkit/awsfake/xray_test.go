package awsfake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/require"
)

// segment is a sound segment document; old is replaced by with in it.
func segment(at time.Time, replacements ...string) string {
	start := float64(at.UnixMilli()) / 1000
	d := fmt.Sprintf(`{"name":"checkout","id":"70de5b6f19ff9a0a","trace_id":"1-%08x-a006649127e371903a2de979","start_time":%f,"end_time":%f,`+
		`"http":{"request":{"method":"GET","url":"https://shop/"},"response":{"status":200}},"annotations":{"zone":"a","n":1,"vip":true},`+
		`"subsegments":[{"id":"53995c3f42cd8ad8","name":"api.example.com","namespace":"remote","start_time":%f,"end_time":%f}]}`, at.Unix(), start, start+0.2, start, start+0.1)
	return strings.NewReplacer(replacements...).Replace(d)
}

func TestSegmentsAreTakenOneByOneOrNamed(t *testing.T) {
	s := Start(t, Options{})
	client := xray.NewFromConfig(config(s))
	now := time.Now()
	out, err := client.PutTraceSegments(t.Context(), &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{segment(now), segment(now, `"name":"checkout",`, "")}})
	require.NoError(t, err)
	if len(out.UnprocessedTraceSegments) != 1 || aws.ToString(out.UnprocessedTraceSegments[0].ErrorCode) != "ParseError" || len(s.TakeViolations()) != 1 {
		t.Errorf("%+v", out.UnprocessedTraceSegments)
	}
	if got := s.Segments(); len(got) != 1 || got[0].Name != "checkout" || got[0].End.Sub(got[0].Start).Round(time.Millisecond) != 200*time.Millisecond {
		t.Errorf("%+v", got)
	}
	_, err = client.PutTelemetryRecords(t.Context(), &xray.PutTelemetryRecordsInput{TelemetryRecords: []types.TelemetryRecord{{Timestamp: aws.Time(now)}}})
	require.NoError(t, err)
	s.Inject(XRay, Fault{Kind: PartialRejection, Entries: 1, Times: 1})
	out, err = client.PutTraceSegments(t.Context(), &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{segment(now), segment(now)}})
	require.NoError(t, err)
	if len(out.UnprocessedTraceSegments) != 1 || len(s.Segments()) != 2 {
		t.Errorf("%+v", out.UnprocessedTraceSegments)
	}
}

func TestASegmentThatBreaksTheSchemaIsNamed(t *testing.T) {
	now := time.Now()
	var many strings.Builder
	for i := range 50 {
		fmt.Fprintf(&many, `"k%d":1,`, i)
	}
	for what, c := range map[string]struct{ document, want string }{
		"sound":                        {segment(now), ""},
		"in progress":                  {segment(now, `,"http":`, `,"in_progress":true,"http":`), "either end_time or in_progress"},
		"a W3C trace id":               {segment(now, "1-", ""), "trace_id"},
		"a short id":                   {segment(now, "70de5b6f19ff9a0a", "70de"), "16 hex digits"},
		"no start":                     {segment(now, `"start_time"`, `"started"`), "start_time is missing"},
		"a name with a bracket":        {segment(now, "checkout", "check<out>"), "name"},
		"a long name":                  {segment(now, "checkout", strings.Repeat("x", 201)), "name"},
		"another namespace":            {segment(now, "remote", "local"), "namespace"},
		"a status out of range":        {segment(now, "200}", "20000}"), "status"},
		"a bad annotation key":         {segment(now, `"zone"`, `"zo-ne"`), "annotation key"},
		"a list as annotation":         {segment(now, `"zone":"a"`, `"zone":["a"]`), "neither string"},
		"53 annotations":               {segment(now, `"zone":"a"`, many.String()+`"zone":"a"`), "53 annotations"},
		"31 days old":                  {segment(now.Add(-31 * 24 * time.Hour)), "30 days"},
		"65 kB":                        {segment(now, "checkout", strings.Repeat("x", MaxSegmentBytes)), "at most 65536"},
		"a subsegment without its end": {segment(now, `"namespace":"remote",`, `"namespace":"remote","in_progress":true,`), "either end_time or in_progress"},
		"no JSON":                      {"{", "unexpected end"},
	} {
		_, err := ParseSegment(c.document, now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}
