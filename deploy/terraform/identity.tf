locals {
  roles = var.identity == "none" ? {} : {
    agent = compact([
      var.amp.enabled ? "remote-write" : "",
      local.logs ? "cloudwatch-logs" : "",
      local.metrics ? "cloudwatch-metrics" : "",
      var.xray != "" ? "xray-sampling" : "",
      contains(var.allow, "check") ? "check" : "",
    ])
    gateway = compact([
      var.amp.enabled ? "remote-write" : "",
      local.logs ? "cloudwatch-logs" : "",
      local.logs ? "cloudwatch-findings" : "",
      local.metrics ? "cloudwatch-metrics" : "",
      var.xray == "otlp" ? "xray-otlp" : "",
      var.xray == "awsxray" ? "xray-api" : "",
      var.eventbridge.enabled ? "eventbridge" : "",
      length(var.kafka.brokers) > 0 ? "msk" : "",
      contains(var.allow, "check") ? "check" : "",
      contains(var.allow, "ready") ? "ready" : "",
    ])
  }

  msk = split("/", var.kafka.msk_cluster_arn == "" ? "//" : var.kafka.msk_cluster_arn)

  # What stands in ${…} of deploy/iam's files.
  values = {
    Partition      = local.partition
    Region         = local.region
    Account        = local.account
    ClusterName    = var.cluster_name
    WorkspaceId    = local.workspace_id
    EventBusName   = var.eventbridge.bus
    MskClusterName = local.msk[1]
    MskClusterUuid = local.msk[2]
    KafkaTopics    = var.kafka.topics
    Namespace      = var.namespace
    OidcProvider   = var.oidc_provider_arn == "" ? "" : split("oidc-provider/", var.oidc_provider_arn)[1]
  }

  # The groups are made here, so nobody else has to be able to.
  granted = merge([for role, names in local.roles : { for n in names : "${role}/${n}" => {
    role   = role
    policy = jsondecode(templatefile("${local.root}/deploy/iam/policies/${n}.json", local.values))
  } }]...)
}

resource "aws_iam_role" "this" {
  for_each             = local.roles
  name                 = substr("${local.prefix}-${each.key}", 0, 64)
  description          = "Vigie's ${each.key} in ${var.cluster_name}"
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  assume_role_policy = templatefile(
    "${local.root}/deploy/iam/trust/${var.identity == "irsa" ? "irsa" : "pod-identity"}.json",
    merge(local.values, { ServiceAccount = "vigie-${each.key}" }),
  )
  tags = local.tags
}

resource "aws_iam_role_policy" "this" {
  for_each = local.granted
  name     = split("/", each.key)[1]
  role     = aws_iam_role.this[each.value.role].id
  policy = jsonencode({
    Version   = each.value.policy.Version
    Statement = [for s in each.value.policy.Statement : s if s.Sid != "MakeGroups"]
  })
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.identity == "pod_identity" ? local.roles : {}
  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = "vigie-${each.key}"
  role_arn        = aws_iam_role.this[each.key].arn
  tags            = local.tags
}
