import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import { DECISION_ACTIONS, type DecisionAction } from '../../operator/api/rollout-decision.ts';
import { waitFor } from '../bed/wait.ts';
import { examplesFolder } from '../support/examples.ts';
import { answerTo, Decider } from './support/decider.ts';
import { DECISION_POLICY, Installation, NAMESPACE, SYSTEM_NAMESPACE } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

const EVERY_VERB = DECISION_ACTIONS.map((action) => action.toLowerCase());
const OPERATOR_ROLE = `${SYSTEM_NAMESPACE}-headgate`;
const PATIENCE_MS = 90_000;

describe('decisions by people on a real API server', { timeout: 240_000 }, () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;
  let alice: Decider;
  let promoter: Decider;
  let stopper: Decider;
  let onlooker: Decider;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    alice = await Decider.create(installation, 'alice@example.com', EVERY_VERB);
    promoter = await Decider.create(installation, 'paula', ['promote']);
    stopper = await Decider.create(installation, 'sam', ['abort']);
    onlooker = await Decider.create(installation, 'oscar', []);
    operator = await installation.startOperator();
    // The API server takes a new policy up within moments.
    await waitFor('the policy holds', async () =>
      (await onlooker.isRefused('Abort', { modelDeployment: 'any', rollout: 'x' })).includes('may not abort'),
    );
  }, 240_000);

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  afterEach(async () => {
    if (!operator.isRunning) operator = await installation.startOperator();
  });

  const specOf = (name: string, version: number, steps: readonly object[] = pauses): object => ({
    model: { uri: `https://models.example.com/${name}/${version}/model.onnx` },
    traffic: { hosts: [`${name}.example.com`], gateways: [GATEWAY] },
    rollout: { canary: { steps } },
  });
  const pauses = [{ weight: 20 }, { pause: {} }, { weight: 60 }, { pause: {} }, { weight: 100 }];

  const reaches = (
    name: string,
    what: string,
    holds: (status: ModelDeploymentStatus) => boolean,
  ): Promise<ModelDeploymentStatus> => installation.waitForStatus(name, what, holds, PATIENCE_MS);

  const pausedAfter = (name: string, step: string, version?: number): Promise<ModelDeploymentStatus> =>
    reaches(
      name,
      `paused after ${step}`,
      (status) =>
        status.reason === 'PausedUntilDecision' &&
        status.step === step &&
        (version === undefined || status.wanted?.modelUri.includes(`/${version}/`) === true),
    );

  const healthyAt = (name: string, revision: string | undefined): Promise<ModelDeploymentStatus> =>
    reaches(name, 'Healthy', ({ phase, stable }) => phase === 'Healthy' && stable === revision);

  /** Version 1 serves, version 2 rests in the first pause. */
  async function tried(name: string): Promise<ModelDeploymentStatus> {
    await installation.apply(name, specOf(name, 1));
    await reaches(name, 'Healthy', ({ phase }) => phase === 'Healthy');
    await installation.apply(name, specOf(name, 2));
    return await pausedAfter(name, '1/5');
  }

  /** As alice, about the rollout that status names now; settled with the answer. */
  async function decides(name: string, action: DecisionAction, spec: object = {}): Promise<string> {
    const { status } = await installation.modelDeployment(name);
    const about = { modelDeployment: name, rollout: status?.rolloutId ?? '', ...spec };
    const { phase, reason } = await answerTo(installation, await alice.decides(action, about));
    return `${phase} ${reason}`;
  }

  describe('who may', () => {
    const about = { modelDeployment: 'fraud', rollout: 'q94j8tpgnz-1764106430123' };

    test.each(DECISION_ACTIONS)('%s is who has its own verb, and nobody else', async (action) => {
      const verb = action.toLowerCase();
      const able = await Decider.create(installation, `able-${verb}`, [verb]);
      const others = EVERY_VERB.filter((other) => other !== verb);
      const unable = await Decider.create(installation, `unable-${verb}`, others);
      await waitFor(
        'the right is there',
        async () => (await able.isRefused(action, about)) === 'it was let in',
      );
      expect(await unable.isRefused(action, about)).toContain(
        `unable-${verb} may not ${verb} modeldeployments/fraud: spec.action ${action} needs the verb ${verb} on it`,
      );
    });

    test('of three users each decides what is theirs', async () => {
      expect(await promoter.isRefused('Promote', about)).toBe('it was let in');
      expect(await promoter.isRefused('Abort', about)).toContain('paula may not abort');
      expect(await stopper.isRefused('Abort', about)).toBe('it was let in');
      expect(await stopper.isRefused('Promote', about)).toContain('sam may not promote');
      expect(await onlooker.isRefused('Promote', about)).toContain('oscar may not promote');
    });

    test('nobody in the name of another, and is told their own', async () => {
      for (const [forger, action] of [
        [promoter, 'Promote'],
        [stopper, 'Abort'],
      ] as const) {
        expect(await forger.isRefused(action, { ...about, decidedBy: 'alice@example.com' })).toContain(
          `spec.decidedBy must be the name under which the API server knows you: ${forger.user}`,
        );
      }
    });

    test('on behalf of others is who may attest', async () => {
      const attested = { ...about, onBehalfOf: 'bob' };
      const argocd = await Decider.create(installation, 'argocd', ['promote', 'attest']);
      await waitFor(
        'it is let in',
        async () => (await argocd.isRefused('Promote', attested)) === 'it was let in',
      );
      expect(await promoter.isRefused('Promote', attested)).toContain(
        'paula may not decide for others: spec.onBehalfOf needs the verb attest',
      );
    });

    test('follow the examples', async () => {
      const folder = join(examplesFolder, 'decisions');
      const files = await readdir(folder);
      expect(files).toHaveLength(DECISION_ACTIONS.length);
      for (const file of files) {
        const manifest = await readFile(join(folder, file), 'utf8');
        await expect(
          alice.kubectl.create(manifest, '--namespace', NAMESPACE, '--dry-run=server', '-o', 'name'),
        ).resolves.toContain('rolloutdecision.headgate.dev/fraud-');
      }
    });

    test('changes their mind by another decision, never by an edit', async () => {
      const name = await alice.decides('Abort', about);
      const edit = ['--type=merge', '-p', '{"spec":{"action":"Promote"}}'];
      await expect(alice.kubectl('-n', NAMESPACE, 'patch', 'rdec', name, ...edit)).rejects.toThrow(
        'spec must stay as it was made, because a decision is made once; create another one',
      );
    });
  });

  describe('with plain kubectl', () => {
    test('Promote passes a pause, SkipStep a step, and kubectl get shows who did', async () => {
      await tried('steps');
      await expect(decides('steps', 'Promote')).resolves.toBe('Applied AsDecided');
      await pausedAfter('steps', '3/5');
      await expect(decides('steps', 'SkipStep')).resolves.toBe('Applied AsDecided');
      await reaches('steps', 'Healthy', ({ phase, wanted }) => phase === 'Healthy' && wanted === undefined);
      const table = await alice.kubectl('-n', NAMESPACE, 'get', 'rdec').catch(() => '');
      expect(table).toBe('');
      const shown = await installation.server.kubectl('-n', NAMESPACE, 'get', 'rdec');
      expect(shown).toMatch(/steps +\S+-\d{13} +Promote +alice@example\.com +Applied +AsDecided/);
    });

    test('Pause holds and Resume goes on', async () => {
      await tried('held');
      await expect(decides('held', 'Pause', { reason: 'lunch' })).resolves.toBe('Applied AsDecided');
      const { message } = await reaches('held', 'held', ({ reason }) => reason === 'PausedByDecision');
      expect(message).toContain('by alice@example.com (lunch)');
      await expect(decides('held', 'Promote')).resolves.toBe('Refused PausedByDecision');
      await expect(decides('held', 'Resume')).resolves.toBe('Applied AsDecided');
      await pausedAfter('held', '1/5');
    });

    test('Abort, Retry, PromoteFull and Rollback go there and back', async () => {
      const { stable: first, candidate: second, rolloutId } = await tried('round');
      await expect(decides('round', 'Abort', { reason: 'too' })).resolves.toBe('Applied AsDecided');
      const aborted = await reaches('round', 'aborted', ({ reason }) => reason === 'AbortedByDecision');
      expect(aborted.message).toContain('Aborted by alice@example.com: too');
      expect(aborted.wanted).toMatchObject({
        revision: second,
        modelUri: expect.stringContaining('/2/') as string,
      });
      await expect(decides('round', 'Retry')).resolves.toBe('Applied AsDecided');
      expect((await pausedAfter('round', '1/5')).rolloutId).not.toBe(rolloutId);
      await expect(decides('round', 'PromoteFull')).resolves.toBe('Applied AsDecided');
      await healthyAt('round', second);
      await expect(decides('round', 'Rollback')).resolves.toBe('Applied AsDecided');
      const back = await reaches(
        'round',
        'rolled back',
        ({ reason, stable }) => reason === 'RolledBack' && stable === first,
      );
      expect(back.history?.map(({ outcome }) => outcome)).toEqual(
        expect.arrayContaining(['Promoted', 'RolledBack', 'Aborted']),
      );
      expect(back.conditions?.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(
        expect.arrayContaining(['Available', 'Stalled']),
      );
    });
  });

  describe('fires once', () => {
    /** The operator records decisions and may not answer them: what a death between the two leaves behind. */
    async function withoutAnswers(work: () => Promise<void>): Promise<void> {
      const { kubectl } = installation.server;
      const role = (await kubectl.json('get', 'clusterrole', OPERATOR_ROLE)) as { rules: readonly Rule[] };
      const kept = role.rules.filter(({ resources }) => !resources.includes('rolloutdecisions/status'));
      const replaced = (rules: readonly Rule[]): Promise<string> =>
        kubectl('patch', 'clusterrole', OPERATOR_ROLE, '--type=merge', '-p', JSON.stringify({ rules }));
      await replaced(kept);
      try {
        await work();
      } finally {
        await replaced(role.rules);
      }
    }

    test('though the operator is killed between the effect and the answer, and the same revision comes again', async () => {
      const { rolloutId = '', candidate } = await tried('once');
      let decision = '';
      await withoutAnswers(async () => {
        decision = await alice.decides('Promote', { modelDeployment: 'once', rollout: rolloutId });
        await pausedAfter('once', '3/5');
        await operator.kill();
      });
      expect(await installation.get('RolloutDecision', decision)).not.toHaveProperty('status');
      operator = await installation.startOperator();
      await expect(answerTo(installation, decision)).resolves.toMatchObject({
        phase: 'Applied',
        verified: true,
      });
      expect((await pausedAfter('once', '3/5')).rolloutId).toBe(rolloutId);

      await installation.apply('once', specOf('once', 1));
      await reaches('once', 'back', ({ phase, wanted }) => phase === 'Healthy' && wanted === undefined);
      await operator.kill();
      await installation.apply('once', specOf('once', 2));
      operator = await installation.startOperator();
      const again = await pausedAfter('once', '1/5');
      expect(again.candidate).toBe(candidate);
      expect(again.rolloutId).not.toBe(rolloutId);
      // Others of this file may still drain.
      const writes = await installation.writesWithin(2_000);
      expect(writes.filter((write) => write.includes(' ml/once'))).toEqual([]);
      expect((await installation.modelDeployment('once')).status?.step).toBe('1/5');
    });

    test('though it was made while no operator ran', async () => {
      const { rolloutId = '' } = await tried('later');
      await operator.kill();
      const about = { modelDeployment: 'later', rollout: rolloutId };
      const decisions = [
        await alice.decides('Promote', about),
        await alice.decides('Promote', { ...about, step: 1 }),
      ];
      operator = await installation.startOperator();
      const phases = await Promise.all(decisions.map((name) => answerTo(installation, name)));
      expect(phases.map(({ phase }) => phase).sort()).not.toEqual(['Applied', 'Applied']);
      await pausedAfter('later', '3/5');
    });
  });

  describe('says why not', () => {
    test('to what is refused and to what has expired', async () => {
      await tried('words');
      await expect(decides('words', 'Resume')).resolves.toBe('Refused NotPaused');
      await expect(decides('words', 'Retry')).resolves.toBe('Refused RolloutUnderWay');
      await expect(decides('words', 'Rollback')).resolves.toBe('Refused NoEarlierRevision');
      await expect(decides('words', 'Promote', { step: 0 })).resolves.toBe('Expired StepOver');
      const about = { modelDeployment: 'words', rollout: 'another-1' };
      const { reason, message } = await answerTo(installation, await alice.decides('Abort', about));
      expect([reason, message]).toEqual([
        'RolloutOver',
        expect.stringMatching(/^It is about rollout another-1; /),
      ]);
    });

    test('about a model that is not there', async () => {
      const name = await alice.decides('Abort', { modelDeployment: 'nowhere', rollout: 'x' });
      await expect(answerTo(installation, name)).resolves.toMatchObject({
        ...{ phase: 'Refused', reason: 'ModelDeploymentMissing' },
        message: 'There is no ModelDeployment nowhere in this namespace',
      });
    });
  });

  test('is called unverified once the policy is gone', async () => {
    await tried('claims');
    const { kubectl } = installation.server;
    await kubectl('delete', 'validatingadmissionpolicybinding', DECISION_POLICY);
    const { status } = await installation.modelDeployment('claims');
    const forged = await waitFor('anybody can claim anything', () =>
      promoter
        .decides('Pause', { modelDeployment: 'claims', rollout: status?.rolloutId ?? '', decidedBy: 'alice' })
        .catch(() => undefined),
    );
    await expect(answerTo(installation, forged)).resolves.toMatchObject({
      phase: 'Applied',
      verified: false,
    });
    const { message } = await reaches('claims', 'held', ({ reason }) => reason === 'PausedByDecision');
    expect(message).toContain('by alice (unverified)');
    expect(await kubectl('-n', NAMESPACE, 'get', 'rdec', forged, '-o', 'wide')).toContain('Applied');
  });
});

interface Rule {
  readonly resources: readonly string[];
}
