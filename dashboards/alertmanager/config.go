package alertmanager

import "github.com/vigie-otel/vigie/dashboards/rules"

// Receivers.
const (
	Wake = "wake" // somebody's phone
	Look = "look" // a channel
)

// config is Alertmanager's own format, as much of it as is used here.
type config struct {
	Global    map[string]string `yaml:"global,omitempty"`
	Route     route             `yaml:"route"`
	Inhibit   []inhibition      `yaml:"inhibit_rules"`
	Receivers []receiver        `yaml:"receivers"`
}

type route struct {
	Matchers []string `yaml:"matchers,omitempty"`
	Receiver string   `yaml:"receiver"`
	GroupBy  []string `yaml:"group_by,omitempty"`
	Wait     string   `yaml:"group_wait,omitempty"`
	Interval string   `yaml:"group_interval,omitempty"`
	Repeat   string   `yaml:"repeat_interval,omitempty"`
	Routes   []route  `yaml:"routes,omitempty"`
}

type inhibition struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string `yaml:"equal,omitempty"`
}

type receiver struct {
	Name      string      `yaml:"name"`
	PagerDuty []pagerDuty `yaml:"pagerduty_configs,omitempty"`
	Slack     []slack     `yaml:"slack_configs,omitempty"`
	SNS       []sns       `yaml:"sns_configs,omitempty"`
}

// routes says how fast. Half a minute lets alerts of one cause come together; an
// attack does not wait for company. What is not over is told again after half an
// hour, an hour, or half a day.
func routes() route {
	return route{
		Receiver: Look,
		GroupBy:  []string{"alertname", "cluster", "service_name"},
		Wait:     "30s", Interval: "5m", Repeat: "12h",
		Routes: []route{
			{
				Matchers: []string{kind(rules.KindAttack)}, Receiver: Wake,
				GroupBy: []string{"cluster", "service_name"},
				Wait:    "5s", Interval: "1m", Repeat: "30m",
			},
			{
				Matchers: []string{severity(rules.Critical)}, Receiver: Wake,
				Wait: "15s", Interval: "2m", Repeat: "1h",
			},
		},
	}
}

// inhibitions: a label that both alerts lack counts as equal.
func inhibitions() []inhibition {
	attack := []string{kind(rules.KindAttack)}
	return []inhibition{
		// What viewers of the attacked service feel.
		{attack, []string{kind(rules.KindSymptom), `service_name!=""`}, []string{"cluster", "service_name"}},
		// What the load does to the cluster that serves it.
		{attack, []string{kind(rules.KindSymptom), `service_name=""`}, []string{"cluster"}},
		// A finding with its class says more than the verdict alone.
		{alert("AttackOpen"), alert("AttackVerdict"), []string{"cluster", "service_name"}},
		// The match's budget says it sooner than the month's.
		{alert("MatchBudget"), alert("ErrorBudgetFast", "ErrorBudgetSlow", "RetryStorm"), []string{"cluster", "service_name"}},
		{alert("ErrorBudgetFast"), alert("ErrorBudgetSlow"), []string{"cluster", "service_name"}},
		// The wall is hit: nobody needs to hear that it is near.
		{alert("ConntrackDropping"), alert("ConntrackWallNear"), []string{"cluster", "instance"}},
		{alert("NodeDiskFull"), alert("NodeDiskFillsSoon"), []string{"cluster", "instance", "mountpoint"}},
		{alert("NodeNotReady"), alert("NodePressure"), []string{"cluster", "node"}},
		// Where nothing reports, nothing can be missing besides.
		{alert("VigieAbsent"), alert("VerdictUnknown", "VigieAgentsMissing"), []string{"cluster"}},
		{alert("VigieStoreDiskFull"), alert("VigieSamplesDropped"), []string{"cluster", "instance"}},
	}
}

func kind(k rules.Kind) string         { return `kind="` + string(k) + `"` }
func severity(s rules.Severity) string { return `severity="` + string(s) + `"` }

// alert matches any of the names.
func alert(names ...string) []string {
	pattern := names[0]
	for _, n := range names[1:] {
		pattern += "|" + n
	}
	return []string{`alertname=~"` + pattern + `"`}
}
