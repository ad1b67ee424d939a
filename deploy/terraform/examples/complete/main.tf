# Everything: AMP, CloudWatch, X-Ray, EventBridge, Grafana, and who is woken.
terraform {
  required_version = ">= 1.9"

  required_providers {
    grafana = {
      source = "grafana/grafana"
    }
  }
}

variable "cluster_name" {
  type    = string
  default = "arena"
}

variable "region" {
  type    = string
  default = "eu-west-3"
}

variable "grafana_token" {
  description = "A token of an Admin of the Grafana workspace; empty before there is one: the first apply makes the workspace, the second its dashboards."
  type        = string
  default     = ""
  sensitive   = true
}

provider "aws" {
  region = var.region
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

provider "helm" {
  kubernetes = {
    host                   = data.aws_eks_cluster.this.endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.this.certificate_authority[0].data)
    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "aws"
      args        = ["eks", "get-token", "--cluster-name", var.cluster_name]
    }
  }
}

provider "grafana" {
  url  = module.vigie.grafana_url
  auth = var.grafana_token
}

module "vigie" {
  source       = "../.."
  cluster_name = var.cluster_name

  cloudwatch  = { signals = ["logs", "metrics"], retention_days = 14 }
  xray        = "otlp"
  eventbridge = { enabled = true }
  grafana     = { enabled = true, token_secret = "vigie-grafana" }
  notify = {
    wake = ["on-call@example.com"]
    look = ["war-room@example.com"]
  }
  allow = ["check", "ready"]
  tags  = { team = "live" }

  release = {
    image  = { repository = "111122223333.dkr.ecr.eu-west-3.amazonaws.com/vigie" }
    values = [file("${path.module}/values.yaml")]
  }
}

module "dashboards" {
  source  = "../../modules/dashboards"
  count   = var.grafana_token == "" ? 0 : 1
  amp_url = module.vigie.amp_url
  region  = var.region
}

output "vigie" {
  value = module.vigie
}
