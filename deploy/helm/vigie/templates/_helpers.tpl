{{- define "vigie.name" -}}
{{- if contains "vigie" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-vigie" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "vigie.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ if .digest }}@{{ .digest }}{{ end }}
{{- end -}}
{{- end }}

{{- /* What selects; the component is given as a second argument: (list $ "agent"). */ -}}
{{- define "vigie.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: vigie
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "vigie.labels" -}}
{{- $root := index . 0 -}}
{{ include "vigie.selector" . }}
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{- /* One collector's container: what every one of them may not do. */ -}}
{{- define "vigie.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
{{- end }}

{{- define "vigie.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- /* The sources of a configuration: ours, the chart's, the user's. Lists of
receivers, exporters and extensions add up. */ -}}
{{- define "vigie.args" -}}
- --config=embedded:{{ . }}
- --config=file:/etc/vigie/chart.yaml
- --config=file:/etc/vigie/user.yaml
- --feature-gates=confmap.enableMergeAppendOption
{{- end }}

{{- /* Environment that both read. */ -}}
{{- define "vigie.env" -}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: VIGIE_NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
- {name: VIGIE_DATA_DIR, value: /var/lib/vigie}
{{- with .Values.clusterName }}
- {name: VIGIE_CLUSTER_NAME, value: {{ . | quote }}}
{{- end }}
{{- with .Values.aws.region }}
- {name: AWS_REGION, value: {{ . | quote }}}
{{- end }}
{{- if .Values.calendar }}
- {name: VIGIE_CALENDAR, value: /etc/vigie/calendar.yaml}
{{- end }}
{{- with .Values.amp }}{{ if .enabled }}
- {name: VIGIE_AMP_ENDPOINT, value: {{ .endpoint | quote }}}
{{- with .roleArn }}
- {name: VIGIE_AMP_ROLE_ARN, value: {{ . | quote }}}
{{- end }}
{{- end }}{{ end }}
{{- with .Values.cloudwatch }}{{ if .enabled }}
- {name: VIGIE_CLOUDWATCH, value: {{ join "," .signals | quote }}}
- {name: VIGIE_CLOUDWATCH_RETENTION_DAYS, value: {{ .retentionDays | quote }}}
{{- with .roleArn }}
- {name: VIGIE_CLOUDWATCH_ROLE_ARN, value: {{ . | quote }}}
{{- end }}
{{- end }}{{ end }}
{{- end }}

{{- /* The configuration of one component, in one map. */ -}}
{{- define "vigie.user" -}}
{{- if . }}{{ toYaml . }}{{ else }}{}{{ end }}
{{- end }}

{{- define "vigie.probes" -}}
startupProbe: {httpGet: {path: /healthz, port: health}, periodSeconds: 2, failureThreshold: 60}
livenessProbe: {httpGet: {path: /healthz, port: health}, periodSeconds: 15, timeoutSeconds: 5, failureThreshold: 4}
readinessProbe: {httpGet: {path: /healthz, port: health}, periodSeconds: 5, timeoutSeconds: 3}
{{- end }}

{{- define "vigie.reads" -}}
{{- /* Whether agents read the pods' log files: not where Fluent Bit does. */ -}}
{{- if and .Values.agent.logs (not .Values.fluentbit.enabled) }}yes{{ end -}}
{{- end }}

{{/* The configuration of one component, of a root and "agent" or "gateway". The
calendar is beside it: a change of that is read by itself and restarts nothing. */}}
{{- define "vigie.configOf" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
chart.yaml: |
  {{- include (printf "vigie.%sConfig" $component) $root | nindent 2 }}
user.yaml: |
  {{- include "vigie.user" (index $root.Values $component).config | nindent 2 }}
{{- end }}
