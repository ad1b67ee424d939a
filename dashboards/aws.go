package dashboards

import p "github.com/vigie-otel/vigie/dashboards/panel"

// AWS is the managed services around the cluster, from CloudWatch. It has a data
// source of its own and nothing of Prometheus, so that a Grafana without one of
// the two shows all of the other.
func AWS() p.Dashboard {
	d := p.Dashboard{
		UID: "vigie-aws", Title: "Vigie / AWS managed services", Refresh: "1m", From: "now-3h", Tags: []string{tag},
		Description: "What stands before and behind the cluster, from CloudWatch: load balancers, CloudFront, WAF, DynamoDB, ElastiCache, MSK, NAT gateways.",
		Variables: []p.Variable{
			{Name: p.CloudDataSource, Label: "CloudWatch", Source: "cloudwatch", Description: "A CloudWatch data source that may read metrics (cloudwatch:GetMetricData, cloudwatch:ListMetrics)"},
			{Name: "region", Label: "Region", Cloud: map[string]any{"queryType": "regions", "refId": "CloudWatchVariableQueryEditor-VariableQuery"}, One: true},
			room(),
		},
		Links: []p.Link{
			{Title: "Vigie", Tag: tag, Tooltip: "The other dashboards, for the same time"},
			{Title: "War room", URL: "${warroom}", Tooltip: "Vigie's own page"},
		},
		Rows: []p.Row{
			{Title: "Load balancers (ALB)", Panels: []p.Panel{
				cloud("Requests a minute", "Requests that each load balancer took. It should look like demand on the war room; more here than there is what the ingress never logged.", "short", "AWS/ApplicationELB", "LoadBalancer", q{"RequestCount", "Sum", "requests"}),
				cloud("5xx: the balancer's and the targets'", "Errors by the balancer itself (no healthy target, time-outs) and by the pods behind it. The balancer's own alone: look at target health.", "short", "AWS/ApplicationELB", "LoadBalancer", q{"HTTPCode_ELB_5XX_Count", "Sum", "balancer"}, q{"HTTPCode_Target_5XX_Count", "Sum", "targets"}),
				cloud("Time of targets (p99)", "How long pods take to answer, as the balancer sees it.", "s", "AWS/ApplicationELB", "LoadBalancer", q{"TargetResponseTime", "p99", "p99"}),
				cloud("Connections", "New connections and those that a full table of the balancer refused.", "short", "AWS/ApplicationELB", "LoadBalancer", q{"NewConnectionCount", "Sum", "new"}, q{"RejectedConnectionCount", "Sum", "refused"}),
			}},
			{Title: "CloudFront (its metrics are in us-east-1)", Panels: []p.Panel{
				global("Requests", "Requests at the edge.", "short", "AWS/CloudFront", map[string]string{"DistributionId": "*", "Region": "Global"}, q{"Requests", "Sum", "requests"}),
				global("5xx share", "Percent of requests answered with 5xx at the edge. Above the origin's own: the origin does not answer in time.", "percent", "AWS/CloudFront", map[string]string{"DistributionId": "*", "Region": "Global"}, q{"5xxErrorRate", "Average", "5xx"}),
				global("Answered from the cache", "Percent of requests that never reached the origin. A fall is a purge or a cache-busting attack; needs the distribution's additional metrics.", "percent", "AWS/CloudFront", map[string]string{"DistributionId": "*", "Region": "Global"}, q{"CacheHitRate", "Average", "hits"}),
				global("Bytes", "Bytes sent to viewers. Falling while requests rise: players chose a lower quality, or many get errors.", "bytes", "AWS/CloudFront", map[string]string{"DistributionId": "*", "Region": "Global"}, q{"BytesDownloaded", "Sum", "bytes"}),
			}},
			{Title: "WAF", Panels: []p.Panel{
				waf("Blocked by rule", "Requests that each rule blocked. After a proposed rule is set, its bar should be what the war room estimated.", q{"BlockedRequests", "Sum", "${PROP('Dim.Rule')}"}),
				waf("Allowed and counted", "Requests that passed, and those that a rule in count mode would have taken.", q{"AllowedRequests", "Sum", "allowed"}, q{"CountedRequests", "Sum", "counted"}),
			}},
			{Title: "DynamoDB and ElastiCache", Panels: []p.Panel{
				cloud("DynamoDB: throttled", "Requests that a table refused. A hot partition throttles however much capacity the table has.", "short", "AWS/DynamoDB", "TableName", q{"ReadThrottleEvents", "Sum", "reads"}, q{"WriteThrottleEvents", "Sum", "writes"}),
				cloud("DynamoDB: capacity used", "Units that were consumed. Against the table's limits, and against what signing in 1.5 million people takes.", "short", "AWS/DynamoDB", "TableName", q{"ConsumedReadCapacityUnits", "Sum", "read"}, q{"ConsumedWriteCapacityUnits", "Sum", "write"}),
				cloud("ElastiCache: engine", "Percent of the one thread that serves commands. Over 90 %: more shards, not larger ones.", "percent", "AWS/ElastiCache", "CacheClusterId", q{"EngineCPUUtilization", "Maximum", "engine"}),
				cloud("ElastiCache: connections", "Connections, and keys that were evicted for want of memory. A rise of connections without a rise of commands: clients without a pool.", "short", "AWS/ElastiCache", "CacheClusterId", q{"CurrConnections", "Maximum", "connections"}, q{"Evictions", "Sum", "evicted"}),
			}},
			{Title: "MSK and NAT gateways", Panels: []p.Panel{
				msk("MSK: partitions in trouble", "Under-replicated partitions, and partitions without a leader. Offline ones stop whoever writes to them.", "short", q{"UnderReplicatedPartitions", "Maximum", "under-replicated"}),
				msk("MSK: disk of brokers", "Percent of the brokers' disks in use. Over 85 %: shorten the retention, or grow the storage; it takes hours.", "percent", q{"KafkaDataLogsDiskUsed", "Maximum", "used"}),
				cloud("NAT: no port to be had", "Connections that found no free port: 55,000 for each destination and address. Any: add addresses, or an endpoint for the AWS service.", "short", "AWS/NATGateway", "NatGatewayId", q{"ErrorPortAllocation", "Sum", "refused"}),
				cloud("NAT: connections, drops", "Active connections and packets dropped.", "short", "AWS/NATGateway", "NatGatewayId", q{"ActiveConnectionCount", "Maximum", "active"}, q{"PacketsDropCount", "Sum", "dropped"}),
			}},
		},
	}
	return d
}

