resource "aws_iam_role" "grafana" {
  count                = var.grafana.enabled ? 1 : 0
  name                 = substr("${local.prefix}-grafana", 0, 64)
  description          = "Amazon Managed Grafana asks Vigie's workspace"
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  assume_role_policy   = templatefile("${local.root}/deploy/iam/trust/grafana.json", local.values)
  tags                 = local.tags

  lifecycle {
    precondition {
      condition     = var.amp.enabled
      error_message = "grafana.enabled shows what is in Amazon Managed Prometheus: set amp.enabled as well."
    }
  }
}

resource "aws_iam_role_policy" "grafana" {
  count  = var.grafana.enabled ? 1 : 0
  name   = "grafana-workspace"
  role   = aws_iam_role.grafana[0].id
  policy = templatefile("${local.root}/deploy/iam/policies/grafana-workspace.json", local.values)
}

resource "aws_grafana_workspace" "this" {
  count                    = var.grafana.enabled ? 1 : 0
  name                     = local.prefix
  description              = "Vigie, ${var.cluster_name}"
  account_access_type      = "CURRENT_ACCOUNT"
  permission_type          = "CUSTOMER_MANAGED"
  authentication_providers = var.grafana.authentication_providers
  grafana_version          = var.grafana.version
  role_arn                 = aws_iam_role.grafana[0].arn
  data_sources             = ["PROMETHEUS"]
  tags                     = local.tags
}

# Vigie's annotations need an Editor. Its token is made by hand (README.md): one
# made here would lie in the state, and AWS lets it live 30 days at most.
resource "aws_grafana_workspace_service_account" "vigie" {
  count        = var.grafana.enabled && var.grafana.service_account ? 1 : 0
  name         = "vigie"
  grafana_role = "EDITOR"
  workspace_id = aws_grafana_workspace.this[0].id
}
