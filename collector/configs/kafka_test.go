package configs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKafkaIsSpokenWithAsAsked(t *testing.T) {
	env := func(more ...string) map[string]string {
		vars := map[string]string{"VIGIE_KAFKA_BROKERS": "b-1:9092, b-2:9092"}
		for _, m := range more {
			k, v, _ := strings.Cut(m, "=")
			vars["VIGIE_KAFKA_"+k] = v
		}
		return vars
	}
	password := map[string]any{"mechanism": "SCRAM-SHA-512", "username": "${env:VIGIE_KAFKA_USERNAME}", "password": "${env:VIGIE_KAFKA_PASSWORD}"}
	for name, c := range map[string]struct {
		env       map[string]string
		tls, sasl any
	}{
		"plain text":       {env: env()},
		"TLS alone":        {env: env("TLS=on"), tls: map[string]any{"insecure": false}},
		"a password":       {env: env("AUTH=scram-sha-512", "USERNAME=u", "PASSWORD=p"), tls: map[string]any{"insecure": false}, sasl: password},
		"without TLS":      {env: env("AUTH=scram-sha-512", "USERNAME=u", "PASSWORD=p", "TLS=off"), sasl: password},
		"MSK by IAM":       {env: env("AUTH=msk-iam", "REGION=eu-west-3"), tls: map[string]any{"insecure": false}, sasl: map[string]any{"mechanism": "AWS_MSK_IAM_OAUTHBEARER", "aws_msk": map[string]any{"region": "eu-west-3"}}},
		"one signal alone": {env: env("SIGNALS=logs")},
	} {
		conf := shape(t, "gateway", c.env)
		if d := cmp.Diff([]any{"b-1:9092", "b-2:9092"}, conf.Get("exporters::kafka/logs::brokers")); d != "" {
			t.Errorf("%s: brokers %s", name, d)
		}
		if d := cmp.Diff(c.tls, conf.Get("exporters::kafka/logs::tls")); d != "" {
			t.Errorf("%s: tls %s", name, d)
		}
		if d := cmp.Diff(c.sasl, conf.Get("exporters::kafka/logs::auth::sasl")); d != "" {
			t.Errorf("%s: sasl %s", name, d)
		}
		if got, want := conf.IsSet("exporters::kafka/traces"), name != "one signal alone"; got != want {
			t.Errorf("%s: traces %v, want %v", name, got, want)
		}
	}
}

func TestAKafkaThatCannotWorkIsRefusedWithTheWayOut(t *testing.T) {
	for want, vars := range map[string]map[string]string{
		"set VIGIE_KAFKA_REGION or AWS_REGION":         {"VIGIE_KAFKA_AUTH": "msk-iam"},
		"leave VIGIE_KAFKA_TLS out":                    {"VIGIE_KAFKA_AUTH": "msk-iam", "VIGIE_KAFKA_TLS": "off"},
		"needs VIGIE_KAFKA_USERNAME":                   {"VIGIE_KAFKA_AUTH": "plain"},
		`VIGIE_KAFKA_AUTH takes none, msk-iam`:         {"VIGIE_KAFKA_AUTH": "iam"},
		`VIGIE_KAFKA_TLS takes on or off (got "true")`: {"VIGIE_KAFKA_TLS": "true"},
		`VIGIE_KAFKA_SIGNALS takes logs, metrics and`:  {"VIGIE_KAFKA_SIGNALS": "log"},
	} {
		_, _, err := kafka("logs")(environment{get: func(k string) string {
			if k == "VIGIE_KAFKA_BROKERS" {
				return "b-1:9092"
			}
			return vars[k]
		}}, "gateway")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", vars, err, want)
		}
	}
}
