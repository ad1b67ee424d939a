variable "cluster_name" {
  description = "The EKS cluster's name. It is the label cluster of every metric, and part of log groups' names."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must be an EKS cluster's name: letters, digits, - and _, at most 100, e.g. arena."
  }
}

variable "name" {
  description = "What the names of roles, topics, alarms and the workspace begin with."
  type        = string
  default     = "vigie"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name takes lower-case letters, digits and -, at most 20, and begins with a letter, e.g. vigie."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of Vigie's pods."
  type        = string
  default     = "vigie"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a Kubernetes name: lower-case letters, digits and -, at most 63, e.g. vigie."
  }
}

variable "amp" {
  description = <<-E
    Amazon Managed Prometheus. workspace_id: one that is there; empty makes one. rules: our
    recording and alerting rules. alertmanager: our routes, to the topics below. A workspace
    has one Alertmanager definition: leave it off where another module owns it.
    retention_days: of a workspace that is made here; null keeps AWS' default.
  E
  type = object({
    enabled        = optional(bool, true)
    workspace_id   = optional(string, "")
    rules          = optional(bool, true)
    alertmanager   = optional(bool, true)
    retention_days = optional(number)
  })
  default = {}

  validation {
    condition     = var.amp.workspace_id == "" || can(regex("^ws-[0-9a-z-]+$", var.amp.workspace_id))
    error_message = "amp.workspace_id must be a workspace's id, e.g. ws-0a1b2c3d-…; leave it empty to make one."
  }
  validation {
    condition     = var.amp.retention_days == null || var.amp.workspace_id == ""
    error_message = "amp.retention_days is set on a workspace that is made here: remove it, or amp.workspace_id."
  }
  validation {
    condition     = try(var.amp.retention_days >= 1 && var.amp.retention_days <= 1095, true)
    error_message = "amp.retention_days must be 1 to 1095."
  }
}

variable "cloudwatch" {
  description = <<-E
    CloudWatch. signals: logs, metrics, or both; empty turns it off. Log groups are made here,
    so Vigie's roles may not make any. retention_days is theirs; findings_retention_days that
    of the cluster's findings.
  E
  type = object({
    signals                 = optional(set(string), [])
    retention_days          = optional(number, 30)
    findings_retention_days = optional(number, 365)
  })
  default = {}

  validation {
    condition     = length(setsubtract(var.cloudwatch.signals, ["logs", "metrics"])) == 0
    error_message = "cloudwatch.signals takes logs and metrics."
  }
  validation {
    condition = alltrue([for d in [var.cloudwatch.retention_days, var.cloudwatch.findings_retention_days] :
    contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], d)])
    error_message = "cloudwatch retention takes what CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "xray" {
  description = "X-Ray: otlp (its OTLP endpoint; Transaction Search must be on in the account), awsxray (its older API), or empty: off."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "otlp", "awsxray"], var.xray)
    error_message = "xray takes otlp or awsxray; empty turns it off."
  }
}

variable "eventbridge" {
  description = "Findings on an EventBridge bus, and a rule that tells the topic look. bus: its name; any but default is made here."
  type = object({
    enabled = optional(bool, false)
    bus     = optional(string, "vigie")
  })
  default = {}

  validation {
    condition     = can(regex("^[.\\-_A-Za-z0-9]{1,256}$", var.eventbridge.bus))
    error_message = "eventbridge.bus must be a bus' name: letters, digits, . - and _, e.g. vigie."
  }
}

variable "kafka" {
  description = "Kafka, as Amazon MSK with IAM. brokers: host:port of the SASL/IAM listeners. topics: what the three topics' names begin with; vigie.logs and the others must exist."
  type = object({
    brokers         = optional(list(string), [])
    msk_cluster_arn = optional(string, "")
    topics          = optional(string, "vigie")
  })
  default = {}

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,240}$", var.kafka.topics))
    error_message = "kafka.topics is what the topics' names begin with: letters, digits, . _ and -, e.g. vigie for vigie.logs."
  }
  validation {
    condition     = (length(var.kafka.brokers) > 0) == (var.kafka.msk_cluster_arn != "")
    error_message = "kafka.brokers and kafka.msk_cluster_arn go together: the policy names the cluster."
  }
  validation {
    condition     = var.kafka.msk_cluster_arn == "" || can(regex("^arn:aws[a-z-]*:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[^/]+/[^/]+$", var.kafka.msk_cluster_arn))
    error_message = "kafka.msk_cluster_arn must be an MSK cluster's ARN, e.g. arn:aws:kafka:eu-west-3:111122223333:cluster/match/0a1b…-2."
  }
}

