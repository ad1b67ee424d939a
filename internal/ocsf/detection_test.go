package ocsf_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/ocsf"
	"github.com/vigie-otel/vigie/internal/ocsf/ocsftest"
)

func TestTheSmallestDetectionIsValid(t *testing.T) {
	for _, a := range []ocsf.Activity{ocsf.Create, ocsf.Update, ocsf.Close} {
		d := ocsf.Detection{
			Activity: a, Severity: ocsf.Low, Time: time.Unix(1_750_000_000, 0),
			Finding: ocsf.FindingInfo{UID: "f"},
		}
		m := pcommon.NewMap()
		d.Put(m)
		require.NoError(t, ocsftest.Check(m))
		id, _ := m.Get("type_uid")
		require.EqualValues(t, 200400+int64(a), id.Int())
	}
}

func TestACountBeyond32BitsIsHeldAtTheMaximum(t *testing.T) {
	d := ocsf.Detection{
		Activity: ocsf.Create, Severity: ocsf.High, Time: time.Unix(1_750_000_000, 0),
		Finding: ocsf.FindingInfo{UID: "f"}, Count: 1 << 40,
	}
	m := pcommon.NewMap()
	d.Put(m)
	require.NoError(t, ocsftest.Check(m))
}
