import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/status.ts';
import { labels } from '../../operator/api/names.ts';
import { readWrites, type AuditedRequest } from '../bed/audit.ts';
import { isWithinBinomial, type Load } from '../bed/load.ts';
import { containerPid, gatewayPods, waitForNoPods } from '../bed/pods.ts';
import { waitFor } from '../bed/wait.ts';
import { startInferLoad } from './support/infer-load.ts';
import { canarySteps, modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { killOperator as killOperatorOf } from './support/operator.ts';
import { weightsAtProxy } from './support/proxies.ts';
import {
  describeCounts,
  describeFailures,
  drawsIn,
  provenWindows,
  type ProvenWindow,
} from './support/rollout-story.ts';
import { operator, useStack } from './support/stack.ts';
import { askedWeight, isProven, StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'canary');
const fraud = { namespace, name: 'fraud' };
const pauseMs = 12_000;
const requestsPerSecond = 220;
const percents = [5, 25, 50, 100];

/** A gateway that was stopped before the step to 50 %, and what was seen until it ran again. */
interface StoppedGateway {
  readonly name: string;
  readonly continuedAtMs: number;
  readonly held: ModelDeploymentStatus;
  readonly weightAtTheOther: number;
}

let load: Load;
let watch: StatusWatch;
let candidate: string;
let stoppedGateway: StoppedGateway;
let operatorsKilled = 0;
let windows: ProvenWindow[];
let routeWrites: AuditedRequest[];

beforeAll(async () => {
  await apply('v1.onnx');
  const { stable = '' } = await waitForPhase(stack.bed, fraud, 'Healthy');
  watch = new StatusWatch(stack.bed, fraud);
  load = await startInferLoad(stack.bed, { name: fraud.name, requestsPerSecond, timeoutMs: 30_000 });
  await apply('v2.onnx');
  await rollOut();
  await waitForNoPods(stack.bed, { namespace, selector: `${labels.revision}=${stable}` });
  routeWrites = await readWrites(stack.bed.auditLog, {
    ...{ user: operator.user, resource: 'virtualservices', namespace },
  });
  windows = provenWindows(watch.seen, candidate, routeWrites);
});

afterAll(async () => {
  await watch.stop();
  console.log(`canary: ${describeCounts(await load.stop())}; operator killed ${operatorsKilled} times`);
});

describe('a canary under load through two gateways, with a gateway that stops and an operator that is killed', () => {
  it('loses no request, from the first step until the old pods are gone', async () => {
    expect(operatorsKilled).toBeGreaterThanOrEqual(5);
    expect(await describeFailures(load)).toEqual([]);
    const { requests, byRevision } = await load.snapshot();
    expect(requests).toBeGreaterThan(requestsPerSecond * (pauseMs / 1000) * (percents.length - 1));
    expect(Object.values(byRevision).reduce((total, count) => total + count, 0)).toBe(requests);
  });

  it('gives the candidate at each gateway what each step says, as long as the step lasts', async () => {
    expect(windows.map(({ weight }) => weight)).toEqual(percents.map((percent) => percent * 100));
    for (const window of windows) {
      const share = window.weight / 10_000;
      const draws = await drawsIn(window, load, candidate);
      expect(draws).toHaveLength(2);
      for (const { target, total, count } of draws) {
        console.log(`  ${window.weight / 100} % at ${target}: ${count} of ${total}`);
        expect(total).toBeGreaterThan(window.weight === 10_000 ? 0 : 500);
        expect({ target, share, total, count }).toSatisfy(isWithinBinomial);
      }
    }
  });

  it('sends no one to the candidate before the first weight is asked for', async () => {
    const firstRaise = watch.seen.find(({ status }) => askedWeight(status, candidate) > 0);
    const from = Date.parse(firstRaise?.status.routing?.askedAt ?? '');
    const early = (await load.records()).filter(
      ({ atMs, latencyMs, revision }) => atMs + latencyMs < from && revision === candidate,
    );
    expect(early).toEqual([]);
  });

  it('counts no step before both gateways are proven', () => {
    const steps = watch.seen.flatMap(({ status }) => (status.rollout === undefined ? [] : [status.rollout]));
    for (const [number, { provenAtMs }] of windows.entries()) {
      // Every weight but the last is followed by its pause.
      const after = steps.find(({ stepIndex }) => stepIndex === number * 2 + 1);
      expect(Date.parse(after?.stepEnteredAt ?? '')).toBeGreaterThanOrEqual(provenAtMs);
    }
  });

  it('holds while one gateway is stopped, names it, and goes on when it runs again', () => {
    const { held, name, weightAtTheOther, continuedAtMs } = stoppedGateway;
    expect(held.phase).toBe('Progressing');
    expect(held.reason).toBe('RoutingUnproven');
    expect(held.message).toContain(`istio-system/${name}`);
    expect(weightAtTheOther).toBe(5_000);
    expect(windows.find(({ weight }) => weight === 5_000)?.provenAtMs).toBeGreaterThanOrEqual(continuedAtMs);
  });
});

async function apply(model: string): Promise<void> {
  const steps = canarySteps(percents, `${pauseMs / 1000}s`);
  await stack.bed.kubectl.apply([modelDeployment({ ...fraud, modelUri: stack.modelUri(model), steps })]);
}

/** Follows the rollout to its end; kills the operator at the moments that matter, and once stops a gateway. */
async function rollOut(): Promise<void> {
  const begun = await watch.until('the rollout begins', ({ rollout }) => rollout !== undefined);
  candidate = begun.candidate ?? '';
  await killOperator();
  await watch.until('5 % are asked for', (status) => askedWeight(status, candidate) === 500);
  await killOperator();
  await watch.until('5 % are proven', (status) => isProven(status, candidate, 500));
  await watch.until('25 % are asked for', (status) => askedWeight(status, candidate) === 2_500);
  await killOperator();
  await watch.until('25 % are proven', (status) => isProven(status, candidate, 2_500));
  await killOperator();
  stoppedGateway = await stopGatewayBeforeHalf();
  await watch.until('50 % are proven', (status) => isProven(status, candidate, 5_000));
  await killOperator();
  await watch.until('100 % are asked for', (status) => askedWeight(status, candidate) === 10_000);
  await killOperator();
  await watch.until('it is promoted', (status) => status.stable === candidate);
  await killOperator();
  await watch.until('it is Healthy', ({ phase }) => phase === 'Healthy');
}

/** The one that works; the one that stands by takes over. */
async function killOperator(): Promise<void> {
  await killOperatorOf(stack.bed);
  operatorsKilled += 1;
}

async function stopGatewayBeforeHalf(): Promise<StoppedGateway> {
  const [stopped, other] = await gatewayPods(stack.bed);
  if (stopped === undefined || other === undefined) throw new Error('two gateways are needed');
  const pid = await containerPid(stack.bed, stopped, 'envoy');
  const paused = await watch.until('it pauses at 25 %', ({ reason }) => reason === 'PausedForATime');
  // As late as is safe: requests through the stopped gateway wait.
  const endOfPauseMs = Date.parse(paused.rollout?.stepEnteredAt ?? '') + pauseMs;
  await pause(Math.max(0, endOfPauseMs - 1_000 - Date.now()));
  process.kill(pid, 'SIGSTOP');
  try {
    const held = await watch.until(
      'status names the stopped gateway',
      ({ reason, message = '' }) => reason === 'RoutingUnproven' && message.includes(stopped.name),
      15_000,
    );
    const weightAtTheOther = await waitFor('the other gateway has the new weight', async () => {
      const weight = (await weightsAtProxy(other.address, fraud))[candidate];
      return weight === 5_000 ? weight : undefined;
    });
    // Longer than the operator's 1 s between looks: it has had its chance to go on too early.
    await pause(2_000);
    return { name: stopped.name, held, weightAtTheOther, continuedAtMs: Date.now() };
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
