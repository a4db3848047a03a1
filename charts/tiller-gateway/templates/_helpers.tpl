{{- define "tiller-gateway.labels" -}}
app: tiller-gateway
release: {{ .Release.Name }}
chart: {{ .Chart.Name }}-{{ .Chart.Version }}
heritage: {{ .Release.Service }}
{{- end -}}

{{- define "tiller-gateway.selector" -}}
app: tiller-gateway
release: {{ .Release.Name }}
{{- end -}}

{{/* Cluster-wide objects carry the namespace in their name, since another namespace may have a release of the same name. */}}
{{- define "tiller-gateway.cluster-name" -}}
{{ .Release.Name }}-{{ .Release.Namespace }}
{{- end -}}
