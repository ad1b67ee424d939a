{{- define "vigie.gatewayEnv" -}}
{{- $g := .Values.gateway -}}
{{- include "vigie.env" . }}
- {name: VIGIE_HOST_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: VIGIE_GATEWAY_ORDINAL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}}
- {name: VIGIE_GATEWAY_REPLICAS, value: {{ $g.replicas | quote }}}
# The pod's addresses, of both families.
- {name: VIGIE_LISTEN, value: 0.0.0.0}
{{- with .Values.xray }}{{ if .enabled }}
- {name: VIGIE_XRAY, value: {{ .api | quote }}}
{{- with .roleArn }}
- {name: VIGIE_XRAY_ROLE_ARN, value: {{ . | quote }}}
{{- end }}
{{- end }}{{ end }}
{{- with .Values.grafana }}{{ if .enabled }}
- {name: VIGIE_GRAFANA_URL, value: {{ .url | quote }}}
{{- if .tokenSecret }}
- {name: VIGIE_GRAFANA_TOKEN_FILE, value: /etc/vigie-grafana/token}
{{- end }}
{{- end }}{{ end }}
{{- with .Values.kafka }}{{ if .enabled }}
- {name: VIGIE_KAFKA_BROKERS, value: {{ join "," .brokers | quote }}}
- {name: VIGIE_KAFKA_SIGNALS, value: {{ join "," .signals | quote }}}
- {name: VIGIE_KAFKA_AUTH, value: {{ .auth | quote }}}
{{- with .credentialsSecret }}
- {name: VIGIE_KAFKA_USERNAME, valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: username}}}
- {name: VIGIE_KAFKA_PASSWORD, valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: password}}}
{{- end }}
{{- end }}{{ end }}
{{- with include "vigie.kubeStateMetrics" . }}
- {name: VIGIE_KUBE_STATE_METRICS, value: {{ . | quote }}}
{{- end }}
{{- with .Values.karpenter.namespace }}
- {name: VIGIE_KARPENTER_NAMESPACE, value: {{ . | quote }}}
{{- end }}
{{- with .Values.keda.namespace }}
- {name: VIGIE_KEDA_NAMESPACE, value: {{ . | quote }}}
{{- end }}
{{- with $g.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "vigie.kubeStateMetrics" -}}
{{- if .Values.kubeStateMetrics.endpoint }}{{ .Values.kubeStateMetrics.endpoint }}
{{- else if .Values.kubeStateMetrics.enabled }}{{ include "vigie.name" . }}-kube-state-metrics.{{ .Release.Namespace }}.svc:8080
{{- end -}}
{{- end }}

{{- define "vigie.gatewayMounts" -}}
- {name: config, mountPath: /etc/vigie, readOnly: true}
- {name: data, mountPath: /var/lib/vigie}
{{- if and .Values.grafana.enabled .Values.grafana.tokenSecret }}
- {name: grafana, mountPath: /etc/vigie-grafana, readOnly: true}
{{- end }}
{{- if .Values.warroom.enabled }}
- {name: warroom-tls, mountPath: /etc/vigie-warroom/tls, readOnly: true}
- {name: warroom-users, mountPath: /etc/vigie-warroom/users, readOnly: true}
{{- end }}
{{- end }}

{{- /* What the chart sets of the gateway's configuration, under the user's. */ -}}
{{- define "vigie.gatewayConfig" -}}
{{- with .Values.warroom }}
{{- if .enabled -}}
# The page on the pod's addresses: encrypted, and for those in the Secret.
extensions:
  basicauth/warroom:
    htpasswd: {file: /etc/vigie-warroom/users/htpasswd}
exporters:
  warroom:
    endpoint: 0.0.0.0:8640
    tls: {cert_file: /etc/vigie-warroom/tls/tls.crt, key_file: /etc/vigie-warroom/tls/tls.key, reload_interval: 1h}
    auth: {authenticator: basicauth/warroom}
    room:
      writers: {{ toJson .writers }}
service:
  extensions: [basicauth/warroom]
{{- else -}}
{}
{{- end }}
{{- end }}
{{- end }}
