import { setTimeout as rest } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { specSchema, type ModelDeployment } from '../../operator/api/model-deployment.ts';
import { labels } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { isRefusal } from '../../operator/controller/errors.ts';
import { objectPath } from '../../operator/controller/resource-type.ts';
import { resourceType } from '../../operator/kube/kinds.ts';
import { needsApply } from '../../operator/resources/difference.ts';
import { waitFor } from '../bed/wait.ts';
import { freshChildren } from '../support/fresh-children.ts';
import { mutated, mutationsOf } from '../support/mutations.ts';
import { leavesOf, type Leaf, type SchemaNode } from '../support/schema-leaves.ts';
import { Installation } from './support/installation.ts';
import { RUNTIME_IMAGE, type OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

const schema = specSchema as unknown as SchemaNode;
const leaves = leavesOf(schema);
/** All of them take minutes: `make campaign`. */
const isWhole = process.env['HEADGATE_CAMPAIGN'] === 'whole';
const EVERY = 6;
const chosen = isWhole ? leaves : leaves.filter((_, index) => index % EVERY === 0);
/** So many ModelDeployments go through their share of the leaves at the same time. */
const LANES = 6;
const LONGEST_MS = 120_000;

const kinds = [
  'Service',
  'Deployment',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'DestinationRule',
  'VirtualService',
] as const;

const BACK = 'back';

interface Tally {
  admitted: number;
  refused: number;
  bad: number;
  readonly alarms: string[];
}

describe('every leaf of the spec, changed again and again and back', { timeout: 3_600_000 }, () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;
  const tally: Tally = { admitted: 0, refused: 0, bad: 0, alarms: [] };

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    await installation.server.kubectl.apply(
      ['one', 'two'].flatMap((name) => [
        { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 1 },
        { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: name },
      ]),
    );
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    operator = await installation.startOperator();
    await Promise.all(Array.from({ length: LANES }, (_, lane) => goThrough(lane)));
  }, 3_600_000);

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  async function goThrough(lane: number): Promise<void> {
    const name = `lane-${lane}`;
    const base = baseOf(name);
    await installation.apply(name, base);
    await settled(name);
    for (const leaf of chosen.filter((_, index) => index % LANES === lane)) {
      await change(name, base, leaf).catch((error: unknown) => {
        tally.alarms.push(`${leaf.path}: ${String(error)}`);
      });
    }
  }

  async function change(name: string, base: object, leaf: Leaf): Promise<void> {
    for (const value of mutationsOf(leaf)) {
      const before = await installation.modelDeployment(name);
      if (!(await isAdmitted(name, mutated(base, schema, leaf.path, value)))) {
        const { metadata } = await installation.modelDeployment(name);
        if (metadata.generation !== before.metadata.generation)
          tally.alarms.push(`${leaf.path}: refused and changed`);
        continue;
      }
      const isBad = (await settled(name)).status?.phase === 'Degraded';
      if (isBad) tally.bad += 1;
      else await compare(name, leaf, value);
    }
    await installation.apply(name, base);
    await settled(name);
    await waitFor('nothing is left of what was tried', async () => await isAlone(name), {
      timeoutMs: LONGEST_MS,
    });
    await findMetrics(name);
    await compare(name, leaf, BACK);
  }

  async function isAdmitted(name: string, spec: object): Promise<boolean> {
    try {
      await installation.apply(name, spec);
      tally.admitted += 1;
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      tally.refused += 1;
      return false;
    }
  }

  async function settled(name: string): Promise<ModelDeployment> {
    return await waitFor(
      `${name} is settled`,
      async () => {
        const modelDeployment = await installation.modelDeployment(name);
        const { status, metadata } = modelDeployment;
        if (status?.observedGeneration === metadata.generation && isSettled(status)) return modelDeployment;
        throw new Error(`${status?.phase ?? ''}, ${status?.reason ?? ''}: ${status?.message ?? ''}`);
      },
      { timeoutMs: LONGEST_MS },
    );
  }

  /** What there is comes to what a new object with this spec would have: no way that led here may show. */
  async function compare(name: string, leaf: Leaf, value: unknown): Promise<void> {
    let differences: readonly string[] = [];
    const isAsNew = async (): Promise<boolean> => {
      differences = await differencesOf(name, value === BACK);
      return differences.length === 0;
    };
    await waitFor('it is as new', isAsNew, { timeoutMs: 20_000 }).catch(() => {
      tally.alarms.push(
        `${leaf.path} = ${JSON.stringify(value)}: unlike a new one are ${differences.join(', ')}`,
      );
    });
  }

  /** Autoscalers are held up while an old revision drains, so that they count when all is back. */
  async function differencesOf(name: string, withAutoscalers: boolean): Promise<readonly string[]> {
    const live = await childrenOf(name);
    const left = withAutoscalers ? ['ControllerRevision'] : ['ControllerRevision', 'HorizontalPodAutoscaler'];
    return freshChildren(await installation.modelDeployment(name), RUNTIME_IMAGE)
      .filter(({ kind }) => !left.includes(kind))
      .filter((wanted) =>
        needsApply(
          live.find((child) => isSameName(child, wanted)),
          wanted,
        ),
      )
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  }

  /** As a cluster's own controller says of autoscalers that find their metric: until then none lowers its floor. */
  async function findMetrics(name: string): Promise<void> {
    for (const { metadata } of await installation.list('HorizontalPodAutoscaler', name)) {
      await installation.transport.request({
        method: 'PATCH',
        path: `${objectPath(resourceType('HorizontalPodAutoscaler'), metadata.namespace ?? '', metadata.name)}/status`,
        contentType: 'application/merge-patch+json',
        body: {
          status: {
            desiredReplicas: 1,
            currentMetrics: null,
            conditions: [{ type: 'ScalingActive', status: 'True' }],
          },
        },
      });
    }
  }

  async function childrenOf(name: string): Promise<readonly KubernetesObject[]> {
    return (await Promise.all(kinds.map((kind) => installation.list(kind, name)))).flat();
  }

  async function isAlone(name: string): Promise<boolean> {
    const { status } = await installation.modelDeployment(name);
    const revisions = new Set(
      (await childrenOf(name)).flatMap(({ metadata }) => metadata.labels?.[labels.revision] ?? []),
    );
    return status?.phase === 'Healthy' && [...revisions].every((revision) => revision === status.stable);
  }

  test('are three or more values each, of which some are refused and some break something', () => {
    const count = chosen.reduce((total, leaf) => total + mutationsOf(leaf).length, 0);
    const { admitted, refused, bad } = tally;
    console.log(
      `${chosen.length} of ${leaves.length} leaves, ${count} mutations: ${admitted} admitted (${bad} bad), ${refused} refused`,
    );
    expect(leaves.filter((leaf) => mutationsOf(leaf).length < 3)).toEqual([]);
    expect(Math.min(admitted, refused)).toBeGreaterThan(chosen.length / 2);
    if (isWhole) expect(bad).toBeGreaterThan(0);
  });

  test('leave what the last spec alone would have made', () => {
    expect(tally.alarms).toEqual([]);
  });

  test('leave the operator running, and at rest', async () => {
    await rest(1_000);
    await expect(installation.writesWithin(2_000)).resolves.toEqual([]);
    expect(operator.isRunning).toBe(true);
    expect(operator.noise).toEqual([]);
  });
});

function isSameName(left: KubernetesObject, right: KubernetesObject): boolean {
  return left.kind === right.kind && left.metadata.name === right.metadata.name;
}

function baseOf(name: string): object {
  return {
    model: { uri: 'https://models.example.com/base/model.onnx' },
    traffic: { hosts: [`${name}.example.com`], gateways: [GATEWAY], pathPrefix: `/${name}` },
    rollout: { canary: { steps: [{ weight: 100 }] } },
  };
}

/** There, or as far as it gets by itself. */
function isSettled({ phase, reason, message = '' }: NonNullable<ModelDeployment['status']>): boolean {
  if (phase === 'Healthy' || phase === 'Degraded' || phase === 'Aborted') return true;
  return reason === 'RoutingUnproven' && message.includes('cannot be asked');
}
