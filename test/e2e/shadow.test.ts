import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../operator/api/names.ts';
import { isWithinBinomial, type Load } from '../bed/load.ts';
import { waitForNoPods } from '../bed/pods.ts';
import { waitFor } from '../bed/wait.ts';
import { startInferLoad } from './support/infer-load.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { killOperator } from './support/operator.ts';
import { requestCounts, type RequestCounts } from './support/requests.ts';
import { describeCounts, describeFailures } from './support/rollout-story.ts';
import { useStack } from './support/stack.ts';
import { askedWeight, isProven, StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'shadow');
const fraud = { namespace, name: 'fraud' };
const requestsPerSecond = 100;
const percent = 50;
const shadowMs = 30_000;

/** What the candidate and the users had seen at one moment. */
interface Count extends RequestCounts {
  readonly atMs: number;
}

let load: Load;
let watch: StatusWatch;
let stable: string;
let candidate: string;
let first: Count;
let last: Count;
let switchedAtMs: number;

beforeAll(async () => {
  await apply('v1.onnx');
  stable = (await waitForPhase(stack.bed, fraud, 'Healthy')).stable ?? '';
  watch = new StatusWatch(stack.bed, fraud);
  load = await startInferLoad(stack.bed, { name: fraud.name, requestsPerSecond, timeoutMs: 30_000 });
  await apply('v2.onnx');
  const paused = await watch.until('copies are made', ({ reason }) => reason === 'PausedForATime');
  candidate = paused.candidate ?? '';
  first = await count();
  await killOperator(stack.bed);
  last = await waitFor('the candidate has worked on many copies', async () => {
    const counted = await count();
    return counted.mirrors - first.mirrors >= 600 ? counted : undefined;
  });
  const switching = await watch.until('users are sent there', (status) => askedWeight(status, candidate) > 0);
  switchedAtMs = Date.parse(switching.routing?.askedAt ?? '');
  await watch.until('it is promoted', (status) => status.stable === candidate && status.phase === 'Healthy');
  await waitForNoPods(stack.bed, { namespace, selector: `${labels.revision}=${stable}` });
});

afterAll(async () => {
  await watch.stop();
  console.log(`shadow: ${describeCounts(await load.stop())}`);
});

describe('a shadow under load through two gateways, with an operator that is killed', () => {
  it('loses no request, from the first copy until the old pods are gone', async () => {
    expect(await describeFailures(load)).toEqual([]);
  });

  it('never answers a user before it is promoted: no answer to a copy comes back', async () => {
    const before = (await load.records()).filter(({ atMs, latencyMs }) => atMs + latencyMs < switchedAtMs);
    expect(before.length).toBeGreaterThan(1_000);
    expect(new Set(before.map(({ revision }) => revision))).toEqual(new Set([stable]));
  });

  it('works on the share of the requests that the spec says, and counts them as copies alone', async () => {
    expect([first.users, last.users, last.previews]).toEqual([0, 0, 0]);
    const { requests: total } = await load.snapshot({ fromMs: first.atMs, toMs: last.atMs });
    const copies = last.mirrors - first.mirrors;
    console.log(`  ${copies} copies of ${total} requests`);
    // A request at either edge may be counted on one side only.
    expect(Math.abs(copies / total - percent / 100)).toBeLessThan(0.05);
    expect({ share: percent / 100, total, count: copies }).toSatisfy(isWithinBinomial);
  });

  it('is promoted after its time, and answers every user then', async () => {
    const { rollout } = watch.seen.find(({ status }) => status.reason === 'PausedForATime')?.status ?? {};
    expect(switchedAtMs - Date.parse(rollout?.stepEnteredAt ?? '')).toBeGreaterThanOrEqual(shadowMs);
    const proven = watch.seen.find(({ status }) => isProven(status, candidate, 10_000))?.status.routing;
    const provenAtMs = Date.parse(proven?.provenAt ?? '');
    const after = (await load.records()).filter(({ sentAtMs }) => sentAtMs > provenAtMs);
    expect(new Set(after.map(({ revision }) => revision))).toEqual(new Set([candidate]));
  });
});

async function apply(model: string): Promise<void> {
  const shadow = { percent, for: `${shadowMs / 1000}s`, then: 'Promote' };
  const rollout = { strategy: 'Shadow', shadow };
  await stack.bed.kubectl.apply([modelDeployment({ ...fraud, modelUri: stack.modelUri(model), rollout })]);
}

async function count(): Promise<Count> {
  return { atMs: Date.now(), ...(await requestCounts(stack.bed, namespace, candidate)) };
}