// q is a metric of CloudWatch: its name, statistic and what to call it.
type q struct{ metric, stat, label string }

func cloud(title, description, unit, namespace, dimension string, qs ...q) p.Panel {
	return clouds(title, description, unit, "$region", namespace, map[string]string{dimension: "*"}, qs...)
}

func global(title, description, unit, namespace string, dimensions map[string]string, qs ...q) p.Panel {
	return clouds(title, description, unit, "us-east-1", namespace, dimensions, qs...)
}

func waf(title, description string, qs ...q) p.Panel {
	return clouds(title, description, "short", "$region", "AWS/WAFV2", map[string]string{"WebACL": "*", "Region": "$region", "Rule": "*"}, qs...)
}

func msk(title, description, unit string, qs ...q) p.Panel {
	return clouds(title, description, unit, "$region", "AWS/Kafka", map[string]string{"Cluster Name": "*", "Broker ID": "*"}, qs...)
}

func clouds(title, description, unit, region, namespace string, dimensions map[string]string, qs ...q) p.Panel {
	out := p.Panel{Kind: p.Series, Title: title, Description: description, W: 6, H: 7, Unit: unit, Fill: 8}
	if namespace == "AWS/WAFV2" {
		out.W = 12
	}
	for _, m := range qs {
		label := m.label
		for k, v := range dimensions {
			if v == "*" && k != "Rule" && k != "Broker ID" {
				label = "${PROP('Dim." + k + "')} " + label
			}
		}
		out.Queries = append(out.Queries, p.Query{Cloud: &p.Cloud{Region: region, Namespace: namespace, Metric: m.metric, Stat: m.stat, Dimensions: dimensions, Label: label}})
	}
	return out
}
