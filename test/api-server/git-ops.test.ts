import { setTimeout as rest } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import { waitFor } from '../bed/wait.ts';
import { kstatusOf } from '../support/kstatus.ts';
import { Chronicle } from './support/chronicle.ts';
import { Installation, NAMESPACE } from './support/installation.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

const MODELS = ['one', 'two', 'three', 'four', 'five'] as const;
const ROLLOUTS_EACH = 10;
const SELF_HEAL_MS = 1_000;

interface Managed {
  readonly metadata: {
    readonly generation: number;
    readonly managedFields: readonly {
      readonly manager: string;
      readonly subresource?: string;
      readonly fieldsV1: Readonly<Record<string, unknown>>;
    }[];
  };
}

/** What is in Git, one manifest for each model. */
function manifestOf(name: string, version: number): Record<string, unknown> {
  return {
    model: { uri: `https://models.example.com/${name}/${version}/model.onnx`, sha256: digestOf(version) },
    scaling: { minReplicas: 1, maxReplicas: 3 },
    traffic: { hosts: [`${name}.example.com`], gateways: [GATEWAY] },
    rollout: { canary: { steps: [{ weight: 20 }, { weight: 60 }, { weight: 100 }] } },
  };
}

function digestOf(version: number): string {
  return String(version % 10).repeat(64);
}

/** A controller of GitOps with self-healing: it applies every manifest again each second, changed or not. */
class SelfHealingLoop {
  private readonly installation: Installation;
  private readonly versions = new Map<string, number>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  /** One at a time, or what Git had before lands after what it has now. */
  private turn: Promise<void> = Promise.resolve();
  applied = 0;

  constructor(installation: Installation) {
    this.installation = installation;
    this.running = this.run();
  }

  async commit(name: string, version: number): Promise<void> {
    this.versions.set(name, version);
    await this.sync(name);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      for (const name of this.versions.keys()) await this.sync(name);
      await rest(SELF_HEAL_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async sync(name: string): Promise<void> {
    const mine = this.turn.then(async () => {
      await this.installation.apply(name, manifestOf(name, this.versions.get(name) ?? 0), NAMESPACE);
      this.applied += 1;
    });
    this.turn = mine.catch(() => undefined);
    await mine;
  }
}

/** Every field that a manager has applied, as paths. */
function pathsOf(fields: Readonly<Record<string, unknown>>, path = ''): readonly string[] {
  const inner = Object.entries(fields).filter(([key]) => key !== '.');
  if (inner.length === 0) return [path];
  return inner.flatMap(([key, value]) => pathsOf(value as Record<string, unknown>, `${path}/${key}`));
}

/** From one status of the same spec to the next. */
function expectNoFlap(before: ModelDeploymentStatus | undefined, status: ModelDeploymentStatus): void {
  if (before === undefined || before.observedGeneration !== status.observedGeneration) return;
  if (before.phase === 'Healthy') expect(status.phase).toBe('Healthy');
  if (status.rollout === undefined || before.rollout?.id !== status.rollout.id) return;
  expect(percentOf(status)).toBeGreaterThanOrEqual(percentOf(before));
}

function percentOf({ weight = '0%' }: ModelDeploymentStatus): number {
  return parseFloat(weight);
}

describe('under a GitOps controller that heals by itself', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let loop: SelfHealingLoop;
  let chronicle: Chronicle;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    await installation.startOperator();
    chronicle = new Chronicle(installation);
    loop = new SelfHealingLoop(installation);
    for (let version = 0; version <= ROLLOUTS_EACH; version += 1) {
      await Promise.all(MODELS.map((name) => loop.commit(name, version)));
      await Promise.all(MODELS.map((name) => installation.healthy(name)));
    }
  }, 900_000);

  afterAll(async () => {
    await loop.stop();
    await chronicle.stop();
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  test.each(MODELS)('%s goes through every rollout once', async (name) => {
    const { status } = await installation.modelDeployment(name);
    expect(status?.history?.map(({ outcome }) => outcome)).toEqual(Array(10).fill('Promoted'));
    const rollouts = new Set(chronicle.of(name).flatMap((object) => object.status?.rollout?.id ?? []));
    expect(rollouts.size).toBe(ROLLOUTS_EACH);
  });

  test.each(MODELS)(
    '%s never flaps: weights only rise in a rollout, and what is Healthy stays so',
    (name) => {
      const passes = chronicle.of(name).flatMap(({ status }) => (status === undefined ? [] : [status]));
      expect(passes.length).toBeGreaterThan(ROLLOUTS_EACH * 3);
      for (const [index, status] of passes.entries()) expectNoFlap(passes[index - 1], status);
    },
  );

  test.each(MODELS)('%s is never called current before its spec is realised', (name) => {
    for (const object of chronicle.of(name)) {
      if (kstatusOf(object, object.status) !== 'Current' || object.status === undefined) continue;
      expect(object.status).toMatchObject({
        phase: 'Healthy',
        observedGeneration: object.metadata.generation,
      });
    }
  });

  test.each(MODELS)(
    '%s changes its generation with Git only, so nothing is ever out of sync',
    async (name) => {
      const { metadata } = (await installation.get('ModelDeployment', name)) as unknown as Managed;
      expect(metadata.generation).toBe(ROLLOUTS_EACH + 1);
      expect(loop.applied).toBeGreaterThan(MODELS.length * (ROLLOUTS_EACH + 2));
    },
  );

  test.each(MODELS)('%s has no field that two managers own', async (name) => {
    const { metadata } = (await installation.get('ModelDeployment', name)) as unknown as Managed;
    const owners = metadata.managedFields.map(({ manager, fieldsV1 }) => ({
      manager,
      paths: pathsOf(fieldsV1),
    }));
    const ours = owners.filter(({ manager }) => manager === 'headgate').flatMap(({ paths }) => paths);
    const theirs = owners.filter(({ manager }) => manager !== 'headgate').flatMap(({ paths }) => paths);
    expect(ours.filter((path) => !path.startsWith('/f:status'))).toEqual([]);
    expect(ours.filter((path) => theirs.includes(path))).toEqual([]);
    expect(theirs).toContain('/f:spec/f:model/f:uri');
  });

  test('after an abort the status says which model Git still asks for, and nothing is tried again', async () => {
    const [name] = MODELS;
    const stable = (await installation.modelDeployment(name)).status?.stable ?? '';
    await loop.commit(name, 77);
    const { candidate = '' } = await installation.waitForStatus(
      name,
      'rolling out',
      (status) => status.candidate !== undefined && status.candidate !== stable,
    );
    node.setState(candidate, {
      crashed: { message: JSON.stringify({ reason: 'ModelInvalid', message: 'no model' }) },
    });
    const aborted = await installation.waitForStatus(name, 'Aborted', ({ phase }) => phase === 'Aborted');
    expect(aborted).toMatchObject({
      stable,
      wanted: {
        revision: candidate,
        modelUri: `https://models.example.com/${name}/77/model.onnx`,
        sha256: digestOf(77),
      },
    });
    const { applied } = loop;
    await waitFor('Git is applied again and again', () => Promise.resolve(loop.applied > applied + 15));
    const after = await installation.modelDeployment(name);
    expect(after.status).toMatchObject({ phase: 'Aborted', stable });
    expect(after.status?.rollout).toBeUndefined();
  });
});
