{{- /* Written by scripts/generate.ts from the rights that operator/kube/grants.ts declares; change them there and run
     `npm run generate`. */}}
{{- define "headgate.operatorRules" }}
  # The spec is the user’s: it is only read.
  - apiGroups: [headgate.dev]
    resources: [modeldeployments]
    verbs: [list, watch]
  # What is true of it.
  - apiGroups: [headgate.dev]
    resources: [modeldeployments/status]
    verbs: [patch]
  # What people decide is only read.
  - apiGroups: [headgate.dev]
    resources: [rolloutdecisions]
    verbs: [list, watch]
  # What became of a decision.
  - apiGroups: [headgate.dev]
    resources: [rolloutdecisions/status]
    verbs: [patch]
  # What a revision is made of.
  - apiGroups: [apps]
    resources: [controllerrevisions]
    verbs: [list, watch, create, patch, delete]
  # A revision’s pods.
  - apiGroups: [apps]
    resources: [deployments]
    verbs: [list, watch, create, patch, delete]
  # How many pods a revision has.
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [list, watch, create, patch, delete]
  # How many of them may be away.
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [list, watch, create, patch, delete]
  # Where clients and proxies find pods.
  - apiGroups: [""]
    resources: [services]
    verbs: [list, watch, create, patch, delete]
  # Which revision gets which share of the traffic.
  - apiGroups: [networking.istio.io]
    resources: [virtualservices]
    verbs: [list, watch, create, patch, delete]
  # How proxies treat a revision’s pods.
  - apiGroups: [networking.istio.io]
    resources: [destinationrules]
    verbs: [list, watch, create, patch, delete]
  # Whether pods are ready, crash or cannot start.
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, watch]
  # Where a plain Service sends its clients.
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [list]
  # What kubectl describe tells.
  - apiGroups: [""]
    resources: [events]
    verbs: [create]
  # Which proxies have to prove a routing.
  - apiGroups: [networking.istio.io]
    resources: [gateways]
    verbs: [get]
{{- end }}
{{- define "headgate.gatewayRules" }}
  # Which proxies have to prove a routing.
  - apiGroups: [networking.istio.io]
    resources: [gateways]
    verbs: [get]
  # Where those proxies are.
  - apiGroups: [""]
    resources: [pods]
    verbs: [list]
  # Which port of theirs to ask.
  - apiGroups: [""]
    resources: [services]
    verbs: [list]
{{- end }}
{{- define "headgate.releaseRules" }}
  # Which replica works.
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{{ include "headgate.fullname" . }}]
    verbs: [list, watch, patch]
  # The same, when somebody has removed it.
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [create]
{{- end }}
{{- define "headgate.policyRules" }}
  # Whether deciders are held to their own names.
  - apiGroups: [admissionregistration.k8s.io]
    resources: [validatingadmissionpolicies]
    resourceNames: [{{ include "headgate.decisionPolicyName" . }}]
    verbs: [get]
  # Whether that policy is in force.
  - apiGroups: [admissionregistration.k8s.io]
    resources: [validatingadmissionpolicybindings]
    resourceNames: [{{ include "headgate.decisionPolicyName" . }}]
    verbs: [get]
{{- end }}
