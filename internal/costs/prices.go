package costs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"go.yaml.in/yaml/v3"
)

// Tier is a price a unit up to a quantity; UpTo 0 is the rest.
type Tier struct {
	UpTo float64 `yaml:"up_to" json:"up_to"`
	USD  float64 `yaml:"usd" json:"usd"`
}

// Prices are list prices in US dollars.
type Prices struct {
	Region string `yaml:"region" json:"region"`
	Date   string `yaml:"date" json:"date"` // when they were looked up

	AMPSamples []Tier  `yaml:"amp_samples" json:"amp_samples"` // a sample ingested, a month
	AMPStorage float64 `yaml:"amp_storage" json:"amp_storage"` // a GB and month
	AMPQueries float64 `yaml:"amp_queries" json:"amp_queries"` // a sample that a query reads

	LogsIngested float64 `yaml:"logs_ingested" json:"logs_ingested"` // a GB
	LogsStored   float64 `yaml:"logs_stored" json:"logs_stored"`     // a GB and month, compressed
	Metrics      []Tier  `yaml:"metrics" json:"metrics"`             // a metric and month
	Alarms       float64 `yaml:"alarms" json:"alarms"`               // an alarm and month

	SpansIngested []Tier  `yaml:"spans_ingested" json:"spans_ingested"` // a GB, with Transaction Search
	TracesAPI     float64 `yaml:"traces_api" json:"traces_api"`         // a trace, by X-Ray's older API

	GrafanaEditors float64 `yaml:"grafana_editors" json:"grafana_editors"` // a user and month
	GrafanaViewers float64 `yaml:"grafana_viewers" json:"grafana_viewers"`

	CPUHours  float64 `yaml:"cpu_hours" json:"cpu_hours"`   // a vCPU-hour with the memory that comes with it
	Volumes   float64 `yaml:"volumes" json:"volumes"`       // a GB and month
	CrossZone float64 `yaml:"cross_zone" json:"cross_zone"` // a GB between zones, both directions together
}

// ListPrices are those of us-east-1, in February 2026: the region and the date of
// the CloudWatch exporter's. Other regions are up to a quarter dearer.
func ListPrices() Prices {
	return Prices{
		Region: "us-east-1", Date: "2026-02",
		AMPSamples: []Tier{{2e9, 0.90e-7}, {252e9, 0.35e-7}, {0, 0.16e-7}},
		AMPStorage: 0.03, AMPQueries: 0.10e-9,
		LogsIngested: 0.50, LogsStored: 0.03,
		Metrics: []Tier{{10_000, 0.30}, {250_000, 0.10}, {1_000_000, 0.05}, {0, 0.02}}, Alarms: 0.10,
		SpansIngested: []Tier{{10_000, 0.35}, {30_000, 0.20}, {0, 0.15}}, TracesAPI: 5e-6,
		GrafanaEditors: 9, GrafanaViewers: 5,
		CPUHours: 0.048, Volumes: 0.08, CrossZone: 0.02,
	}
}

// ReadPrices reads YAML over the list prices: what it does not name stays. Keys
// that nobody knows are errors.
func ReadPrices(r io.Reader) (Prices, error) {
	p := ListPrices()
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return p, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("read prices: %w", err)
	}
	return p, p.Validate()
}

// Validate tells everything that is wrong at once.
func (p *Prices) Validate() error {
	var errs []error
	if p.Region == "" || p.Date == "" {
		errs = append(errs, errors.New("prices need a region and a date: whoever reads the estimate must know of when and where they are"))
	}
	for name, usd := range map[string]float64{
		"amp_storage": p.AMPStorage, "amp_queries": p.AMPQueries, "logs_ingested": p.LogsIngested, "logs_stored": p.LogsStored, "alarms": p.Alarms,
		"traces_api": p.TracesAPI, "grafana_editors": p.GrafanaEditors, "grafana_viewers": p.GrafanaViewers,
		"cpu_hours": p.CPUHours, "volumes": p.Volumes, "cross_zone": p.CrossZone,
	} {
		if !(usd >= 0) || math.IsInf(usd, 0) {
			errs = append(errs, fmt.Errorf("%s must not be negative (got %v)", name, usd))
		}
	}
	errs = append(errs, checkTiers("amp_samples", p.AMPSamples), checkTiers("metrics", p.Metrics), checkTiers("spans_ingested", p.SpansIngested))
	return errors.Join(errs...)
}

func checkTiers(name string, tiers []Tier) error {
	from := 0.0
	for i, t := range tiers {
		last := i == len(tiers)-1
		if !(t.USD >= 0) || math.IsInf(t.USD, 0) || last != (t.UpTo == 0) || (!last && !(t.UpTo > from)) {
			return fmt.Errorf("%s must have rising up_to, the last without, and no negative usd (got %v at place %d)", name, t, i+1)
		}
		from = t.UpTo
	}
	if len(tiers) == 0 {
		return fmt.Errorf("%s must have a tier, e.g. [{usd: 0.3}]", name)
	}
	return nil
}

// tiered is the price of a quantity.
func tiered(tiers []Tier, quantity float64) float64 {
	usd, from := 0.0, 0.0
	for _, t := range tiers {
		to := t.UpTo
		if to == 0 || to > quantity {
			to = quantity
		}
		if to > from {
			usd += (to - from) * t.USD
			from = to
		}
	}
	return usd
}
