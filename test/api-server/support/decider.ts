import type { DecisionAction, RolloutDecision } from '../../../operator/api/rollout-decision.ts';
import { createKubectl, type Kubectl } from '../../bed/kubectl.ts';
import { waitFor } from '../../bed/wait.ts';
import { NAMESPACE, type Installation } from './installation.ts';

type Answer = NonNullable<RolloutDecision['status']>;

/** A person with a certificate and kubectl, who may do what these verbs on ModelDeployments say and create decisions. */
export class Decider {
  readonly user: string;
  readonly kubectl: Kubectl;

  private constructor(user: string, kubectl: Kubectl) {
    this.user = user;
    this.kubectl = kubectl;
  }

  static async create({ server }: Installation, user: string, verbs: readonly string[]): Promise<Decider> {
    const metadata = { name: `decider-${user.replaceAll(/[^a-z]/g, '-')}`, namespace: NAMESPACE };
    const may = (resource: string, allowed: readonly string[]): object => ({
      ...{ apiGroups: ['headgate.dev'], resources: [resource], verbs: allowed },
    });
    await server.kubectl.apply([
      {
        ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata },
        rules: [
          may('rolloutdecisions', ['create', 'get', 'patch']),
          ...(verbs.length > 0 ? [may('modeldeployments', verbs)] : []),
        ],
      },
      {
        ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      },
    ]);
    const kubeconfig = await server.kubeconfigForUser(user);
    return new Decider(user, createKubectl(kubeconfig, `${server.folder}/cache-${metadata.name}`));
  }

  /** The eight lines that the documentation shows; the name that the API server gave. */
  async decides(
    action: DecisionAction,
    spec: Partial<RolloutDecision['spec']> & { readonly modelDeployment: string; readonly rollout: string },
    ...args: string[]
  ): Promise<string> {
    const lines = Object.entries({ action, decidedBy: this.user, ...spec });
    const manifest = `apiVersion: headgate.dev/v1alpha1
kind: RolloutDecision
metadata: { generateName: decision-, namespace: ${NAMESPACE} }
spec:
${lines.map(([field, value]) => `  ${field}: ${value}`).join('\n')}
`;
    const output = await this.kubectl.create(manifest, '-o', 'name', ...args);
    return output.trim().replace(/^.*\//, '');
  }

  /** What it was refused with. */
  async isRefused(...[action, spec]: Parameters<Decider['decides']>): Promise<string> {
    const outcome = await this.decides(action, spec, '--dry-run=server').catch((error: unknown) => error);
    return outcome instanceof Error ? outcome.message : 'it was let in';
  }
}

export async function answerTo(installation: Installation, decision: string): Promise<Answer> {
  return await waitFor(`${decision} is answered`, async () => {
    const { status } = (await installation.get('RolloutDecision', decision)) as RolloutDecision;
    return status;
  });
}
