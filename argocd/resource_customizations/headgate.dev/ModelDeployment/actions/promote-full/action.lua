-- Written by scripts/generate.ts. Creates the RolloutDecision PromoteFull; which rollout it is about keeps it from hitting another.
local os = require("os")
return {
  {
    operation = "create",
    resource = {
      apiVersion = "headgate.dev/v1alpha1",
      kind = "RolloutDecision",
      metadata = {
        name = obj.metadata.name .. "-promote-full-" .. os.time(),
        namespace = obj.metadata.namespace,
      },
      spec = {
        modelDeployment = obj.metadata.name,
        rollout = obj.status.rolloutId,
        action = "PromoteFull",
        step = obj.status.rollout.stepIndex,
        -- The API server refuses any other name than that of the account that creates it.
        decidedBy = "system:serviceaccount:argocd:argocd-server",
        reason = "by an action in Argo CD",
      },
    },
  },
}
