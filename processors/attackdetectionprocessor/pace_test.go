package attackdetectionprocessor

import (
	"testing"
	"time"

	"github.com/vigie-otel/vigie/internal/eventclock"
)

var noon = time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)

func TestLiveRequestsAreJudgedByTheWallClock(t *testing.T) {
	p := pace{mode: "auto"}
	for i, at := range []time.Duration{0, -time.Second, -90 * time.Second, 0} {
		nano, step := p.see(noon.Add(at).UnixNano(), noon)
		if step != eventclock.Same || nano != noon.Add(at).UnixNano() {
			t.Errorf("request %d: %v %v", i, time.Unix(0, nano), step)
		}
	}
	if nano, _ := p.see(noon.Add(30*time.Second).UnixNano(), noon); nano != noon.UnixNano() {
		t.Errorf("a request from the future is at %v", time.Unix(0, nano).UTC())
	}
	if nano, _ := p.see(0, noon); nano != noon.UnixNano() {
		t.Errorf("a request without a time is at %v", time.Unix(0, nano).UTC())
	}
	now, ok := p.due(noon.Add(1500 * time.Millisecond))
	if !ok || !now.Equal(noon.Add(time.Second)) {
		t.Errorf("due %v %v", now, ok)
	}
	if _, ok := p.due(noon.Add(1900 * time.Millisecond)); ok {
		t.Error("the same second was due twice")
	}
}

func TestANodeWithAWrongClockMovesNothingWhileOthersAreLive(t *testing.T) {
	p := pace{mode: "auto"}
	for i := range 100 {
		wall := noon.Add(time.Duration(i) * 100 * time.Millisecond)
		p.see(wall.UnixNano(), wall)
		for _, off := range []time.Duration{24 * time.Hour, -10 * time.Minute} {
			if _, step := p.see(wall.Add(off).UnixNano(), wall); step != eventclock.Same || !p.live {
				t.Fatalf("off by %v: step %v, live %v", off, step, p.live)
			}
		}
	}
}

func TestARecordingIsJudgedByItsOwnTimeAndPausesAreBridged(t *testing.T) {
	p := pace{mode: "auto"}
	old := noon.Add(-300 * 24 * time.Hour)
	var ticks []time.Duration
	for i := range 40 { // ten requests a second, played back at once
		if _, step := p.see(old.Add(time.Duration(i)*100*time.Millisecond).UnixNano(), noon); step == eventclock.NewSecond {
			ticks = append(ticks, p.second().Sub(old))
		}
	}
	if len(ticks) != 4 || ticks[3] != 3*time.Second {
		t.Errorf("ticks %v", ticks)
	}
	if _, ok := p.due(noon.Add(2 * time.Second)); ok {
		t.Error("time moved on although the recording may only be slow")
	}
	now, ok := p.due(noon.Add(10 * time.Second))
	if !ok || now.Sub(old) != 10*time.Second {
		t.Errorf("after a pause of 10 s: %v %v", now.Sub(old), ok)
	}
}

func TestGoingFromOneClockToTheOtherBeginsAnewWhereTimeGoesBack(t *testing.T) {
	p := pace{mode: "auto"}
	p.see(noon.UnixNano(), noon)
	p.due(noon.Add(time.Second))
	wall := noon.Add(20 * time.Second) // nothing live for a while
	old := noon.Add(-24 * time.Hour)
	rewound := 0
	for i := range 10 {
		if _, step := p.see(old.Add(time.Duration(i)*time.Second).UnixNano(), wall); step == eventclock.Rewound {
			rewound++
		}
	}
	if rewound != 1 || p.live {
		t.Fatalf("to a recording: rewound %d times, live %v", rewound, p.live)
	}
	if _, step := p.see(wall.UnixNano(), wall); step != eventclock.Same || !p.live {
		t.Errorf("back to live, later than the recording: %v, live %v", step, p.live)
	}

	q := pace{mode: "auto"}
	future := noon.Add(24 * time.Hour)
	for i := range 10 {
		if _, step := q.see(future.Add(time.Duration(i)*time.Second).UnixNano(), noon); step == eventclock.NewSecond {
			q.second()
		}
	}
	if _, step := q.see(noon.UnixNano(), noon); step != eventclock.Rewound {
		t.Errorf("live after a recording of the future: %v", step)
	}
}

func TestAClockThatIsConfiguredIsKept(t *testing.T) {
	old := noon.Add(-24 * time.Hour)
	wall := pace{mode: "wall"}
	if nano, _ := wall.see(old.UnixNano(), noon); !wall.live || nano != old.UnixNano() {
		t.Error("clock wall followed the requests")
	}
	event := pace{mode: "event"}
	for range 5 {
		event.see(noon.UnixNano(), noon)
	}
	if event.live || event.moved.IsZero() {
		t.Error("clock event followed the wall")
	}
}
