package score

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
)

// MarkScore is how the marks of one log compare with its labels.
type MarkScore struct {
	Lines  int64 `json:"lines"` // labelled, or up to the last mark
	Attack int64 `json:"attack_requests"`
	Legit  int64 `json:"legitimate_requests"`
	Marked int64 `json:"marked"`
	// FalseMarked is how many of Marked are legitimate.
	FalseMarked int64 `json:"falsely_marked"`
	// Precision is the share of the marked that is attack; 1 when nothing was
	// marked.
	Precision float64       `json:"precision"`
	Attacks   []AttackMarks `json:"attacks"`
	// Stray lists the findings whose marks are mostly legitimate requests.
	Stray []string `json:"stray_findings"`
}

// AttackMarks is how one attack was marked.
type AttackMarks struct {
	ID       string `json:"id"`
	Class    string `json:"class"`
	Requests int64  `json:"requests"`
	Marked   int64  `json:"marked"`
	// FirstLine and FirstMark are lines; FirstMark is 0 when none was marked.
	FirstLine int64 `json:"first_line"`
	LastLine  int64 `json:"last_line"`
	FirstMark int64 `json:"first_mark"`
	// AfterOpen is the requests from the first marked one on, and Recall the
	// marked share of them.
	AfterOpen int64    `json:"after_open"`
	Recall    float64  `json:"recall"`
	Findings  []string `json:"findings"` // that marked it more than they marked others
	// MarkDelay is from the first attack request to the first marked one, in event
	// time; known where the truth says when lines were written (to the second).
	MarkDelay *time.Duration `json:"mark_delay_ns,omitempty"`
	// OpenDelay and CloseDelay are from the first and the last request to the
	// opening and the closing of the earliest finding; known with findings.
	OpenDelay  *time.Duration `json:"open_delay_ns,omitempty"`
	CloseDelay *time.Duration `json:"close_delay_ns,omitempty"`
}

// maxFindings bounds the findings that are told apart.
const maxFindings = 100_000

// Marks compares marks with labels, both in the order of lines. truth and
// findings add times and may be nil.
func Marks(marks *MarkReader, labels *LabelReader, truth *replay.Truth, findings []finding.Finding) (*MarkScore, error) {
	s := &MarkScore{Precision: 1}
	index := map[string]int{}               // attack id → s.Attacks
	owners := map[string]map[string]int64{} // finding → attack id ("" legitimate) → marks
	mark, markErr := marks.Next()
	label, labelErr := labels.Next()
	for {
		if markErr != nil && !errors.Is(markErr, io.EOF) {
			return nil, markErr
		}
		if labelErr != nil && !errors.Is(labelErr, io.EOF) {
			return nil, labelErr
		}
		if markErr != nil && labelErr != nil {
			break
		}
		marked := markErr == nil && (labelErr != nil || mark.Line <= label.Line)
		labelled := labelErr == nil && (markErr != nil || label.Line <= mark.Line)
		var of Label // a line that no label lists is legitimate
		if labelled {
			of = label
		}
		s.Lines++
		if marked {
			s.Marked++
			if owners[mark.Finding] == nil && len(owners) < maxFindings {
				owners[mark.Finding] = map[string]int64{}
			}
			if o := owners[mark.Finding]; o != nil {
				o[of.ID]++
			}
		}
		if of.Attack {
			s.attack(index, of, marked)
		} else {
			s.Legit++
			if marked {
				s.FalseMarked++
			}
		}
		if marked {
			mark, markErr = marks.Next()
		}
		if labelled {
			label, labelErr = labels.Next()
		}
	}
	if s.Marked > 0 {
		s.Precision = float64(s.Marked-s.FalseMarked) / float64(s.Marked)
	}
	s.attribute(index, owners)
	s.times(truth, findings)
	return s, nil
}

func (s *MarkScore) attack(index map[string]int, of Label, marked bool) {
	s.Attack++
	i, ok := index[of.ID]
	if !ok {
		i = len(s.Attacks)
		index[of.ID] = i
		s.Attacks = append(s.Attacks, AttackMarks{ID: of.ID, Class: of.Class, FirstLine: of.Line})
	}
	a := &s.Attacks[i]
	a.Requests++
	a.LastLine = of.Line
	if marked {
		a.Marked++
		if a.FirstMark == 0 {
			a.FirstMark = of.Line
		}
	}
	if a.FirstMark > 0 {
		a.AfterOpen++
	}
}

// attribute gives each finding to whom most of its marks hit.
func (s *MarkScore) attribute(index map[string]int, owners map[string]map[string]int64) {
	for id, hits := range owners {
		best, most := "", int64(-1)
		for attack, n := range hits {
			if n > most || n == most && attack > best {
				best, most = attack, n
			}
		}
		if i, ok := index[best]; ok {
			s.Attacks[i].Findings = append(s.Attacks[i].Findings, id)
		} else {
			s.Stray = append(s.Stray, id)
		}
	}
	slices.Sort(s.Stray)
	for i := range s.Attacks {
		a := &s.Attacks[i]
		slices.Sort(a.Findings)
		if a.AfterOpen > 0 {
			a.Recall = float64(a.Marked) / float64(a.AfterOpen)
		}
	}
}

func (s *MarkScore) times(truth *replay.Truth, findings []finding.Finding) {
	if truth == nil {
		return
	}
	for i := range s.Attacks {
		a := &s.Attacks[i]
		var first, last time.Time
		for _, t := range truth.Attacks {
			if t.ID == a.ID {
				first, last = t.FirstRequest, t.LastRequest
			}
		}
		if first.IsZero() {
			continue
		}
		if a.FirstMark > 0 && len(truth.Seconds) > 0 {
			at := truth.Start.Add(time.Duration(truth.SecondOf(a.FirstMark)) * time.Second)
			a.MarkDelay = new(max(0, at.Sub(first)))
		}
		for _, f := range findings {
			if !slices.Contains(a.Findings, f.ID) || f.DetectedAt.Before(first) {
				continue
			}
			if d := f.DetectedAt.Sub(first); a.OpenDelay == nil || d < *a.OpenDelay {
				a.OpenDelay = &d
			}
			if f.Status == finding.Closed && !f.ClosedAt.IsZero() {
				if d := f.ClosedAt.Sub(last); a.CloseDelay == nil || d > *a.CloseDelay {
					a.CloseDelay = &d
				}
			}
		}
	}
}
