# What is made by which switch, and how it hangs together. Providers are mocked:
# nothing here reaches AWS.

mock_provider "aws" {
  override_data {
    target = data.aws_caller_identity.here
    values = { account_id = "111122223333" }
  }
  override_data {
    target = data.aws_partition.here
    values = { partition = "aws" }
  }
  override_data {
    target = data.aws_region.here
    values = { region = "eu-west-3" }
  }
  mock_resource "aws_prometheus_workspace" {
    defaults = { id = "ws-0123" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/vigie" }
  }
  mock_resource "aws_grafana_workspace" {
    defaults = { id = "g-0123", endpoint = "g-0123.grafana-workspace.eu-west-3.amazonaws.com" }
  }
}
mock_provider "helm" {}

variables {
  cluster_name = "arena"
}

run "only_metrics_in_amp_by_default" {
  assert {
    condition     = length(aws_prometheus_workspace.this) == 1 && length(aws_cloudwatch_log_group.this) == 0 && length(aws_grafana_workspace.this) == 0 && length(aws_cloudwatch_event_rule.findings) == 0
    error_message = "by default there is a workspace, and no log group, Grafana or rule"
  }
  assert {
    condition     = toset(keys(aws_iam_role_policy.this)) == toset(["agent/remote-write", "gateway/remote-write"])
    error_message = "each role may write to the workspace and nothing else: ${join(", ", keys(aws_iam_role_policy.this))}"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this["agent/remote-write"].policy).Statement[0].Resource == "arn:aws:aps:eu-west-3:111122223333:workspace/ws-0123"
    error_message = "the policy must name this workspace: ${aws_iam_role_policy.this["agent/remote-write"].policy}"
  }
  assert {
    condition     = aws_eks_pod_identity_association.this["agent"].service_account == "vigie-agent" && aws_eks_pod_identity_association.this["gateway"].service_account == "vigie-gateway" && aws_eks_pod_identity_association.this["agent"].namespace == "vigie"
    error_message = "roles must be those of the chart's service accounts"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["gateway"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == "vigie-gateway"
    error_message = "only the gateway's service account may take its role"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["agent"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/eks-cluster-arn"] == "arn:aws:eks:eu-west-3:111122223333:cluster/arena"
    error_message = "and only in this cluster"
  }
  assert {
    condition     = yamldecode(helm_release.vigie[0].values[0]).amp.endpoint == "https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-0123/api/v1/remote_write"
    error_message = "the chart must write to this workspace"
  }
  assert {
    condition     = yamldecode(helm_release.vigie[0].values[0]).clusterName == "arena" && !can(yamldecode(helm_release.vigie[0].values[0]).cloudwatch)
    error_message = "the chart gets the cluster's name, and what is off is left alone"
  }
}

run "rules_are_the_files_as_they_are" {
  assert {
    condition     = toset(keys(aws_prometheus_rule_group_namespace.this)) == toset(["attack.yaml", "conntrack.yaml", "control-plane.yaml", "node.yaml", "service.yaml", "vigie.yaml", "workload.yaml"])
    error_message = "one namespace a file of dashboards/out/rules"
  }
  assert {
    condition     = alltrue([for f, n in aws_prometheus_rule_group_namespace.this : n.data == file("../../dashboards/out/rules/${f}") && length(yamldecode(n.data).groups) > 0 && n.workspace_id == "ws-0123"])
    error_message = "a namespace must hold its file, unchanged"
  }
}

run "alertmanager_tells_this_accounts_topics" {
  assert {
    condition = alltrue([for r in yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this[0].definition).alertmanager_config).receivers :
    r.sns_configs[0].topic_arn == aws_sns_topic.this[r.name].arn && r.sns_configs[0].sigv4.region == "eu-west-3"])
    error_message = "receivers must name the topics that are made here, not the examples'"
  }
  assert {
    condition     = !can(regex("pagerduty_configs|111122223333:vigie-(wake|look)", aws_prometheus_alert_manager_definition.this[0].definition))
    error_message = "without a secret there is no PagerDuty, and no example's ARN is left"
  }
  assert {
    condition     = yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this[0].definition).alertmanager_config).route == yamldecode(yamldecode(file("../../dashboards/out/alertmanager/amp.yaml")).alertmanager_config).route
    error_message = "routes are ours, unchanged"
  }
}

