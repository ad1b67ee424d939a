data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.region
  prefix    = "${var.name}-${var.cluster_name}"
  tags      = merge({ "app.kubernetes.io/name" = "vigie", "vigie:cluster" = var.cluster_name }, var.tags)
  kms       = var.kms_key_arn == "" ? null : var.kms_key_arn

  logs    = contains(var.cloudwatch.signals, "logs")
  metrics = contains(var.cloudwatch.signals, "metrics")

  root = "${path.module}/../.." # the repository
}
