import { beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { DECISION_ACTIONS } from '../../operator/api/rollout-decision.ts';
import { declaredGrants } from '../../operator/kube/grants.ts';
import type { ClusterRole, ClusterRoleBinding, Deployment, Role, RoleBinding, Rule } from './kinds.ts';
import { grantsOf } from './grants.ts';
import { only, template } from './render.ts';

const OPERATOR_ROLE = 'headgate-system-headgate';
const ELECTION_ROLE = 'headgate-leader-election';
const NEVER_GRANTED_VERBS = ['*', 'escalate', 'bind', 'impersonate', 'deletecollection', 'update'];
const NEVER_GRANTED_RESOURCES = [
  'secrets',
  'pods/exec',
  'pods/attach',
  'pods/portforward',
  'pods/eviction',
  'pods/ephemeralcontainers',
  'serviceaccounts/token',
  'nodes',
  'nodes/proxy',
  'services/proxy',
  'pods/proxy',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
];

/** Whatever it does wherever models are; not the election among its own replicas. */
function operatorGrants(): ReadonlySet<string> {
  return new Set([...declaredGrants('Models'), ...declaredGrants('Gateways')]);
}

describe('what the operator may do', () => {
  let objects: KubernetesObject[];
  let role: ClusterRole;
  let grants: string[];
  let ownRules: readonly Rule[];

  beforeAll(async () => {
    objects = await template();
    role = only<ClusterRole>(objects, 'ClusterRole', OPERATOR_ROLE);
    ownRules = only<Role>(objects, 'Role', ELECTION_ROLE).rules;
    grants = [...role.rules, ...ownRules].flatMap(grantsOf);
  });

  test('is at most 60 grants, none of them twice', () => {
    expect(grants.length).toBeLessThanOrEqual(60);
    expect(new Set(grants).size).toBe(grants.length);
  });

  test('names every group, resource and verb, and no URL', () => {
    for (const rule of role.rules) {
      expect(
        [...rule.apiGroups, ...rule.resources, ...rule.verbs].filter((word) => word.includes('*')),
      ).toEqual([]);
      expect(rule.nonResourceURLs).toBeUndefined();
    }
  });

  test.each(NEVER_GRANTED_VERBS)('never includes the verb %s', (verb) => {
    expect(role.rules.flatMap(({ verbs }) => verbs)).not.toContain(verb);
  });

  test.each(NEVER_GRANTED_RESOURCES)('never includes %s', (resource) => {
    expect(role.rules.flatMap(({ resources }) => resources)).not.toContain(resource);
  });

  test('is what the operator’s code declares, no more and no less', () => {
    expect(grants.sort()).toEqual([...declaredGrants()].sort());
  });

  test('lets it write the status of a ModelDeployment, never the object itself', () => {
    expect(grants.filter((grant) => grant.includes('modeldeployments.headgate.dev')).sort()).toEqual([
      'list modeldeployments.headgate.dev',
      'patch modeldeployments.headgate.dev/status',
      'watch modeldeployments.headgate.dev',
    ]);
  });

  test('lets it get single objects of no kind but Gateway and the policy of decisions', () => {
    expect(grants.filter((grant) => grant.startsWith('get ')).sort()).toEqual([
      'get gateways.networking.istio.io',
      'get validatingadmissionpolicies.admissionregistration.k8s.io',
      'get validatingadmissionpolicybindings.admissionregistration.k8s.io',
    ]);
  });

  test('lets it write no Lease but its own, in its own namespace', () => {
    expect(grants.filter((grant) => grant.endsWith('leases.coordination.k8s.io')).sort()).toEqual(
      ['create', 'list', 'patch', 'watch'].map((verb) => `${verb} leases.coordination.k8s.io`),
    );
    // A right to create cannot be bound to a name.
    for (const { verbs, resourceNames } of ownRules)
      expect(resourceNames).toEqual(verbs.includes('create') ? undefined : ['headgate']);
    expect(only<RoleBinding>(objects, 'RoleBinding', ELECTION_ROLE)).toMatchObject({
      metadata: { namespace: 'headgate-system' },
      roleRef: { kind: 'Role', name: ELECTION_ROLE },
      subjects: [{ kind: 'ServiceAccount', name: 'headgate', namespace: 'headgate-system' }],
    });
  });

  test('reads pods and never writes them', () => {
    expect(grants.filter((grant) => grant.endsWith(' pods')).sort()).toEqual(['list pods', 'watch pods']);
  });

  test('is bound to the operator’s own account alone', () => {
    const binding = only<ClusterRoleBinding>(objects, 'ClusterRoleBinding');
    expect(binding.roleRef.name).toBe(OPERATOR_ROLE);
    expect(binding.subjects).toEqual([
      { kind: 'ServiceAccount', name: 'headgate', namespace: 'headgate-system' },
    ]);
  });

  test('is nothing with rbac.create=false', async () => {
    const without = await template('--set', 'rbac.create=false,rbac.aggregateToDefaultRoles=false');
    expect(without.filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))).toEqual([]);
  });
});