run "pagerduty_where_a_secret_is_named" {
  variables {
    notify = { pagerduty_secret_arn = "arn:aws:secretsmanager:eu-west-3:111122223333:secret:pd-AbCdEf", wake = ["on-call@example.com"] }
  }
  assert {
    condition     = strcontains(aws_prometheus_alert_manager_definition.this[0].definition, "arn:aws:secretsmanager:eu-west-3:111122223333:secret:pd-AbCdEf")
    error_message = "the secret must be in the definition"
  }
  assert {
    condition     = aws_sns_topic_subscription.mail["wake/on-call@example.com"].topic_arn == aws_sns_topic.this["wake"].arn && length(aws_sns_topic_subscription.mail) == 1
    error_message = "who is woken subscribes to wake"
  }
}

run "a_workspace_that_is_there" {
  variables {
    amp = { workspace_id = "ws-other", alertmanager = false, rules = false }
  }
  assert {
    condition     = length(aws_prometheus_workspace.this) == 0 && length(aws_prometheus_alert_manager_definition.this) == 0 && length(aws_prometheus_rule_group_namespace.this) == 0 && output.amp_workspace_id == "ws-other"
    error_message = "nothing is made beside what is there"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this["gateway/remote-write"].policy).Statement[0].Resource == "arn:aws:aps:eu-west-3:111122223333:workspace/ws-other"
    error_message = "roles write to the workspace that was named"
  }
}

run "everything" {
  variables {
    cloudwatch  = { signals = ["logs", "metrics"], retention_days = 14 }
    xray        = "otlp"
    eventbridge = { enabled = true }
    grafana     = { enabled = true, token_secret = "vigie-grafana" }
    kafka       = { brokers = ["b-1.match:9098"], msk_cluster_arn = "arn:aws:kafka:eu-west-3:111122223333:cluster/match/0a1b-2", topics = "league" }
    allow       = ["check", "ready"]
    release     = { image = { repository = "111122223333.dkr.ecr.eu-west-3.amazonaws.com/vigie", tag = "1.0.0" } }
  }
  assert {
    condition = { for n, g in aws_cloudwatch_log_group.this : n => g.retention_in_days } == {
      "/aws/containerinsights/arena/application" = 14, "/aws/containerinsights/arena/dataplane" = 14, "/aws/containerinsights/arena/host" = 14,
      "/aws/containerinsights/arena/performance" = 14, "/vigie/arena/findings" = 365
    }
    error_message = "the groups are those that the exporters write to, each with its retention"
  }
  assert {
    condition = toset(keys(aws_iam_role_policy.this)) == toset([
      "agent/remote-write", "agent/cloudwatch-logs", "agent/cloudwatch-metrics", "agent/xray-sampling", "agent/check",
      "gateway/remote-write", "gateway/cloudwatch-logs", "gateway/cloudwatch-findings", "gateway/cloudwatch-metrics",
      "gateway/xray-otlp", "gateway/eventbridge", "gateway/msk", "gateway/check", "gateway/ready",
    ])
    error_message = "a role may do what its destinations need: ${join(", ", keys(aws_iam_role_policy.this))}"
  }
  assert {
    condition     = alltrue([for p in aws_iam_role_policy.this : !can(regex("CreateLogGroup|PutRetentionPolicy|\\$\\{", p.policy))])
    error_message = "groups are made here, so roles may not; and no placeholder is left"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this["gateway/msk"].policy).Statement[0].Resource == "arn:aws:kafka:eu-west-3:111122223333:cluster/match/0a1b-2"
    error_message = "the MSK cluster is the one that was named"
  }
  assert {
    condition     = one([for e in yamldecode(output.helm_values).gateway.env : e.value if e.name == "VIGIE_KAFKA_TOPICS"]) == "league" && jsondecode(aws_iam_role_policy.this["gateway/msk"].policy).Statement[1].Resource[0] == "arn:aws:kafka:eu-west-3:111122223333:topic/match/0a1b-2/league.logs"
    error_message = "the gateway writes to the topics that it may write to"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.this["FindingsOpened"].log_group_name == "/vigie/arena/findings" && aws_cloudwatch_metric_alarm.this["finding-opened"].namespace == one(aws_cloudwatch_log_metric_filter.this["FindingsOpened"].metric_transformation).namespace && aws_cloudwatch_metric_alarm.this["finding-opened"].metric_name == one(aws_cloudwatch_log_metric_filter.this["FindingsOpened"].metric_transformation).name
    error_message = "the alarm must look at what the filter counts"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["finding-opened"].alarm_actions == toset([aws_sns_topic.this["wake"].arn]) && aws_cloudwatch_metric_alarm.this["logs-silent"].treat_missing_data == "breaching"
    error_message = "a finding wakes; silence is missing data, and breaches"
  }
  assert {
    condition     = aws_cloudwatch_event_rule.findings[0].event_bus_name == "vigie" && jsondecode(aws_cloudwatch_event_rule.findings[0].event_pattern).source == ["vigie"]
    error_message = "the rule is on the bus that is made, and matches the exporter's source"
  }
  assert {
    condition     = aws_cloudwatch_event_target.look[0].arn == aws_sns_topic.this["look"].arn
    error_message = "the rule tells the topic look"
  }
  assert {
    condition = alltrue([for s in jsondecode(aws_sns_topic_policy.this["look"].policy).Statement :
    s.Condition.StringEquals["aws:SourceAccount"] == "111122223333" && length(merge(try(s.Condition.ArnEquals, {}), try(s.Condition.ArnLike, {}))) == 1 && s.Resource == aws_sns_topic.this["look"].arn])
    error_message = "only this account's own workspace, rule and alarms may publish"
  }
  assert {
    condition     = one([for s in jsondecode(aws_sns_topic_policy.this["look"].policy).Statement : s.Condition.ArnEquals["aws:SourceArn"] if s.Sid == "EventsOfOneRule"]) == "arn:aws:events:eu-west-3:111122223333:rule/vigie/vigie-arena-findings"
    error_message = "a rule on a bus of one's own has the bus in its ARN"
  }
  assert {
    condition     = aws_grafana_workspace.this[0].permission_type == "CUSTOMER_MANAGED" && jsondecode(aws_iam_role_policy.grafana[0].policy).Statement[0].Resource == "arn:aws:aps:eu-west-3:111122223333:workspace/ws-0123"
    error_message = "Grafana may ask this workspace alone"
  }
  assert {
    condition     = yamldecode(output.helm_values).cloudwatch.signals == ["logs", "metrics"] && yamldecode(output.helm_values).xray.api == "otlp" && yamldecode(output.helm_values).grafana.url == "https://g-0123.grafana-workspace.eu-west-3.amazonaws.com" && yamldecode(output.helm_values).gateway.env[0].value == "vigie" && yamldecode(output.helm_values).rbac.ready
    error_message = "the chart's presets are those that are on: ${output.helm_values}"
  }
}

