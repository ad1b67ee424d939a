package eventclock

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) int64 { return noon.Add(d).UnixNano() }

// started returns a clock that believes it is noon.
func started(t *testing.T) *Clock {
	t.Helper()
	var c Clock
	for i := range Agree {
		want := Same
		if i == Agree-1 {
			want = NewSecond
		}
		if got := c.See(at(0)); got != want {
			t.Fatalf("event %d: %v, want %v", i, got, want)
		}
	}
	return &c
}

func TestEachNewSecondIsToldOnce(t *testing.T) {
	c := started(t)
	for i, step := range []struct {
		after time.Duration
		want  Step
	}{
		{200 * time.Millisecond, Same}, {999 * time.Millisecond, Same}, {time.Second, NewSecond},
		{900 * time.Millisecond, Same}, {1500 * time.Millisecond, Same}, {5 * time.Second, NewSecond},
		{4 * time.Second, Same}, {5999 * time.Millisecond, Same}, {9 * time.Minute, NewSecond},
	} {
		if got := c.See(at(step.after)); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	if got := c.Second(); !got.Equal(noon.Add(9 * time.Minute)) {
		t.Errorf("second %v", got)
	}
}

func TestAStrayStampMovesNothing(t *testing.T) {
	c := started(t)
	for i := range 100 {
		c.See(at(400 * 24 * time.Hour))
		c.See(at(400 * 24 * time.Hour))
		c.See(0)
		if got := c.See(at(time.Duration(i+1) * time.Second)); got != NewSecond {
			t.Fatalf("second %d: %v", i, got)
		}
		c.See(at(-24 * time.Hour))
	}
	if now, ok := c.Now(); !ok || !now.Equal(noon.Add(100*time.Second)) {
		t.Errorf("now %v", now)
	}
}

func TestAFutureFirstStampDoesNotHoldTheClock(t *testing.T) {
	var c Clock
	c.See(at(400 * 24 * time.Hour))
	for range Agree {
		c.See(at(0))
	}
	if now, ok := c.Now(); !ok || !now.Equal(noon) {
		t.Errorf("now %v %v", now, ok)
	}
}

func TestALongSilenceIsBelievedOnceSeveralEventsAgree(t *testing.T) {
	c := started(t)
	night := 8 * time.Hour
	for i := range Agree {
		got, want := c.See(at(night+time.Duration(i)*time.Second)), Same
		if i == Agree-1 {
			want = NewSecond
		}
		if got != want {
			t.Errorf("event %d after the night: %v, want %v", i, got, want)
		}
	}
}

func TestAStreamThatGoesBackForGoodBeginsAnew(t *testing.T) {
	c := started(t)
	for i := range AgreeBack {
		got, want := c.See(at(-5*time.Hour+time.Duration(i)*time.Millisecond)), Same
		if i == AgreeBack-1 {
			want = Rewound
		}
		if got != want {
			t.Fatalf("event %d: %v, want %v", i, got, want)
		}
	}
	if got := c.See(at(-5*time.Hour + 2*time.Second)); got != NewSecond {
		t.Errorf("after the rewind: %v", got)
	}
}
