package replaycmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/internal/replay"
)

type flags struct {
	scenario, speed, out, labels, otlp, start, format, service string
	seed                                                       uint64
	scale, intensity                                           float64
	duration                                                   time.Duration
	list, show, truncate, calm, raw, quiet                     bool
}

// New is `vigie replay`.
func New() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "replay --scenario NAME|FILE.yaml [--out FILE | --otlp HOST:PORT]",
		Short: "make labelled traffic: a site's day, its crowds, and attacks",
		Long: `Makes the requests of a scenario: people, crowds that are no attack, attacks.
The same scenario, seed and scale give the same traffic. docs/replay.md says how
to write a scenario of your own; --list names the built-in ones.`,
		Example: `  vigie replay --list
  vigie replay --scenario semi-final --seed 7 --scale 0.05 --out sf.log --labels sf.csv
  vigie replay --scenario semi-final --scale 0.2 --speed 1 --out live.log
  vigie replay --scenario goal --speed 1 --otlp 127.0.0.1:4317`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	p := cmd.Flags()
	p.StringVar(&f.scenario, "scenario", "", "built-in scenario or YAML file")
	p.Uint64Var(&f.seed, "seed", 1, "what differs from run to run: paths, addresses, devices, the attacks' styles")
	p.Float64Var(&f.scale, "scale", 1, "multiplies all rates and numbers of people")
	p.StringVar(&f.speed, "speed", "max", "event seconds a second, e.g. 1 for real time; max for as fast as it goes")
	p.StringVar(&f.out, "out", "", "file to write lines to, - for standard output")
	p.StringVar(&f.labels, "labels", "", "file to write the truth about each line to (CSV; .gz compresses); a summary goes beside it, with "+replay.TruthSuffix)
	p.StringVar(&f.otlp, "otlp", "", "OTLP/gRPC endpoint to send log records to, e.g. 127.0.0.1:4317")
	p.BoolVar(&f.raw, "otlp-raw", false, "send raw lines in the records' bodies instead of attributes")
	p.StringVar(&f.service, "service", "", "service.name with --otlp; default the site's model")
	p.StringVar(&f.format, "format", string(replay.Combined), "of the lines: "+formats())
	p.StringVar(&f.start, "start", "", "event time of the beginning (RFC 3339); default a fixed day, or now with --speed 1")
	p.DurationVar(&f.duration, "duration", 0, "stop after that much event time")
	p.Float64Var(&f.intensity, "intensity", 0, "rate of every attack as a multiple of the background's, whatever the scenario says, e.g. 0.5")
	p.BoolVar(&f.calm, "without-attacks", false, "leave the attacks out; the people are the same")
	p.BoolVar(&f.list, "list", false, "describe the built-in scenarios")
	p.BoolVar(&f.show, "show", false, "print the scenario's YAML and stop")
	p.BoolVar(&f.truncate, "truncate", true, "begin the file anew; false appends")
	p.BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	return cmd
}

func formats() string {
	var out []string
	for _, f := range replay.Formats {
		out = append(out, string(f))
	}
	return strings.Join(out, ", ")
}

func (f *flags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if f.list {
		return list(stdout)
	}
	if f.scenario == "" {
		return errors.New("--scenario is required; --list names the built-in ones")
	}
	if f.show {
		text, err := replay.Source(f.scenario)
		if err != nil {
			return err
		}
		_, err = stdout.Write(text)
		return err
	}
	scenario, err := load(f.scenario)
	if err != nil {
		return err
	}
	speed, options, err := f.options()
	if err != nil {
		return err
	}
	g, err := replay.New(scenario, options)
	if err != nil {
		return err
	}
	sink, closeSink, err := f.sink(g, stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSink()) }()
	var labels *replay.Labels
	if f.labels != "" {
		if labels, err = replay.CreateLabels(f.labels, g.Truth()); err != nil {
			return err
		}
	}
	pace := replay.Pace{Speed: speed}
	if !f.quiet {
		pace.Report = progress(stderr, scenario, f.scale)
	}
	began := time.Now()
	err = replay.Run(ctx, g, sink, labels, pace)
	if errors.Is(err, context.Canceled) {
		err = nil // what was made until then is whole lines, and labelled
	}
	if labels != nil {
		err = errors.Join(err, labels.Close(g.Truth()))
	}
	if !f.quiet && err == nil {
		summary(stderr, g, sink, time.Since(began))
	}
	return err
}