run "the_default_bus_is_not_made" {
  variables {
    eventbridge = { enabled = true, bus = "default" }
  }
  assert {
    condition     = length(aws_cloudwatch_event_bus.this) == 0 && aws_cloudwatch_event_rule.findings[0].event_bus_name == "default"
    error_message = "the default bus is there already"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue_policy.undelivered[0].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:events:eu-west-3:111122223333:rule/vigie-arena-findings"
    error_message = "a rule on the default bus has no bus in its ARN"
  }
}

run "irsa" {
  variables {
    identity          = "irsa"
    oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-3.amazonaws.com/id/0123"
  }
  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0 && yamldecode(output.helm_values).aws.agentRoleArn == aws_iam_role.this["agent"].arn
    error_message = "with IRSA the chart annotates the service accounts"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["agent"].assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-west-3.amazonaws.com/id/0123:sub"] == "system:serviceaccount:vigie:vigie-agent"
    error_message = "only the agent's service account may take its role"
  }
}

run "nothing_but_roles_for_those_who_install_it_themselves" {
  variables {
    release = { enabled = false }
    alarms  = false
    amp     = { alertmanager = false }
  }
  assert {
    condition     = length(helm_release.vigie) == 0 && length(aws_cloudwatch_metric_alarm.this) == 0 && length(aws_sns_topic_policy.this) == 0 && yamldecode(output.helm_values).amp.enabled
    error_message = "no release, no alarms, no policy of topics; the values are an output"
  }
}
