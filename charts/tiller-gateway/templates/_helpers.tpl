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

{{/* A value as it was written: numbers of a values file are floats, of which Go prints 33554432 as 3.3554432e+07. */}}
{{- define "tiller-gateway.text" -}}
{{- if kindIs "float64" . }}{{ toJson . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}
