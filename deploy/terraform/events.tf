locals {
  own_bus  = var.eventbridge.enabled && var.eventbridge.bus != "default"
  rule     = "${local.prefix}-findings"
  rule_arn = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.eventbridge.bus == "default" ? "" : "${var.eventbridge.bus}/"}${local.rule}"
}

resource "aws_cloudwatch_event_bus" "this" {
  count = local.own_bus ? 1 : 0
  name  = var.eventbridge.bus
  tags  = local.tags
}

# What the exporter sends: source and detail type are its defaults.
resource "aws_cloudwatch_event_rule" "findings" {
  count          = var.eventbridge.enabled ? 1 : 0
  name           = local.rule
  description    = "Vigie's findings of ${var.cluster_name}, opened and closed."
  event_bus_name = local.own_bus ? aws_cloudwatch_event_bus.this[0].name : "default"
  event_pattern = jsonencode({
    source        = ["vigie"]
    "detail-type" = ["Vigie Finding"]
    detail        = { class_uid = [2004], unmapped = { "k8s.cluster.name" = [var.cluster_name] } }
  })
  tags = local.tags
}

resource "aws_cloudwatch_event_target" "look" {
  count          = var.eventbridge.enabled ? 1 : 0
  rule           = aws_cloudwatch_event_rule.findings[0].name
  event_bus_name = aws_cloudwatch_event_rule.findings[0].event_bus_name
  target_id      = "look"
  arn            = aws_sns_topic.this["look"].arn

  input_transformer {
    input_paths    = { status = "$.detail.activity_name", message = "$.detail.message", uid = "$.detail.finding_info.uid" }
    input_template = "\"Vigie, ${var.cluster_name}: <status> <message> (finding <uid>)\""
  }
  dead_letter_config {
    arn = aws_sqs_queue.undelivered[0].arn
  }
}

# What SNS did not take is kept for two weeks, and an alarm says so.
resource "aws_sqs_queue" "undelivered" {
  count                     = var.eventbridge.enabled ? 1 : 0
  name                      = "${local.prefix}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  count     = var.eventbridge.enabled ? 1 : 0
  queue_url = aws_sqs_queue.undelivered[0].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventsOfOneRule", Effect = "Allow", Principal = { Service = "events.amazonaws.com" },
      Action    = ["sqs:SendMessage"], Resource = aws_sqs_queue.undelivered[0].arn,
      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }
    }]
  })
}
