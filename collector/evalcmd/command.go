package evalcmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/score"
)

type files struct {
	marks, labels, truth, findings string
	json                           bool
}

// New is `vigie eval`.
func New() *cobra.Command {
	f := &files{}
	cmd := &cobra.Command{
		Use:   "eval --marks FILE --labels FILE",
		Short: "compare a detector's marks with labels",
		Long: `Compares marks (of vigie detect --marks: line, suspicion, finding id) with labels
(of vigie replay --labels: line,label,class,attack_id). Delays need the summary
that replay writes beside the labels; those to a finding's opening and closing
also the findings (what vigie detect printed). Files may be gzip or zstd.`,
		Example: `  vigie replay --scenario semi-final --seed 7 --scale 0.05 --out sf.log --labels sf.csv
  vigie detect sf.log --marks m.tsv > findings.jsonl
  vigie eval --marks m.tsv --labels sf.csv --findings findings.jsonl`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout()) },
	}
	p := cmd.Flags()
	p.StringVar(&f.marks, "marks", "", "marks to judge (required)")
	p.StringVar(&f.labels, "labels", "", "the truth (required)")
	p.StringVar(&f.truth, "truth", "", "summary of the truth; default the labels' path with "+replay.TruthSuffix+", where it exists")
	p.StringVar(&f.findings, "findings", "", "findings as JSON lines")
	p.BoolVar(&f.json, "json", false, "print JSON")
	cmd.AddCommand(newRun())
	return cmd
}

func (f *files) run(w io.Writer) error {
	if f.marks == "" || f.labels == "" {
		return errors.New("--marks and --labels are required")
	}
	marks, closeMarks, err := open(f.marks)
	if err != nil {
		return err
	}
	defer closeMarks()
	labels, closeLabels, err := open(f.labels)
	if err != nil {
		return err
	}
	defer closeLabels()
	truth, err := f.readTruth()
	if err != nil {
		return err
	}
	findings, err := f.readFindings()
	if err != nil {
		return err
	}
	s, err := score.Marks(score.NewMarkReader(marks), score.NewLabelReader(labels), truth, findings)
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	show(w, s, truth != nil)
	return nil
}

func open(path string) (io.Reader, func() error, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open: %w", err)
	}
	r, err := score.Decompress(path, file)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return r, file.Close, nil
}

func (f *files) readTruth() (*replay.Truth, error) {
	path := f.truth
	if path == "" {
		path = f.labels + replay.TruthSuffix
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && f.truth == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	t := &replay.Truth{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("read truth %s: %w", path, err)
	}
	return t, nil
}

func (f *files) readFindings() ([]finding.Finding, error) {
	if f.findings == "" {
		return nil, nil
	}
	r, done, err := open(f.findings)
	if err != nil {
		return nil, err
	}
	defer done()
	var out []finding.Finding
	d := json.NewDecoder(bufio.NewReader(r))
	for {
		var one finding.Finding
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read findings: %w", err)
		}
		out = append(out, one)
	}
}

func show(w io.Writer, s *score.MarkScore, timed bool) {
	fmt.Fprintf(w, "%d requests, %d of attacks; %d marked\n", s.Lines, s.Attack, s.Marked)
	fmt.Fprintf(w, "precision  %.4f  (%d legitimate requests marked, %.4f %% of them)\n", s.Precision, s.FalseMarked, 100*float64(s.FalseMarked)/float64(max(1, s.Legit)))
	for _, a := range s.Attacks {
		fmt.Fprintf(w, "\nattack %s (%s): %d requests, lines %d to %d\n", a.ID, a.Class, a.Requests, a.FirstLine, a.LastLine)
		if a.FirstMark == 0 {
			fmt.Fprintln(w, "  not marked")
			continue
		}
		fmt.Fprintf(w, "  recall     %.4f  after the finding opened (%d of %d); %.4f of the whole attack\n", a.Recall, a.Marked, a.AfterOpen, float64(a.Marked)/float64(a.Requests))
		delay(w, "opened", a.OpenDelay, "after the first attack request")
		delay(w, "marked", a.MarkDelay, "after the first attack request, to the second")
		delay(w, "closed", a.CloseDelay, "after the last attack request")
		fmt.Fprintf(w, "  findings   %d\n", len(a.Findings))
	}
	if len(s.Stray) > 0 {
		fmt.Fprintf(w, "\n%d findings mark mostly legitimate requests: %v\n", len(s.Stray), s.Stray)
	}
	if !timed && len(s.Attacks) > 0 {
		fmt.Fprintln(w, "\nno delays: the labels have no summary beside them (--truth)")
	}
}

func delay(w io.Writer, what string, d *time.Duration, after string) {
	if d != nil {
		fmt.Fprintf(w, "  %-10s %.1f s %s\n", what, d.Seconds(), after)
	}
}