func load(name string) (*replay.Scenario, error) {
	if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		return replay.Builtin(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	s, err := replay.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (f *flags) options() (speed float64, o replay.Options, err error) {
	o = replay.Options{Seed: f.seed, Scale: f.scale, Duration: f.duration, Intensity: f.intensity, WithoutAttacks: f.calm}
	if f.speed != "max" {
		if speed, err = strconv.ParseFloat(f.speed, 64); err != nil || !(speed > 0) || math.IsInf(speed, 0) {
			return 0, o, fmt.Errorf("--speed must be max or a number above 0 (got %q), e.g. 1", f.speed)
		}
		o.Start = time.Now().UTC()
	}
	if f.start != "" {
		if o.Start, err = time.Parse(time.RFC3339, f.start); err != nil {
			return 0, o, fmt.Errorf("--start must be a time (got %q), e.g. 2026-07-14T20:45:00Z", f.start)
		}
	}
	if !slices.Contains(replay.Formats, replay.Format(f.format)) {
		return 0, o, fmt.Errorf("--format must be one of %s (got %q)", formats(), f.format)
	}
	return speed, o, nil
}

// sink opens where the requests go.
func (f *flags) sink(g *replay.Generator, stdout io.Writer) (replay.Sink, func() error, error) {
	format := replay.Format(f.format)
	switch {
	case (f.otlp == "") == (f.out == ""):
		return nil, nil, errors.New("give one of --out FILE and --otlp HOST:PORT")
	case f.otlp != "":
		o := replay.OTLPOptions{Endpoint: f.otlp, Service: f.service}
		if o.Service == "" {
			o.Service = g.Service()
		}
		if f.raw {
			o.Raw = format
		}
		sink, err := replay.NewOTLP(o)
		if err != nil {
			return nil, nil, err
		}
		return sink, sink.Close, nil
	case f.out == "-":
		return replay.NewLines(stdout, format), func() error { return nil }, nil
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if !f.truncate {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	file, err := os.OpenFile(f.out, mode, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("open output: %w", err)
	}
	return replay.NewLines(file, format), file.Close, nil
}

// progress prints a line a second, over the one before where stderr is a screen.
func progress(w io.Writer, s *replay.Scenario, scale float64) func(replay.Progress) {
	end := "\n"
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			end = "\x1b[K\r"
		}
	}
	return func(p replay.Progress) {
		under := "no attack"
		if len(p.Attacks) > 0 {
			under = "attack " + strings.Join(p.Attacks, ", ")
		}
		fmt.Fprintf(w, "%s ×%g  %s of %s  %d requests  %.0f/s  lag %s  %s%s", s.Name, scale,
			p.Event.Round(time.Second), s.Duration, p.Lines, p.Rate, p.Lag.Round(time.Millisecond), under, end)
	}
}

func summary(w io.Writer, g *replay.Generator, sink replay.Sink, took time.Duration) {
	t := g.Truth()
	fmt.Fprintf(w, "\n%s on a %s, seed %d, scale %g: %d requests in %s (%.0f/s)\n", t.Scenario, t.Site, t.Seed, t.Scale, t.Lines, took.Round(time.Millisecond), float64(t.Lines)/took.Seconds())
	for _, a := range t.Attacks {
		fmt.Fprintf(w, "  attack %s: %s, %d requests of %d clients, %s to %s, %+.0f %% of the background (target %s, agents %s, addresses %s, timing %s)\n",
			a.ID, a.Class, a.Requests, a.Clients, a.FirstRequest.Format(time.TimeOnly), a.LastRequest.Format(time.TimeOnly), a.Intensity*100,
			a.Style.Target, a.Style.Agents, a.Style.Addresses, a.Style.Timing)
	}
	for _, c := range t.Crowds {
		fmt.Fprintf(w, "  crowd %s: %s to %s\n", c.Class, c.Start.Format(time.TimeOnly), c.End.Format(time.TimeOnly))
	}
	if o, ok := sink.(*replay.OTLP); ok && o.Refused() > 0 {
		fmt.Fprintf(w, "  the receiver refused %d records\n", o.Refused())
	}
	if t.SessionsDropped > 0 {
		fmt.Fprintf(w, "  %d visits were beyond the limit and left out\n", t.SessionsDropped)
	}
}

func list(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SCENARIO\tSITE\tLASTS\tVERDICT\tWHAT HAPPENS")
	for _, name := range replay.Names() {
		s, err := replay.Builtin(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.Site, short(time.Duration(s.Duration)), s.Expect, s.Description)
	}
	return t.Flush()
}

// short is 8m rather than 8m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
