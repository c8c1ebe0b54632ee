import { beforeAll, expect, test } from 'vitest';
import { API_VERSION, KIND, labels } from '../../../operator/api/names.ts';
import { grantOf, grants, resourceOf, type Grant } from '../../../operator/kube/grants.ts';
import { readAudit, usedGrants } from '../../bed/audit.ts';
import { waitFor } from '../../bed/wait.ts';
import { grantsOf } from '../../charts/grants.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../charts/kinds.ts';
import { modelDeployment } from '../support/model-deployment.ts';
import { useNamespace } from '../support/namespace.ts';
import { operator, useStack } from '../support/stack.ts';
import { waitForPhase } from '../support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'rights');
const fraud = { namespace, name: 'fraud' };
/** Of another rollout, so that it changes nothing. */
const decision = {
  ...{ apiVersion: 'headgate.dev/v1alpha1', kind: 'RolloutDecision', metadata: { namespace, name: 'any' } },
  spec: { modelDeployment: fraud.name, rollout: 'another', action: 'Abort', decidedBy: 'bed-admin' },
};

/**
 * The bed's API server streams the first list of a watch. One that cannot is asked to list: the API-server tier has
 * such a one, and test/api-server/operator-life.test.ts shows these rights in use there.
 */
const waived: readonly Grant[] = grants
  .filter(({ verbs }) => verbs.includes('list') && verbs.includes('watch'))
  .map((entry) => grantOf('list', resourceOf(entry)));

interface List<Item> {
  readonly items: readonly Item[];
}

/** What no other test of the tier brings about: records that are forgotten, a model that leaves its gateways, a decision. */
beforeAll(async () => {
  const { kubectl } = stack.bed;
  const modelUri = stack.modelUri('v1.onnx');
  await kubectl.apply([modelDeployment({ ...fraud, modelUri })]);
  await waitForPhase(stack.bed, fraud, 'Healthy');
  const limit = JSON.stringify({ spec: { rollout: { revisionHistoryLimit: 1 } } });
  await kubectl('patch', 'modeldeployment', fraud.name, '-n', namespace, '--type=merge', '-p', limit);
  for (const edit of ['1', '2', '3']) {
    const before = await latestRecord();
    const podTemplate = { metadata: { annotations: { edit } } };
    await kubectl.apply([modelDeployment({ ...fraud, modelUri, podTemplate })]);
    await waitFor(`edit ${edit} has its record`, async () => (await latestRecord()) > before);
  }
  const recorded = (await records()).map(({ metadata }) => metadata.name);
  await kubectl.apply([modelDeployment({ ...fraud, modelUri, hosts: [], gateways: [] }), decision]);
  await waitForPhase(stack.bed, fraud, 'Healthy', 180_000);
  await waitFor(
    'a record is forgotten',
    async () => {
      const present = (await records()).map(({ metadata }) => metadata.name);
      return recorded.some((name) => !present.includes(name));
    },
    { timeoutMs: 180_000 },
  );
  await kubectl.apply([withPlainService(modelUri)]);
  await waitForPhase(stack.bed, { namespace, name: 'plain' }, 'Healthy', 180_000);
  await kubectl('delete', 'lease', operator.name, '-n', operator.namespace);
  await waitFor(
    'the lease is back',
    async () => await kubectl('get', 'lease', operator.name, '-n', operator.namespace),
  );
  await waitFor('the decision has its answer', async () => {
    const path = ['-n', namespace, '-o', 'jsonpath={.status.phase}'];
    return (await kubectl('get', 'rolloutdecision', decision.metadata.name, ...path)) !== '';
  });
});

/** Its Service is the route, so its endpoints are the proof. */
function withPlainService(modelUri: string): object {
  return {
    ...{ apiVersion: API_VERSION, kind: KIND, metadata: { namespace, name: 'plain' } },
    spec: {
      model: { uri: modelUri },
      resources: { requests: { cpu: '50m', memory: '96Mi' } },
      traffic: { router: 'Service' },
    },
  };
}

async function latestRecord(): Promise<number> {
  return Math.max(...(await records()).map(({ revision }) => revision));
}

interface RevisionRecord {
  readonly metadata: { readonly name: string };
  readonly revision: number;
}

async function records(): Promise<readonly RevisionRecord[]> {
  const selector = `${labels.modelDeployment}=${fraud.name}`;
  const found = await stack.bed.kubectl.json('get', 'controllerrevisions', '-n', namespace, '-l', selector);
  return (found as List<RevisionRecord>).items;
}

/** Every rule that is bound to the operator's account, as the cluster has it. */
async function granted(): Promise<ReadonlySet<Grant>> {
  const all = async <Item>(kind: string): Promise<readonly Item[]> =>
    ((await stack.bed.kubectl.json('get', kind, '--all-namespaces')) as List<Item>).items;
  const bindings = [
    ...(await all<ClusterRoleBinding>('clusterrolebindings')),
    ...(await all<RoleBinding>('rolebindings')),
  ].filter(({ subjects = [] }) =>
    subjects.some(
      (subject) =>
        subject.kind === 'ServiceAccount' &&
        subject.name === operator.name &&
        subject.namespace === operator.namespace,
    ),
  );
  const roles = [...(await all<ClusterRole>('clusterroles')), ...(await all<Role>('roles'))];
  const bound = roles.filter(({ kind, metadata }) =>
    bindings.some(
      ({ roleRef, metadata: { namespace: place } }) =>
        roleRef.kind === kind &&
        roleRef.name === metadata.name &&
        (kind === 'ClusterRole' || place === metadata.namespace),
    ),
  );
  return new Set(bound.flatMap(({ rules }) => rules.flatMap(grantsOf)));
}

test('the operator has used every right that it has, but for waived ones, and asked for no other', async () => {
  const requests = await readAudit(stack.bed.auditLog, { user: operator.user });
  const refused = requests.filter(({ isAuthorized }) => !isAuthorized);
  expect(refused.map(({ verb, path }) => `${verb} ${path}`)).toEqual([]);
  const used = usedGrants(requests);
  const rights = await granted();
  console.log(`rights: ${rights.size} granted, ${used.size} used by ${requests.length} requests`);
  expect([...used].filter((grant) => !rights.has(grant))).toEqual([]);
  expect([...rights].filter((grant) => !used.has(grant) && !waived.includes(grant))).toEqual([]);
});
