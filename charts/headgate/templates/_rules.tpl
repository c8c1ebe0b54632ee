{{- /* Exactly what the operator does: no wildcard, no Secret, no right to grant rights. Objects come from lists and
     watches and from the answers to writes, so there is hardly a "get"; a server-side apply that may create an object
     needs create and patch. */}}
{{- define "headgate.modelRules" }}
  # The spec is the user's: the operator reads it and writes the status alone.
  - apiGroups: [headgate.dev]
    resources: [modeldeployments]
    verbs: [list, watch]
  - apiGroups: [headgate.dev]
    resources: [modeldeployments/status]
    verbs: [patch]
  # The children of a ModelDeployment.
  - apiGroups: [apps]
    resources: [deployments, controllerrevisions]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [""]
    resources: [services]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [networking.istio.io]
    resources: [virtualservices, destinationrules]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, watch]
  - apiGroups: [""]
    resources: [events]
    verbs: [create]
{{- end }}
