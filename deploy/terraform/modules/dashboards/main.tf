# Our dashboards in a Grafana, with AMP as their data source. A module of its own,
# since its provider needs the address and a token of a workspace that is there.
terraform {
  required_version = ">= 1.9"

  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 3.0"
    }
  }
}

variable "amp_url" {
  description = "The AMP workspace's address, the output amp_url of the module above."
  type        = string

  validation {
    condition     = can(regex("^https://[^/]+/workspaces/[^/]+$", var.amp_url))
    error_message = "amp_url must be a workspace's address without /api/v1, e.g. https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-…."
  }
}

variable "region" {
  description = "The workspace's region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "region must be the code of an AWS region, e.g. eu-west-3."
  }
}

variable "folder" {
  description = "The dashboards' folder."
  type        = string
  default     = "Vigie"
}

locals {
  out   = "${path.module}/../../../../dashboards/out/grafana"
  files = fileset(local.out, "*.json")
}

resource "grafana_folder" "this" {
  title = var.folder
  uid   = "vigie"
}

resource "grafana_data_source" "amp" {
  type       = "prometheus"
  name       = "Vigie AMP"
  uid        = "vigie-amp"
  url        = var.amp_url
  is_default = true

  json_data_encoded = jsonencode({
    httpMethod    = "POST"
    timeInterval  = "15s"
    sigV4Auth     = true
    sigV4AuthType = "workspace-iam-role"
    sigV4Region   = var.region
  })
}

resource "grafana_dashboard" "this" {
  for_each    = local.files
  folder      = grafana_folder.this.uid
  config_json = file("${local.out}/${each.value}")
  overwrite   = true # by uid: an import by hand gives way
}

output "dashboards" {
  description = "Which dashboards there are, by uid."
  value       = sort([for f in local.files : trimsuffix(f, ".json")])
}
