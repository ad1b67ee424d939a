package ocsftest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestAnEmptyMapIsNoDetectionFinding(t *testing.T) {
	err := Check(pcommon.NewMap())
	require.Error(t, err)
	for _, key := range []string{"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"} {
		if !strings.Contains(err.Error(), "."+key+" is required") {
			t.Errorf("a missing %s is not told: %v", key, err)
		}
	}
}

func TestWrongTypesEnumsUnitsAndStrangersAreTold(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("class_uid", "2004")
	m.PutInt("severity_id", 42)
	m.PutInt("time", 1_750_000_000) // seconds
	m.PutStr("colour", "red")
	m.PutEmptySlice("evidences").AppendEmpty().SetEmptyMap()
	err := Check(m)
	require.Error(t, err)
	for _, want := range []string{
		".class_uid is Str, want integer", ".severity_id is 42", ".time is 1750000000, want milliseconds",
		".colour is no attribute", ".evidences[0] needs one of",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}
