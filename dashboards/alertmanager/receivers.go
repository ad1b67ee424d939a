package alertmanager

// pagerDuty is Events API v2. RoutingKey is AMP's only: a secret's address where
// upstream has the key itself.
type pagerDuty struct {
	RoutingKeyFile string            `yaml:"routing_key_file,omitempty"`
	RoutingKey     *ampSecret        `yaml:"routing_key,omitempty"`
	Description    string            `yaml:"description"`
	Severity       string            `yaml:"severity"`
	Details        map[string]string `yaml:"details,omitempty"`
}

type ampSecret struct {
	SecretsManager secretsManager `yaml:"aws_secrets_manager"`
}

type secretsManager struct {
	ARN     string `yaml:"secret_arn"`
	Key     string `yaml:"secret_key"`
	Refresh string `yaml:"refresh_interval"`
}

type slack struct {
	APIURLFile string `yaml:"api_url_file"`
	Channel    string `yaml:"channel"`
	Resolved   bool   `yaml:"send_resolved"`
	Title      string `yaml:"title"`
	TitleLink  string `yaml:"title_link"`
	Text       string `yaml:"text"`
}

// sns has a region: AMP refuses a topic without one.
type sns struct {
	TopicARN string `yaml:"topic_arn"`
	SigV4    struct {
		Region string `yaml:"region"`
	} `yaml:"sigv4"`
	Subject    string            `yaml:"subject"`
	Message    string            `yaml:"message"`
	Attributes map[string]string `yaml:"attributes,omitempty"`
	Resolved   bool              `yaml:"send_resolved"`
}

// What a notification says. SNS takes a subject of up to 100 ASCII characters,
// so no summary is in it.
const (
	subject = `[{{ .Status }}] {{ .CommonLabels.severity }} {{ .GroupLabels.alertname }} {{ .GroupLabels.cluster }} {{ .GroupLabels.service_name }}`
	title   = `{{ (index .Alerts 0).Annotations.summary }}{{ if gt (len .Alerts) 1 }} and {{ len .Alerts }} in all{{ end }}`
	text    = `{{ range .Alerts }}{{ .Annotations.summary }}
{{ .Annotations.description }}
What to do: {{ .Annotations.runbook_url }}
Since {{ .StartsAt.Format "15:04:05 MST" }}{{ if eq .Status "resolved" }}, over at {{ .EndsAt.Format "15:04:05 MST" }}{{ end }}

{{ end }}`
	firstRunbook = `{{ (index .Alerts 0).Annotations.runbook_url }}`
)

func details() map[string]string {
	return map[string]string{
		"runbook": firstRunbook,
		"cluster": `{{ .CommonLabels.cluster }}`,
		"alerts":  text,
	}
}

// plainReceivers read their secrets from files, so that this one is none.
func plainReceivers() []receiver {
	channel := slack{
		APIURLFile: "/etc/alertmanager/secrets/slack-url", Channel: "#vigie", Resolved: true,
		Title: title, TitleLink: firstRunbook, Text: text,
	}
	return []receiver{
		{Name: Wake, Slack: []slack{channel}, PagerDuty: []pagerDuty{{
			RoutingKeyFile: "/etc/alertmanager/secrets/pagerduty-routing-key",
			Description:    title, Severity: "critical", Details: details(),
		}}},
		{Name: Look, Slack: []slack{channel}},
	}
}

// ampReceivers: topics of the workspace's own account and region, of the
// standard type.
func ampReceivers() []receiver {
	topic := func(name string) sns {
		s := sns{
			TopicARN: "arn:aws:sns:eu-west-1:111122223333:" + name,
			Subject:  subject, Message: text, Resolved: true,
			Attributes: map[string]string{"severity": `{{ .CommonLabels.severity }}`, "kind": `{{ .CommonLabels.kind }}`},
		}
		s.SigV4.Region = "eu-west-1"
		return s
	}
	return []receiver{
		{Name: Wake, SNS: []sns{topic("vigie-wake")}, PagerDuty: []pagerDuty{{
			RoutingKey: &ampSecret{secretsManager{
				ARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:vigie/pagerduty-AbCdEf", Key: "routing_key", Refresh: "5m",
			}},
			Description: title, Severity: "critical", Details: details(),
		}}},
		{Name: Look, SNS: []sns{topic("vigie-look")}},
	}
}
