mock_provider "grafana" {}

variables {
  amp_url = "https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-0123"
  region  = "eu-west-3"
}

run "every_dashboard_under_its_own_uid" {
  assert {
    condition     = length(grafana_dashboard.this) >= 11 && alltrue([for f, d in grafana_dashboard.this : jsondecode(d.config_json).uid == trimsuffix(f, ".json") && d.folder == grafana_folder.this.uid])
    error_message = "one dashboard a file of dashboards/out/grafana, in the folder"
  }
  assert {
    condition     = jsondecode(grafana_data_source.amp.json_data_encoded).sigV4Region == "eu-west-3" && grafana_data_source.amp.url == var.amp_url
    error_message = "the data source signs for the workspace's region"
  }
}

run "an_address_with_a_path_too_many" {
  command = plan
  variables {
    amp_url = "https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-0123/api/v1/remote_write"
  }
  expect_failures = [var.amp_url]
}
