import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { DECISION_ACTIONS, type DecisionAction } from '../operator/api/rollout-decision.ts';
import { API_GROUP, API_VERSION, DECISION_KIND, KIND } from '../operator/api/names.ts';

/** In the layout of Argo CD's own repository, so that its tools and its tests find everything. */
export const CUSTOMIZATIONS = `argocd/resource_customizations/${API_GROUP}`;
const ACTIONS = `${CUSTOMIZATIONS}/${KIND}/actions`;

/** Under this name the API server knows an Argo CD that is installed as its documentation says. */
const ARGO_CD_USER = 'system:serviceaccount:argocd:argocd-server';

/** The decisions that are made at a step, and are of no use at a later one. */
const atStep: ReadonlySet<DecisionAction> = new Set(['Promote', 'SkipStep', 'PromoteFull', 'Abort']);

type Files = readonly (readonly [path: string, content: string])[];

/** One script for each action, and all of Argo CD's configuration in one manifest. */
export async function buildArgoCdFiles(root: string): Promise<Files> {
  const scripts = DECISION_ACTIONS.map(
    (action) => [`${ACTIONS}/${nameOf(action)}/action.lua`, script(action)] as const,
  );
  return [...scripts, ['argocd/argocd-cm.yaml', await configuration(root, scripts)]];
}

/** As Argo CD's own actions are called: promote-full. */
export function nameOf(action: DecisionAction): string {
  return action.replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

function script(action: DecisionAction): string {
  return `-- Written by scripts/generate.ts. Creates the RolloutDecision ${action}; which rollout it is about keeps it from hitting another.
local os = require("os")
return {
  {
    operation = "create",
    resource = {
      apiVersion = "${API_VERSION}",
      kind = "${DECISION_KIND}",
      metadata = {
        name = obj.metadata.name .. "-${nameOf(action)}-" .. os.time(),
        namespace = obj.metadata.namespace,
      },
      spec = {
        modelDeployment = obj.metadata.name,
        rollout = obj.status.rolloutId,
        action = "${action}",${atStep.has(action) ? '\n        step = obj.status.rollout.stepIndex,' : ''}
        -- The API server refuses any other name than that of the account that creates it.
        decidedBy = "${ARGO_CD_USER}",
        reason = "by an action in Argo CD",
      },
    },
  },
}
`;
}

/** https://argo-cd.readthedocs.io/en/stable/operator-manual/health/ and …/resource_actions/ */
async function configuration(root: string, scripts: Files): Promise<string> {
  const read = async (path: string): Promise<string> =>
    await readFile(join(root, CUSTOMIZATIONS, path), 'utf8');
  const actions = {
    'discovery.lua': await read(`${KIND}/actions/discovery.lua`),
    definitions: scripts.map(([path, content]) => ({
      name: path.split('/').at(-2),
      'action.lua': content,
    })),
  };
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: {
      [`resource.customizations.health.${API_GROUP}_${KIND}`]: await read(`${KIND}/health.lua`),
      [`resource.customizations.health.${API_GROUP}_${DECISION_KIND}`]: await read(
        `${DECISION_KIND}/health.lua`,
      ),
      [`resource.customizations.actions.${API_GROUP}_${KIND}`]: stringify(actions, { lineWidth: 0 }),
    },
  };
  return `# Written by scripts/generate.ts from argocd/resource_customizations. Merge it into Argo CD's own ConfigMap:
# kubectl patch configmap argocd-cm -n argocd --patch-file argocd/argocd-cm.yaml
${stringify(manifest, { lineWidth: 0 })}`;
}
