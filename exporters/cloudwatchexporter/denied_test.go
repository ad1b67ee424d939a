package cloudwatchexporter

import (
	"testing"
	"time"

	"go.uber.org/zap"
)

// What is left of a request stands at the head of the queue: nothing can arrive
// after it, so what arrived just before must count as well, or it waits for ever.
func TestADeniedGroupIsGivenUpOnlyWhereSomethingElseArrivedLately(t *testing.T) {
	denied := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		success time.Time
		after   time.Duration
		want    bool
	}{
		"written just before, and the time is over": {denied.Add(-time.Millisecond), 5 * time.Minute, true},
		"written just before, and it is not":        {denied.Add(-time.Millisecond), 4 * time.Minute, false},
		"written since":                             {denied.Add(time.Second), 5 * time.Minute, true},
		"written long before":                       {denied.Add(-2 * beside), time.Hour, false},
		"nothing was ever written":                  {time.Time{}, time.Hour, false},
	} {
		s := newSender(createDefaultConfig(), nil, zap.NewNop(), nil)
		s.success = c.success
		s.now = func() time.Time { return denied }
		if s.block("/denied") {
			t.Errorf("%s: given up at once", name)
		}
		s.now = func() time.Time { return denied.Add(c.after) }
		if got := s.block("/denied"); got != c.want {
			t.Errorf("%s: given up %v, want %v", name, got, c.want)
		}
	}
}