describe('what the operator of one namespace may do', () => {
  let objects: KubernetesObject[];

  beforeAll(async () => {
    objects = await template('--set', 'watchNamespace=ml,gatewayNamespaces={istio-system,ml}');
  });

  function rightsIn(namespace: string): string[] {
    const roles = objects.filter(
      (object): object is Role => object.kind === 'Role' && object.metadata.namespace === namespace,
    );
    const [role, ...others] = roles;
    expect(others).toEqual([]);
    const binding = objects.find(
      ({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === namespace,
    ) as RoleBinding;
    expect(binding).toMatchObject({
      roleRef: { kind: 'Role', name: role?.metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: 'headgate', namespace: 'headgate-system' }],
    });
    return role?.rules.flatMap(grantsOf).sort() ?? [];
  }

  test('is the same, inside that namespace', () => {
    expect(rightsIn('ml')).toEqual([...operatorGrants()].sort());
    expect(rightsIn('headgate-system')).toEqual([...declaredGrants('Release')].sort());
  });

  test('is reading what proves a routing, in the gateways’ namespaces', () => {
    expect(rightsIn('istio-system')).toEqual([...declaredGrants('Gateways')].sort());
  });

  test('is nothing cluster-wide', () => {
    expect(objects.map(({ kind }) => kind)).not.toContain('ClusterRoleBinding');
    const clusterRoles = objects.filter(({ kind }) => kind === 'ClusterRole');
    expect(clusterRoles.map(({ metadata }) => metadata.name)).not.toContain(OPERATOR_ROLE);
  });

  test('leaves out the gateways’ namespaces when their owner grants it', async () => {
    const without = await template(
      ...['--set', 'watchNamespace=ml,gatewayNamespaces={istio-system},rbac.gatewayRoles=false'],
    );
    expect(without.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace)).toEqual([
      'headgate-system',
      'ml',
    ]);
  });

  test('is not asked for where all namespaces are seen', async () => {
    await expect(template('--set', 'gatewayNamespaces={istio-system}')).rejects.toThrow(
      'gatewayNamespaces needs watchNamespace',
    );
  });

  test('reaches the operator as its environment', () => {
    const [container] = only<Deployment>(objects, 'Deployment').spec.template.spec.containers;
    expect(container?.env).toContainEqual({ name: 'HEADGATE_WATCH_NAMESPACE', value: 'ml' });
    expect(container?.env).toContainEqual({ name: 'HEADGATE_GATEWAY_NAMESPACES', value: 'istio-system,ml' });
  });
});

describe('the two halves of the chart', () => {
  const namesOf = (objects: readonly KubernetesObject[]): string[] =>
    objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();

  test('are the whole of it, and have nothing in common', async () => {
    const one = ['--set', 'watchNamespace=ml'];
    const whole = namesOf(await template(...one));
    const cluster = namesOf(await template(...one, '--set', 'parts.operator=false'));
    const operator = namesOf(await template(...one, '--set', 'parts.cluster=false'));
    expect([...cluster, ...operator].sort()).toEqual(whole);
  });

  test('are so that the operator’s has only objects of namespaces', async () => {
    const objects = await template('--set', 'watchNamespace=ml,parts.cluster=false');
    const bare = objects.filter(({ metadata }) => metadata.namespace === undefined);
    expect(namesOf(bare)).toEqual([]);
  });

  test('let an administrator of a namespace install the operator there, where the platform wants it', async () => {
    const name = `${OPERATOR_ROLE}-install`;
    expect(namesOf(await template())).not.toContain(`ClusterRole/${name}`);
    const objects = await template('--set', 'parts.operator=false,rbac.adminsMayInstall=true');
    const role = only<ClusterRole>(objects, 'ClusterRole', name);
    expect(role.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' });
    // Leases are in the cluster's own role admin already.
    expect(role.rules.flatMap(grantsOf).sort()).toEqual([...operatorGrants()].sort());
  });
});

describe('who may decide about rollouts', () => {
  const DECIDE = `${OPERATOR_ROLE}-decide`;

  test('is whoever is bound to the role for it, which has a verb for every action and may not attest', async () => {
    const role = only<ClusterRole>(await template(), 'ClusterRole', DECIDE);
    const verbs = role.rules.flatMap((rule) =>
      rule.resources.includes('modeldeployments') ? rule.verbs : [],
    );
    expect(verbs).toEqual(expect.arrayContaining(DECISION_ACTIONS.map((action) => action.toLowerCase())));
    expect(verbs).not.toContain('attest');
    expect(role.metadata.labels).not.toHaveProperty(['rbac.authorization.k8s.io/aggregate-to-admin']);
  });

  test('is whoever administers a namespace, where the values say so', async () => {
    const objects = await template('--set', 'decisions.aggregateToAdmin=true');
    expect(only<ClusterRole>(objects, 'ClusterRole', DECIDE).metadata.labels).toMatchObject({
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
    });
  });

  test('is nobody’s question without the policy, and the operator does not look for one', async () => {
    const objects = await template('--set', 'decisions.policy=false');
    expect(objects.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))).toEqual([]);
    const grants = only<ClusterRole>(objects, 'ClusterRole', OPERATOR_ROLE).rules.flatMap(grantsOf);
    expect(grants.filter((grant) => grant.includes('policies.admission'))).toEqual([]);
    const [container] = only<Deployment>(objects, 'Deployment').spec.template.spec.containers;
    expect(container?.env.map(({ name }) => name)).not.toContain('HEADGATE_DECISION_POLICY');
  });

  test('is not known to be true by an operator that may read nothing cluster-wide', async () => {
    const objects = await template('--set', 'watchNamespace=ml');
    const [container] = only<Deployment>(objects, 'Deployment').spec.template.spec.containers;
    expect(container?.env.map(({ name }) => name)).not.toContain('HEADGATE_DECISION_POLICY');
  });
});

describe('what the people of a namespace may do', () => {
  test('follows from the roles that they have already', async () => {
    const objects = await template();
    const view = only<ClusterRole>(objects, 'ClusterRole', `${OPERATOR_ROLE}-view`);
    const edit = only<ClusterRole>(objects, 'ClusterRole', `${OPERATOR_ROLE}-edit`);
    expect(view.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-view': 'true' });
    expect(view.rules.flatMap(({ verbs }) => verbs)).toEqual(['get', 'list', 'watch']);
    expect(edit.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' });
    expect(edit.rules.flatMap(({ resources }) => resources)).toEqual(['modeldeployments']);
  });
});
