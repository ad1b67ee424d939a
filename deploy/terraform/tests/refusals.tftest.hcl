# What makes no sense is refused, by name, before anything is planned.

mock_provider "aws" {}
mock_provider "helm" {}

variables {
  cluster_name = "arena"
}

run "a_cluster_without_a_name" {
  command = plan
  variables {
    cluster_name = "not a name"
  }
  expect_failures = [var.cluster_name]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    cloudwatch = { signals = ["logs"], retention_days = 15 }
  }
  expect_failures = [var.cloudwatch]
}

run "an_unknown_signal" {
  command = plan
  variables {
    cloudwatch = { signals = ["traces"] }
  }
  expect_failures = [var.cloudwatch]
}

run "an_unknown_way_to_xray" {
  command = plan
  variables {
    xray = "grpc"
  }
  expect_failures = [var.xray]
}

run "irsa_without_its_provider" {
  command = plan
  variables {
    identity = "irsa"
  }
  expect_failures = [var.oidc_provider_arn]
}

run "brokers_without_their_cluster" {
  command = plan
  variables {
    kafka = { brokers = ["b-1:9098"] }
  }
  expect_failures = [var.kafka]
}

run "every_topic_of_the_cluster" {
  command = plan
  variables {
    kafka = { brokers = ["b-1:9098"], msk_cluster_arn = "arn:aws:kafka:eu-west-3:111122223333:cluster/match/0a1b-2", topics = "*" }
  }
  expect_failures = [var.kafka]
}

run "retention_of_a_workspace_that_is_not_ours" {
  command = plan
  variables {
    amp = { workspace_id = "ws-other", retention_days = 30 }
  }
  expect_failures = [var.amp]
}

run "grafana_without_anything_to_show" {
  command = plan
  variables {
    amp     = { enabled = false }
    grafana = { enabled = true }
  }
  expect_failures = [aws_iam_role.grafana]
}

run "nobody_to_tell" {
  command = plan
  variables {
    notify = { wake = ["on-call"] }
  }
  expect_failures = [var.notify]
}

run "values_that_are_no_map" {
  command = plan
  variables {
    release = { values = ["- a\n- b\n"] }
  }
  expect_failures = [var.release]
}

run "half_a_gateway" {
  command = plan
  variables {
    gateway_replicas = 1.5
  }
  expect_failures = [var.gateway_replicas]
}
