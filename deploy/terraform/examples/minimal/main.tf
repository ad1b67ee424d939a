# A workspace with our rules, roles, and the chart: metrics in AMP, and nothing else.
terraform {
  required_version = ">= 1.9"
}

provider "aws" {
  region = "eu-west-3"
}

data "aws_eks_cluster" "arena" {
  name = "arena"
}

provider "helm" {
  kubernetes = {
    host                   = data.aws_eks_cluster.arena.endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.arena.certificate_authority[0].data)
    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "aws"
      args        = ["eks", "get-token", "--cluster-name", "arena"]
    }
  }
}

module "vigie" {
  source       = "../.."
  cluster_name = "arena"
}

output "vigie" {
  value = module.vigie
}
