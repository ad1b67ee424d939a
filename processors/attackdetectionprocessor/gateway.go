package attackdetectionprocessor

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// What a gateway does with what agents send it: it merges their summaries, and says
// itself what they found.

// ofAgent tells whether a gateway takes a record out of the stream.
func ofAgent(lr plog.LogRecord) bool { return isAgentsSummary(lr) || isAgentsFinding(lr) }

func isAgentsSummary(lr plog.LogRecord) bool {
	if lr.EventName() != names.EventSummary {
		if v, ok := lr.Attributes().Get(names.EventName); !ok || v.Str() != names.EventSummary {
			return false
		}
	}
	scope, ok := lr.Attributes().Get(names.SummaryScope)
	return !ok || scope.Str() != scopeCluster // which is another gateway's
}

func isAgentsFinding(lr plog.LogRecord) bool {
	if !finding.Is(lr) {
		return false
	}
	scope, ok := lr.Attributes().Get(names.FindingScope)
	return ok && scope.Str() == scopeAgent
}

// mergeLocked takes a summary of an agent; true if the record was one.
func (e *engine) mergeLocked(lr plog.LogRecord, wall time.Time) bool {
	if !isAgentsSummary(lr) {
		return false
	}
	if lr.Body().Type() != pcommon.ValueTypeBytes {
		return true // a status without sketches: there was no request
	}
	_, step := e.pace.see(recordTime(lr), wall)
	e.stepLocked(step)
	// A view of the record's bytes: pdata hands them out one by one or copied.
	if err := e.judge.MergeSummary(lr.Body().Bytes().AsRaw()); err != nil {
		e.counts.refused++
		return true
	}
	e.counts.merged++
	return true
}

// supersedeLocked is true for what an agent found in its own node's requests: the
// cluster's finding stands for all of them, or a room would read of one attack
// once a node. Other findings, as conntrack's of a node, pass.
func (e *engine) supersedeLocked(lr plog.LogRecord) bool {
	if !isAgentsFinding(lr) {
		return false
	}
	e.counts.superseded++
	return true
}