variable "grafana" {
  description = <<-E
    Amazon Managed Grafana. A workspace is made here; modules/dashboards fills it.
    service_account: one for Vigie's annotations; token_secret: the Kubernetes Secret with its
    token under the key token, which is made by hand. version: empty is AWS' newest.
  E
  type = object({
    enabled                  = optional(bool, false)
    authentication_providers = optional(set(string), ["AWS_SSO"])
    service_account          = optional(bool, true)
    token_secret             = optional(string, "")
    version                  = optional(string)
  })
  default = {}

  validation {
    condition     = length(var.grafana.authentication_providers) > 0 && length(setsubtract(var.grafana.authentication_providers, ["AWS_SSO", "SAML"])) == 0
    error_message = "grafana.authentication_providers takes AWS_SSO and SAML, at least one."
  }
}

variable "notify" {
  description = "Who hears: e-mail addresses of the topics wake (somebody's phone) and look (a channel), and a secret {\"routing_key\": …} of PagerDuty."
  type = object({
    wake                 = optional(set(string), [])
    look                 = optional(set(string), [])
    pagerduty_secret_arn = optional(string, "")
  })
  default = {}

  validation {
    condition     = alltrue([for a in setunion(var.notify.wake, var.notify.look) : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", a))])
    error_message = "notify.wake and notify.look take e-mail addresses."
  }
  validation {
    condition     = var.notify.pagerduty_secret_arn == "" || can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.notify.pagerduty_secret_arn))
    error_message = "notify.pagerduty_secret_arn must be a secret's ARN in Secrets Manager."
  }
}

variable "alarms" {
  description = "CloudWatch alarms: a finding opened, logs fell silent, AMP discards, notifications fail, events fail."
  type        = bool
  default     = true
}

variable "identity" {
  description = "How pods get their role: pod_identity (the add-on eks-pod-identity-agent must be there), irsa (needs oidc_provider_arn), or none: no roles are made."
  type        = string
  default     = "pod_identity"

  validation {
    condition     = contains(["pod_identity", "irsa", "none"], var.identity)
    error_message = "identity takes pod_identity, irsa or none."
  }
}

variable "oidc_provider_arn" {
  description = "The IAM OIDC provider of the cluster, for identity = irsa."
  type        = string
  default     = ""

  validation {
    condition     = (var.identity == "irsa") == (var.oidc_provider_arn != "")
    error_message = "oidc_provider_arn goes with identity = \"irsa\", e.g. arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-3.amazonaws.com/id/0123…."
  }
}

variable "allow" {
  description = "More that Vigie may do, read-only: check (vigie check sees log groups and buses), ready (vigie ready counts free addresses, and asks the workspace)."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.allow, ["check", "ready"])) == 0
    error_message = "allow takes check and ready."
  }
}

variable "permissions_boundary_arn" {
  description = "A permissions boundary for the roles. Empty: none."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "A key for the workspace, log groups and topics; its policy must let aps, logs and sns use it. Empty: AWS' own keys."
  type        = string
  default     = ""
}

variable "release" {
  description = <<-E
    The Helm release. chart: a path or an OCI address; empty is the chart beside this module.
    version: of a chart in a registry. image: where yours is. values: YAML documents over
    what this module sets; a list such as gateway.env takes the place of the module's, which
    has the bus and the topics (output helm_values).
  E
  type = object({
    enabled = optional(bool, true)
    chart   = optional(string, "")
    version = optional(string)
    image   = optional(object({ repository = string, tag = optional(string, ""), digest = optional(string, "") }))
    values  = optional(list(string), [])
    timeout = optional(number, 600)
  })
  default = {}

  validation {
    condition     = alltrue([for v in var.release.values : can(keys(yamldecode(v)))])
    error_message = "each of release.values must be a YAML document that is a map, e.g. file(\"values.yaml\")."
  }
}

variable "gateway_replicas" {
  description = "Gateways. A second one takes a share of the spans and of what is scraped; the verdict is the first one's."
  type        = number
  default     = 2

  validation {
    condition     = var.gateway_replicas >= 1 && var.gateway_replicas <= 16 && floor(var.gateway_replicas) == var.gateway_replicas
    error_message = "gateway_replicas must be a whole number, 1 to 16."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
