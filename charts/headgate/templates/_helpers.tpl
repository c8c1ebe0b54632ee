{{- define "headgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 54 | trimSuffix "-" -}}
{{- end }}

{{- /* Room is left for the suffixes of the chart's objects: 63 - len("-metrics"). */ -}}
{{- define "headgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else if contains (include "headgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "headgate.name" .) | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "headgate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "headgate.labels" -}}
{{ include "headgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{- define "headgate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "headgate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- /* A cluster-wide name: two releases in two namespaces must not meet. */ -}}
{{- define "headgate.clusterName" -}}
{{- if eq .Release.Namespace (include "headgate.fullname" .) -}}
{{- include "headgate.fullname" . -}}
{{- else -}}
{{- printf "%s-%s" .Release.Namespace (include "headgate.fullname" .) -}}
{{- end -}}
{{- end }}

{{- define "headgate.decisionPolicyName" -}}
{{- include "headgate.clusterName" . }}-decisions
{{- end }}

{{- /* Takes {image, appVersion}. */ -}}
{{- define "headgate.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .appVersion .image.tag) -}}
{{- end -}}
{{- end }}

{{- /* What the restricted Pod Security Standard asks of a pod, and a number above every user of the node. */ -}}
{{- define "headgate.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "headgate.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* Takes {root, namespace, rules}: a Role there with the named rules, bound to the operator's account. */ -}}
{{- define "headgate.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "headgate.clusterName" .root }}
  namespace: {{ .namespace }}
  labels:
    {{- include "headgate.labels" .root | nindent 4 }}
rules:
  {{- include .rules .root }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "headgate.clusterName" .root }}
  namespace: {{ .namespace }}
  labels:
    {{- include "headgate.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "headgate.clusterName" .root }}
subjects:
  - kind: ServiceAccount
    name: {{ include "headgate.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
