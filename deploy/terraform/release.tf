locals {
  # What the chart has no value for.
  gateway_env = merge(
    var.eventbridge.enabled ? { VIGIE_EVENTBRIDGE_BUS = var.eventbridge.bus } : {},
    length(var.kafka.brokers) > 0 ? { VIGIE_KAFKA_TOPICS = var.kafka.topics } : {},
  )

  # The chart's values (deploy/helm/vigie/values.yaml); what is off is left to its defaults.
  helm_values = merge(
    {
      clusterName = var.cluster_name
      aws = merge({ region = local.region }, var.identity == "irsa" ? {
        agentRoleArn   = aws_iam_role.this["agent"].arn
        gatewayRoleArn = aws_iam_role.this["gateway"].arn
      } : {})
      gateway = merge({ replicas = var.gateway_replicas }, length(local.gateway_env) > 0 ? {
        env = [for k, v in local.gateway_env : { name = k, value = v }]
      } : {})
      rbac = { ready = contains(var.allow, "ready") }
    },
    var.release.image == null ? {} : { image = { for k, v in var.release.image : k => v if v != "" } },
    var.amp.enabled ? { amp = { enabled = true, endpoint = "${local.amp_url}/api/v1/remote_write" } } : {},
    length(var.cloudwatch.signals) > 0 ? {
      cloudwatch = { enabled = true, signals = sort(var.cloudwatch.signals), retentionDays = var.cloudwatch.retention_days }
    } : {},
    var.xray != "" ? { xray = { enabled = true, api = var.xray } } : {},
    var.grafana.enabled ? {
      grafana = { enabled = true, url = "https://${aws_grafana_workspace.this[0].endpoint}", tokenSecret = var.grafana.token_secret }
    } : {},
    length(var.kafka.brokers) > 0 ? { kafka = { enabled = true, brokers = var.kafka.brokers, auth = "msk-iam" } } : {},
  )
}

resource "helm_release" "vigie" {
  count            = var.release.enabled ? 1 : 0
  name             = "vigie"
  namespace        = var.namespace
  create_namespace = true
  chart            = var.release.chart == "" ? "${local.root}/deploy/helm/vigie" : var.release.chart
  version          = var.release.version
  values           = concat([yamlencode(local.helm_values)], var.release.values)
  timeout          = var.release.timeout
  atomic           = true # a release that does not come up is rolled back
  wait             = true

  # Pods get their role when they start: whoever starts before the association
  # has none until a restart.
  depends_on = [aws_eks_pod_identity_association.this, aws_iam_role_policy.this]
}
