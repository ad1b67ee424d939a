package score

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
)

const labelled = `line,label,class,attack_id
1,legit,viewer,
2,attack,http_flood,a1
3,attack,http_flood,a1
4,legit,viewer,
5,attack,http_flood,a1
6,attack,http_flood,a1
7,attack,path_scanning,a2
8,legit,crawler,
`

func marks(t *testing.T, text, labels string, truth *replay.Truth, findings []finding.Finding) *MarkScore {
	t.Helper()
	s, err := Marks(NewMarkReader(strings.NewReader(text)), NewLabelReader(strings.NewReader(labels)), truth, findings)
	require.NoError(t, err)
	return s
}

func TestMarksAreComparedWithLabels(t *testing.T) {
	s := marks(t, "3\t0.9\tf1\n4\t0.5\tf1\n5\t1\tf1\n8\t0.7\tf2\n", labelled, nil, nil)
	want := &MarkScore{
		Lines: 8, Attack: 5, Legit: 3, Marked: 4, FalseMarked: 2, Precision: 0.5,
		Attacks: []AttackMarks{
			{ID: "a1", Class: "http_flood", Requests: 4, Marked: 2, FirstLine: 2, LastLine: 6, FirstMark: 3, AfterOpen: 3, Recall: 2.0 / 3, Findings: []string{"f1"}},
			{ID: "a2", Class: "path_scanning", Requests: 1, FirstLine: 7, LastLine: 7},
		},
		Stray: []string{"f2"},
	}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
}

func TestALineWithoutALabelIsLegitimate(t *testing.T) {
	s := marks(t, "2\t1\tf\n9\t1\tf\n", "line,label,class,attack_id\n2,attack,slowloris,a\n", nil, nil)
	if s.Legit != 1 || s.FalseMarked != 1 || s.Precision != 0.5 || s.Attacks[0].Recall != 1 {
		t.Errorf("%+v", s)
	}
}

func TestWithoutMarksNothingIsFound(t *testing.T) {
	s := marks(t, "", labelled, nil, nil)
	if s.Marked != 0 || s.Attacks[0].FirstMark != 0 || s.Attacks[0].Recall != 0 || s.Precision != 1 {
		t.Errorf("%+v", s)
	}
}

func TestDelaysComeFromTheTruthAndTheFindings(t *testing.T) {
	start := time.Date(2026, 7, 14, 20, 0, 0, 0, time.UTC)
	truth := &replay.Truth{
		Start: start, Seconds: replay.Counts{1, 1, 1, 1, 4},
		Attacks: []replay.AttackTruth{{ID: "a1", FirstRequest: start.Add(1500 * time.Millisecond), LastRequest: start.Add(4 * time.Second)}},
	}
	f := finding.Finding{ID: "f1", Class: finding.HTTPFlood, Status: finding.Closed, DetectedAt: start.Add(3 * time.Second), ClosedAt: start.Add(64 * time.Second)}
	s := marks(t, "5\t1\tf1\n", labelled, truth, []finding.Finding{f, {ID: "other", DetectedAt: start.Add(2 * time.Second)}})
	a := s.Attacks[0]
	require.NotNil(t, a.MarkDelay)
	require.NotNil(t, a.OpenDelay)
	require.NotNil(t, a.CloseDelay)
	if *a.MarkDelay != 2500*time.Millisecond || *a.OpenDelay != 1500*time.Millisecond || *a.CloseDelay != time.Minute {
		t.Errorf("marked %s, opened %s, closed %s", *a.MarkDelay, *a.OpenDelay, *a.CloseDelay)
	}
}

func TestBadMarksAndLabelsAreNamedByRow(t *testing.T) {
	for _, tc := range []struct{ marks, labels, want string }{
		{"x\t1\tf\n", labelled, "marks row 1: want line number"},
		{"3\t1\tf\n2\t1\tf\n", labelled, "marks row 2: line 2 comes after line 3"},
		{"3\t7\tf\n", labelled, "marks row 1: suspicion must be from 0 to 1"},
		{"", "", "labels: the file is empty"},
		{"", "1,legit,viewer,\n", "labels row 1: want the header"},
		{"", "line,label,class,attack_id\n1,maybe,viewer,\n", "labels row 2: want a line number above 0 and attack or legit"},
		{"", "line,label,class,attack_id\n2,legit,viewer,\n2,legit,viewer,\n", "labels row 3:"},
	} {
		_, err := Marks(NewMarkReader(strings.NewReader(tc.marks)), NewLabelReader(strings.NewReader(tc.labels)), nil, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}

func FuzzReaders(f *testing.F) {
	f.Add("3\t0.9\tf1\n4\t0.5\tf1\n", labelled)
	f.Fuzz(func(t *testing.T, marks, labels string) {
		s, err := Marks(NewMarkReader(strings.NewReader(marks)), NewLabelReader(strings.NewReader(labels)), nil, nil)
		if err != nil {
			return
		}
		if s.Attack+s.Legit != s.Lines || s.FalseMarked > s.Marked || !(s.Precision >= 0 && s.Precision <= 1) {
			t.Errorf("%+v", s)
		}
	})
}
