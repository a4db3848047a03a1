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

{{/* What is not in a namespace carries the release's, since another release may be elsewhere. */}}
{{- define "tiller-gateway.cluster-name" -}}
{{ .Release.Name }}-{{ .Release.Namespace }}
{{- end -}}
