locals {
  insights = "/aws/containerinsights/${var.cluster_name}"
  findings = "/vigie/${var.cluster_name}/findings"

  groups = merge(
    local.logs ? { for g in ["application", "dataplane", "host"] : "${local.insights}/${g}" => var.cloudwatch.retention_days } : {},
    local.logs ? { (local.findings) = var.cloudwatch.findings_retention_days } : {},
    local.metrics ? { "${local.insights}/performance" = var.cloudwatch.retention_days } : {},
  )
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.groups
  name              = each.key
  retention_in_days = each.value
  kms_key_id        = local.kms
  tags              = local.tags
}

# The findings are OCSF objects: activity 1 opens one, 3 closes it.
locals {
  filters = local.logs ? {
    FindingsOpened = "{ $.body.class_uid = 2004 && $.body.activity_id = 1 }"
    FindingsClosed = "{ $.body.class_uid = 2004 && $.body.activity_id = 3 }"
  } : {}
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each       = local.filters
  name           = "${local.prefix}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this[local.findings].name
  pattern        = each.value

  metric_transformation {
    namespace     = "Vigie/${var.cluster_name}"
    name          = each.key
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}
