resource "aws_prometheus_workspace" "this" {
  count       = var.amp.enabled && var.amp.workspace_id == "" ? 1 : 0
  alias       = local.prefix
  kms_key_arn = local.kms
  tags        = local.tags
}

resource "aws_prometheus_workspace_configuration" "this" {
  count                    = length(aws_prometheus_workspace.this) == 1 && var.amp.retention_days != null ? 1 : 0
  workspace_id             = local.workspace_id
  retention_period_in_days = var.amp.retention_days
}

locals {
  workspace_id  = var.amp.enabled ? coalesce(var.amp.workspace_id, one(aws_prometheus_workspace.this[*].id)) : ""
  workspace_arn = "arn:${local.partition}:aps:${local.region}:${local.account}:workspace/${local.workspace_id}"
  amp_domain    = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
  amp_url       = "https://aps-workspaces.${local.region}.${local.amp_domain}/workspaces/${local.workspace_id}"

  rules = var.amp.enabled && var.amp.rules ? fileset("${local.root}/dashboards/out/rules", "*.yaml") : []
}

# One namespace a file, as `make dashboards` wrote it.
resource "aws_prometheus_rule_group_namespace" "this" {
  for_each     = local.rules
  name         = "${var.name}-${trimsuffix(each.value, ".yaml")}"
  workspace_id = local.workspace_id
  data         = file("${local.root}/dashboards/out/rules/${each.value}")
  tags         = local.tags
}

locals {
  # Our routes and texts, with this account's topics in the place of the examples.
  alertmanager = yamldecode(yamldecode(file("${local.root}/dashboards/out/alertmanager/amp.yaml")).alertmanager_config)
  topic_arns   = { for name, t in aws_sns_topic.this : name => t.arn }

  receivers = [for r in local.alertmanager.receivers : merge(
    { for k, v in r : k => v if !contains(["sns_configs", "pagerduty_configs"], k) },
    { for k, v in r : k => [for c in v : merge(c, {
      topic_arn = local.topic_arns[r.name]
      sigv4     = { region = local.region }
    })] if k == "sns_configs" },
    { for k, v in r : k => [for c in v : merge(c, {
      routing_key = { aws_secrets_manager = merge(c.routing_key.aws_secrets_manager, { secret_arn = var.notify.pagerduty_secret_arn }) }
    })] if k == "pagerduty_configs" && var.notify.pagerduty_secret_arn != "" },
  )]
}

resource "aws_prometheus_alert_manager_definition" "this" {
  count        = var.amp.enabled && var.amp.alertmanager ? 1 : 0
  workspace_id = local.workspace_id
  definition   = yamlencode({ alertmanager_config = yamlencode(merge(local.alertmanager, { receivers = local.receivers })) })
}
