locals {
  alarms = !var.alarms ? {} : merge(
    local.logs ? {
      finding-opened = {
        topic  = "wake", namespace = "Vigie/${var.cluster_name}", metric = "FindingsOpened", dimensions = {},
        period = 60, periods = 1, compare = "GreaterThanOrEqualToThreshold", threshold = 1, missing = "notBreaching",
        says   = "Vigie opened a finding. The log group ${local.findings} has it; the war-room page shows it.",
      }
      logs-silent = {
        topic  = "look", namespace = "AWS/Logs", metric = "IncomingLogEvents", dimensions = { LogGroupName = "${local.insights}/application" },
        period = 300, periods = 3, compare = "LessThanThreshold", threshold = 1, missing = "breaching",
        says   = "No application log has reached CloudWatch for 15 minutes: look at the agents' health.",
      }
    } : {},
    local.metrics ? {
      metrics-silent = {
        topic  = "look", namespace = "AWS/Logs", metric = "IncomingLogEvents", dimensions = { LogGroupName = "${local.insights}/performance" },
        period = 300, periods = 3, compare = "LessThanThreshold", threshold = 1, missing = "breaching",
        says   = "No metric has reached CloudWatch for 15 minutes: look at the agents' health.",
      }
    } : {},
    var.amp.enabled ? {
      amp-discards = {
        topic  = "look", namespace = "AWS/Prometheus", metric = "DiscardedSamples", dimensions = { Workspace = local.workspace_id },
        period = 300, periods = 1, compare = "GreaterThanThreshold", threshold = 0, missing = "notBreaching",
        says   = "AMP discards samples: a quota of the workspace is reached. Lower VIGIE_AMP_MAX_SERIES or raise the quota.",
      }
    } : {},
    var.amp.enabled && var.amp.alertmanager ? {
      amp-notifications-fail = {
        topic  = "wake", namespace = "AWS/Prometheus", metric = "AlertManagerNotificationsFailed", dimensions = { Workspace = local.workspace_id },
        period = 300, periods = 1, compare = "GreaterThanThreshold", threshold = 0, missing = "notBreaching",
        says   = "AMP's Alertmanager cannot tell anybody: look at the topics' policies and the PagerDuty secret.",
      }
    } : {},
    var.eventbridge.enabled ? {
      events-fail = {
        topic  = "look", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = "${local.prefix}-undelivered" },
        period = 60, periods = 1, compare = "GreaterThanThreshold", threshold = 0, missing = "notBreaching",
        says   = "A finding could not be handed from EventBridge to SNS; it lies in the queue ${local.prefix}-undelivered.",
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.compare
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this[each.value.topic].arn]
  ok_actions          = [aws_sns_topic.this[each.value.topic].arn]
  tags                = local.tags
}
