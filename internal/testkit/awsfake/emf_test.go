package awsfake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// document is a sound embedded metric document; old is replaced by with in it.
func document(at time.Time, replacements ...string) string {
	d := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"ContainerInsights","Dimensions":[["ClusterName"],["ClusterName","NodeName"],[]],`+
		`"Metrics":[{"Name":"node_cpu","Unit":"Percent"},{"Name":"latency","Unit":"Seconds","StorageResolution":1},{"Name":"sizes"},{"Name":"stats"}]}]},`+
		`"ClusterName":"match","NodeName":"ip-10-0-0-10","node_cpu":12.5,"latency":{"Values":[0.1,0.2],"Counts":[3,4],"Min":0.1,"Max":0.2,"Sum":1.1,"Count":7},"sizes":[1,2,3],"stats":{"Min":1,"Max":2,"Sum":3,"Count":2},"extra":"kept"}`, at.UnixMilli())
	return strings.NewReplacer(replacements...).Replace(d)
}

func TestMetricsAreExtractedOncePerDimensionSet(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	client := cloudwatchlogs.NewFromConfig(config(s))
	now := time.Now().Truncate(time.Millisecond)
	_, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		LogEvents: inputs(now, "no metric", document(now), `{"plain":"json"}`),
	})
	require.NoError(t, err)
	all := s.Metrics()
	if len(all) != 12 || s.MetricCount() != 12 || len(s.Events("g", "s")) != 3 {
		t.Fatalf("%d metrics, %d events", len(all), len(s.Events("g", "s")))
	}
	want := Metric{
		Group: "g", Stream: "s", Namespace: "ContainerInsights", Name: "latency", Unit: "Seconds", StorageResolution: 1,
		Dimensions: map[string]string{"ClusterName": "match", "NodeName": "ip-10-0-0-10"}, Time: now,
		Values: []float64{0.1, 0.2}, Counts: []float64{3, 4}, Stats: map[string]float64{"Min": 0.1, "Max": 0.2, "Sum": 1.1, "Count": 7}, Call: 1,
	}
	if diff := cmp.Diff(want, all[4]); diff != "" {
		t.Error(diff)
	}
	if all[0].Value() != 12.5 || all[0].Unit != "Percent" || all[6].Unit != "None" || len(all[6].Counts) != 3 || all[9].Stats["Sum"] != 3 {
		t.Errorf("%+v", all)
	}
}

func TestADocumentThatBreaksTheSpecificationIsNamed(t *testing.T) {
	now := time.Now()
	many := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(parts, ",")
	}
	for what, c := range map[string]struct{ document, want string }{
		"sound":                       {document(now), ""},
		"no timestamp":                {document(now, `"Timestamp"`, `"timestamp_"`), "Timestamp is missing"},
		"15 days old":                 {document(now.Add(-15 * 24 * time.Hour)), "14 days"},
		"3 h ahead":                   {document(now.Add(3 * time.Hour)), "2 hours ahead"},
		"no directive":                {document(now, `"CloudWatchMetrics"`, `"Other"`), "CloudWatchMetrics is empty"},
		"no namespace":                {document(now, "ContainerInsights", ""), "Namespace"},
		"no dimensions":               {document(now, `"Dimensions"`, `"Dims"`), "Dimensions is missing"},
		"31 dimensions":               {document(now, `["ClusterName"]`, "["+many(31, `"d%d"`)+"]"), "31 dimensions"},
		"a dimension without a value": {document(now, `["ClusterName"]`, `["Pod"]`), `dimension "Pod" has no string value`},
		"a dimension that is a number": {document(now, `"match"`, `3`),
			`dimension "ClusterName" has no string value`},
		"a blank dimension":    {document(now, `"match"`, `" "`), "not blank"},
		"a dimension twice":    {document(now, `["ClusterName"]`, `["ClusterName","ClusterName"]`), "twice in a set"},
		"101 metrics":          {document(now, `{"Name":"node_cpu","Unit":"Percent"}`, many(98, `{"Name":"m%d"}`)), "101 metrics"},
		"an unknown unit":      {document(now, `"Percent"`, `"%"`), `Unit "%"`},
		"a resolution of 10 s": {document(now, `"StorageResolution":1`, `"StorageResolution":10`), "StorageResolution 10"},
		"a metric twice":       {document(now, `"Name":"sizes"`, `"Name":"node_cpu"`), "twice"},
		"a missing target":     {document(now, `"sizes":[`, `"other":[`), "no member"},
		"a text as value":      {document(now, `12.5`, `"12.5"`), "no number"},
		"a null as value":      {document(now, `12.5`, `null`), "null"},
		"101 values":           {document(now, `[1,2,3]`, "["+many(101, "%d")+"]"), "101 Values"},
		"an empty array":       {document(now, `[1,2,3]`, "[]"), "empty array"},
		"fewer counts":         {document(now, `"Counts":[3,4]`, `"Counts":[3]`), "2 Values and 1 Counts"},
		"a count of zero":      {document(now, `"Counts":[3,4]`, `"Counts":[3,0]`), "count of 0"},
		"a value too large":    {document(now, `12.5`, `1e200`), "out of CloudWatch's range"},
		"half the statistics":  {document(now, `{"Min":1,"Max":2,`, `{"Min":1,`), "neither Values nor all"},
	} {
		_, err := ParseEMF(c.document, now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

func TestABrokenDocumentIsKeptAsALogEventAndIsAViolation(t *testing.T) {
	s := Start(t, Options{Groups: map[string][]string{"g": {"s"}}})
	_, err := cloudwatchlogs.NewFromConfig(config(s)).PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: inputs(time.Now(), document(time.Now(), `"Percent"`, `"1"`)),
	})
	require.NoError(t, err)
	if v := s.TakeViolations(); len(v) != 1 || len(s.Events("g", "s")) != 1 || len(s.Metrics()) != 0 {
		t.Errorf("%v", v)
	}
}
