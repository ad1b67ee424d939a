package k8seventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// offering sends a batch of three events to a pipeline that gives these answers,
// and then takes all; it says how many records each offer had.
func offering(t *testing.T, answers ...func(plog.Logs) error) (offers []int, s *sender) {
	t.Helper()
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		offers = append(offers, logs.LogRecordCount())
		if len(offers) > len(answers) {
			return nil
		}
		return answers[len(offers)-1](logs)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := new(counts)
	s = &sender{next: next, logger: zap.NewNop(), retry: createDefaultConfig().Retry, told: newTold(9), counts: c,
		positions: &positions{counts: c, logger: zap.NewNop(), by: map[string]string{}}}
	b := newBatch()
	b.version = "7"
	for i := range 3 {
		ev := happening(fmt.Sprint(i), 1)
		b.add(&ev, time.Now())
	}
	if !s.send(t.Context(), "", b) || s.positions.get("") != "7" {
		t.Error("the batch is not told")
	}
	return offers, s
}

func TestOnlyWhatWasRefusedIsOfferedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offers, s := offering(t, func(logs plog.Logs) error {
			rest := plog.NewLogs()
			logs.CopyTo(rest)
			first := true
			rest.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(plog.LogRecord) bool {
				taken := first
				first = false
				return taken
			})
			return consumererror.NewLogs(errors.New("one fitted"), rest)
		})
		if d := cmp.Diff([]int{3, 2}, offers); d != "" {
			t.Error(d)
		}
		if got := s.counts.accepted.Load(); got != 3 {
			t.Errorf("%d accepted, want 3", got)
		}
	})
}

// A processor that took out what it refused would be offered nothing for ever.
func TestWhatAProcessorTookOutBeforeItRefusedIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offers, s := offering(t, func(logs plog.Logs) error {
			logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
			return errors.New("and now full")
		})
		if d := cmp.Diff([]int{3}, offers); d != "" {
			t.Error(d)
		}
		if got := s.counts.dropped[dropVanished].Load(); got != 3 {
			t.Errorf("%d vanished, want 3", got)
		}
	})
}
