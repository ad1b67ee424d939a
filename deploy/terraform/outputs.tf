output "amp_workspace_id" {
  description = "The workspace's id; empty without AMP."
  value       = local.workspace_id
}

output "amp_url" {
  description = "The workspace's address: a Grafana data source as it is; remote write is under /api/v1/remote_write."
  value       = var.amp.enabled ? local.amp_url : ""
}

output "grafana_url" {
  description = "The Grafana workspace's address; empty without."
  value       = var.grafana.enabled ? "https://${aws_grafana_workspace.this[0].endpoint}" : ""
}

output "grafana_workspace_id" {
  description = "The Grafana workspace's id, for aws grafana create-workspace-service-account-token; empty without."
  value       = var.grafana.enabled ? aws_grafana_workspace.this[0].id : ""
}

output "role_arns" {
  description = "ARNs of the roles, by component."
  value       = { for k, r in aws_iam_role.this : k => r.arn }
}

output "topic_arns" {
  description = "ARNs of the topics wake and look."
  value       = local.topic_arns
}

output "log_groups" {
  description = "Names of the log groups that were made."
  value       = sort(keys(aws_cloudwatch_log_group.this))
}

output "helm_values" {
  description = "What the chart is given, as YAML: for those who install it themselves (release.enabled = false)."
  value       = yamlencode(local.helm_values)
}
