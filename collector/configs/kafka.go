package configs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mechanisms are SASL's, by what VIGIE_KAFKA_AUTH calls them.
var mechanisms = map[string]string{ //nolint:gochecknoglobals // a constant table
	"msk-iam": "AWS_MSK_IAM_OAUTHBEARER", "scram-sha-512": "SCRAM-SHA-512", "scram-sha-256": "SCRAM-SHA-256", "plain": "PLAIN",
}

// kafka applies where VIGIE_KAFKA_BROKERS names brokers and VIGIE_KAFKA_SIGNALS
// has the signal, or says nothing.
func kafka(signal string) condition {
	return func(env environment, _ string) (map[string]any, bool, error) {
		brokers := list(env.get("VIGIE_KAFKA_BROKERS"))
		signals := list(env.get("VIGIE_KAFKA_SIGNALS"))
		for _, s := range signals {
			if s != "logs" && s != "metrics" && s != "traces" {
				return nil, false, fmt.Errorf("VIGIE_KAFKA_SIGNALS takes logs, metrics and traces (got %q)", s)
			}
		}
		if len(brokers) == 0 || (len(signals) > 0 && !slices.Contains(signals, signal)) {
			return nil, false, nil
		}
		client, err := kafkaAccess(env)
		if err != nil {
			return nil, false, err
		}
		named := make([]any, 0, len(brokers))
		for _, b := range brokers {
			named = append(named, b)
		}
		client["brokers"] = named
		return map[string]any{"exporters": map[string]any{"kafka/" + signal: client}}, true, nil
	}
}

// kafkaAccess is how the brokers are spoken with: TLS, and who we are.
func kafkaAccess(env environment) (map[string]any, error) {
	access := map[string]any{}
	by := strings.TrimSpace(env.get("VIGIE_KAFKA_AUTH"))
	encrypted := by != "" && by != "none"
	switch word := strings.TrimSpace(env.get("VIGIE_KAFKA_TLS")); word {
	case "":
	case "on", "off":
		encrypted = word == "on"
	default:
		return nil, fmt.Errorf("VIGIE_KAFKA_TLS takes on or off (got %q)", word)
	}
	if encrypted {
		access["tls"] = map[string]any{"insecure": false}
	}
	if by == "" || by == "none" {
		return access, nil
	}
	mechanism, known := mechanisms[by]
	if !known {
		return nil, fmt.Errorf("VIGIE_KAFKA_AUTH takes none, msk-iam, scram-sha-512, scram-sha-256 or plain (got %q)", by)
	}
	sasl := map[string]any{"mechanism": mechanism}
	switch {
	case by != "msk-iam":
		if env.get("VIGIE_KAFKA_USERNAME") == "" || env.get("VIGIE_KAFKA_PASSWORD") == "" {
			return nil, fmt.Errorf("VIGIE_KAFKA_AUTH=%s needs VIGIE_KAFKA_USERNAME and VIGIE_KAFKA_PASSWORD", by)
		}
		// Expanded later: what this returns is shown and kept.
		sasl["username"], sasl["password"] = "${env:VIGIE_KAFKA_USERNAME}", "${env:VIGIE_KAFKA_PASSWORD}"
	case !encrypted:
		return nil, errors.New("VIGIE_KAFKA_AUTH=msk-iam needs TLS: leave VIGIE_KAFKA_TLS out, or set it to on")
	default:
		region := strings.TrimSpace(env.get("VIGIE_KAFKA_REGION"))
		if region == "" {
			region = strings.TrimSpace(env.get("AWS_REGION"))
		}
		if region == "" {
			return nil, errors.New("VIGIE_KAFKA_AUTH=msk-iam signs for a region: set VIGIE_KAFKA_REGION or AWS_REGION")
		}
		sasl["aws_msk"] = map[string]any{"region": region}
	}
	access["auth"] = map[string]any{"sasl": sasl}
	return access, nil
}
