package configstate

import (
	"errors"
	"testing"
)

func TestWhatRunsAndWhatBecameOfTheRest(t *testing.T) {
	s := New(nil)
	_, changed := s.Now()
	s.Started(Hash{1})
	select {
	case <-changed:
	default:
		t.Fatal("nobody was told of the start")
	}
	bad := errors.New("bad")
	for _, step := range []struct {
		do      func()
		running Hash
		problem error
	}{
		{func() { s.Refused(bad) }, Hash{1}, bad},
		{s.Withdrawn, Hash{1}, nil},
		{func() { s.Applied(Hash{2}) }, Hash{2}, nil},
		{func() { s.Reverted(Hash{2}, bad) }, Hash{2}, bad},
		{func() { s.Kept(Hash{3}, bad) }, Hash{3}, bad},
	} {
		step.do()
		now, _ := s.Now()
		if now.Running != step.running || !errors.Is(now.Problem, step.problem) {
			t.Errorf("got %s, %v; want %s, %v", now.Running, now.Problem, step.running, step.problem)
		}
	}
	now, _ := s.Now()
	if now.Applied != 1 || now.Refused != 1 || now.Reverted != 1 {
		t.Errorf("counts: %+v", now)
	}
}

// A float64 must hold the number exactly, or two configurations could look alike.
func TestAHashIsTheSameAsTextAndAsNumber(t *testing.T) {
	h := Hash{0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 9}
	if h.String() != "fffffffffffe" || uint64(h.Number()) != 0xfffffffffffe {
		t.Errorf("%s %d", h, uint64(h.Number()))
	}
}
