# wake is somebody's phone, look is a channel: the two receivers of our
# Alertmanager configuration, and where alarms and events go.
resource "aws_sns_topic" "this" {
  for_each          = toset(["wake", "look"])
  name              = "${local.prefix}-${each.value}"
  kms_master_key_id = local.kms
  tags              = local.tags
}

locals {
  # Who may publish, each for this account's own resources alone.
  publishers = concat(
    var.amp.enabled && var.amp.alertmanager ? [{
      sid       = "AlertsOfOneWorkspace", service = "aps.amazonaws.com",
      actions   = ["sns:GetTopicAttributes", "sns:Publish"],
      condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnEquals = { "aws:SourceArn" = local.workspace_arn } }
    }] : [],
    length(local.alarms) > 0 ? [{
      sid       = "AlarmsOfThisAccount", service = "cloudwatch.amazonaws.com",
      actions   = ["sns:Publish"],
      condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnLike = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${local.prefix}-*" } }
    }] : [],
    var.eventbridge.enabled ? [{
      sid       = "EventsOfOneRule", service = "events.amazonaws.com",
      actions   = ["sns:Publish"],
      condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnEquals = { "aws:SourceArn" = local.rule_arn } }
    }] : [],
  )
}

resource "aws_sns_topic_policy" "this" {
  for_each = length(local.publishers) > 0 ? aws_sns_topic.this : {}
  arn      = each.value.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for p in local.publishers : {
      Sid      = p.sid, Effect = "Allow", Principal = { Service = p.service }, Action = p.actions,
      Resource = each.value.arn, Condition = p.condition
    }]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = merge([for topic in ["wake", "look"] : { for a in var.notify[topic] : "${topic}/${a}" => { topic = topic, to = a } }]...)
  topic_arn = aws_sns_topic.this[each.value.topic].arn
  protocol  = "email"
  endpoint  = each.value.to
}
