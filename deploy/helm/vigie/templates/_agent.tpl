{{- define "vigie.agentEnv" -}}
{{- $a := .Values.agent -}}
{{- include "vigie.env" . }}
- {name: VIGIE_HOST_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
- {name: VIGIE_NODE_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
- {name: VIGIE_HOST_ROOT, value: /host}
# {{ if $a.conntrack }}On the host's network: the node's address, and no other of the host's.{{ else }}The pod's addresses, of both families.{{ end }}
- {name: VIGIE_LISTEN, value: {{ ternary "[$(VIGIE_NODE_IP)]" "0.0.0.0" $a.conntrack | quote }}}
{{- $all := printf "%s-gateway-headless.%s.svc" (include "vigie.name" .) .Release.Namespace }}
{{- if gt (int .Values.gateway.replicas) 1 }}
# The cluster's verdict is made where all summaries are: the first gateway's. Spans
# go to all, whole traces to one.
- {name: VIGIE_GATEWAY_ENDPOINT, value: {{ printf "%s-gateway-0.%s:4319" (include "vigie.name" .) $all | quote }}}
- {name: VIGIE_GATEWAY_HOST, value: {{ $all | quote }}}
- {name: VIGIE_GATEWAY_PORT, value: "4319"}
{{- else }}
- {name: VIGIE_GATEWAY_ENDPOINT, value: {{ printf "%s:4319" $all | quote }}}
{{- end }}
{{- with $a.journal.units }}
- {name: VIGIE_JOURNALD, value: {{ join "," . | quote }}}
{{- end }}
- {name: VIGIE_TRACERS, value: {{ join "," $a.tracers | default "none" | quote }}}
{{- if .Values.fluentbit.enabled }}
- {name: VIGIE_FLUENT_ENDPOINT, value: "$(VIGIE_LISTEN):24224"}
- {name: VIGIE_FLUENT_OTLP_ENDPOINT, value: "$(VIGIE_LISTEN):4328"}
{{- end }}
{{- with $a.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What an agent listens on for older tracers, as JSON. X-Ray's daemon has one
port number for two protocols: a list that is merged by port would lose one of them
(kubernetes/kubernetes#39188), so that only a Service of their own has both. */ -}}
{{- define "vigie.tracers" -}}
{{- $all := dict
  "awsxray" (list (dict "name" "xray" "port" 2000 "protocol" "UDP"))
  "zipkin" (list (dict "name" "zipkin" "port" 9411 "protocol" "TCP"))
  "jaeger" (list (dict "name" "jaeger-grpc" "port" 14250 "protocol" "TCP") (dict "name" "jaeger-http" "port" 14268 "protocol" "TCP")) }}
{{- $ports := list }}
{{- range .Values.agent.tracers }}{{ $ports = concat $ports (index $all .) }}{{ end }}
{{- toJson $ports }}
{{- end }}

{{- define "vigie.agentMounts" -}}
- {name: config, mountPath: /etc/vigie, readOnly: true}
- {name: data, mountPath: /var/lib/vigie}
{{- if .Values.agent.hostRoot }}
- {name: host, mountPath: /host, readOnly: true, mountPropagation: HostToContainer}
# Other pods' secrets, and the sockets of the container runtime.
- {name: hidden, mountPath: /host/var/lib/kubelet, readOnly: true}
- {name: hidden, mountPath: /host/run, readOnly: true}
{{- else }}
- {name: proc, mountPath: /host/proc, readOnly: true}
- {name: sys, mountPath: /host/sys, readOnly: true}
{{- if include "vigie.reads" . }}
- {name: logs, mountPath: /host/var/log/pods, readOnly: true}
{{- end }}
{{- with .Values.agent.journal }}{{ if .units }}
- {name: journal, mountPath: /host{{ .dir }}, readOnly: true}
- {name: usr, mountPath: /host/usr, readOnly: true}
{{- end }}{{ end }}
{{- end }}
{{- end }}

{{- /* What the chart sets of the agent's configuration, under the user's. */ -}}
{{- define "vigie.agentConfig" -}}
receivers:
  host_metrics:
    scrapers:
      filesystem:
        {{- if .Values.agent.hostRoot }}
        exclude_mount_points:
          match_type: regexp
          mount_points: ["/var/lib/kubelet(/.*)?", "/run(/.*)?", "/var/lib/containerd/.*"]
        {{- else }}
        # Without the host's root only the disk under the containers can be asked;
        # kubelet_stats says how full the node's file systems are.
        include_mount_points: {match_type: strict, mount_points: [/]}
        {{- end }}
  {{- if not .Values.agent.conntrack }}
  # Off the host's network: the pod's own connections and traffic are not the node's.
  # The node's table is named, and refused; one line in the log says so.
  conntrack: {netns: /host/proc/1/ns/net}
  host_stat:
    metrics:
      system.network.connections: {enabled: false}
  host_metrics/second:
    scrapers:
      network:
        metrics:
          {{- range list "dropped" "errors" "io" "packets" }}
          system.network.{{ . }}: {enabled: false}
          {{- end }}
  {{- end }}
{{- end }}
