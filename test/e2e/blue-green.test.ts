import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../operator/api/names.ts';
import { repository } from '../bed/layout.ts';
import type { Load } from '../bed/load.ts';
import { gatewayTargets, listPods, waitForNoPods, type PodSummary } from '../bed/pods.ts';
import { startInferLoad } from './support/infer-load.ts';
import { hostOf, modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { killOperator } from './support/operator.ts';
import { ask, requestCounts, type Answer, type RequestCounts } from './support/requests.ts';
import { describeCounts, describeFailures } from './support/rollout-story.ts';
import { useStack } from './support/stack.ts';
import { isProven, StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'blue-green');
const name = 'fraud';
const fraud = { namespace, name };
const requestsPerSecond = 220;
const keepOldMs = 30_000;
const header = { name: 'x-preview', value: 'next' };
const previewHost = 'next-fraud.example.com';

/** All users were sent to one revision: asked for, then proven at every gateway. */
interface Switch {
  readonly to: string;
  readonly orderedAtMs: number;
  readonly askedAtMs: number;
  readonly provenAtMs: number;
}

let load: Load;
let watch: StatusWatch;
let blue: string;
let green: string;
let previews: Answer[];
let countsInPreview: RequestCounts;
let there: Switch;
let back: Switch;
let bluePods: readonly PodSummary[];
let bluePodsAfterwards: readonly PodSummary[];
let promotedBackAtMs: number;
let greenGoneAtMs: number;

beforeAll(async () => {
  await apply('v1.onnx');
  blue = (await waitForPhase(stack.bed, fraud, 'Healthy')).stable ?? '';
  watch = new StatusWatch(stack.bed, fraud);
  load = await startInferLoad(stack.bed, { name, requestsPerSecond, timeoutMs: 30_000 });
  await apply('v2.onnx');
  const paused = await watch.until(
    'it waits for a decision',
    ({ reason }) => reason === 'PausedUntilDecision',
  );
  green = paused.candidate ?? '';
  await killOperator(stack.bed);
  previews = await askForPreviews();
  countsInPreview = await requestCounts(stack.bed, namespace, green);
  there = await switched(green, () => apply('v2.onnx', { autoPromote: { after: '1s' } }));
  bluePods = await podsOf(blue);
  back = await switched(blue, () => apply('v1.onnx', { autoPromote: { after: '1s' } }));
  const { history = [] } = await watch.until(
    'the old model is promoted again',
    ({ stable }) => stable === blue,
  );
  promotedBackAtMs = Date.parse(history.find(({ revision }) => revision === blue)?.at ?? '');
  bluePodsAfterwards = await podsOf(blue);
  await waitForNoPods(stack.bed, {
    ...{ namespace, selector: `${labels.revision}=${green}`, timeoutMs: keepOldMs + 90_000 },
  });
  greenGoneAtMs = Date.now();
});

afterAll(async () => {
  await watch.stop();
  console.log(`blue-green: ${describeCounts(await load.stop())}`);
});

describe('a switch of all users there and back, under load through two gateways', () => {
  it('loses no request, from the preview until the pods of the other side are gone', async () => {
    expect(await describeFailures(load)).toEqual([]);
    const { requests } = await load.snapshot();
    expect(requests).toBeGreaterThan(requestsPerSecond * (keepOldMs / 1000));
  });

  it('shows the candidate at each gateway to those who ask by header or by host', () => {
    expect(previews).toHaveLength(4);
    expect(previews).toEqual(
      previews.map((): unknown => expect.objectContaining({ status: 200, revision: green })),
    );
  });

  it('counts previews as nobody’s, and sends no user to the candidate before the switch', async () => {
    expect(countsInPreview).toEqual({ users: 0, mirrors: 0, previews: previews.length });
    const early = (await load.records()).filter(
      ({ atMs, latencyMs, revision }) => atMs + latencyMs < there.askedAtMs && revision === green,
    );
    expect(early).toEqual([]);
  });

  it('sends every user to one side only, from the proof of a switch until the next', async () => {
    const records = await load.records();
    const between = records.filter(
      ({ sentAtMs, atMs, latencyMs }) => sentAtMs > there.provenAtMs && atMs + latencyMs < back.askedAtMs,
    );
    const afterwards = records.filter(({ sentAtMs }) => sentAtMs > back.provenAtMs);
    expect(between.length).toBeGreaterThan(0);
    expect(new Set(between.map(({ revision }) => revision))).toEqual(new Set([green]));
    expect(new Set(afterwards.map(({ revision }) => revision))).toEqual(new Set([blue]));
  });

  it('goes back to the pods that were kept, without waiting for anything but the proof', () => {
    expect(bluePodsAfterwards.map((pod) => pod.name).sort()).toEqual(bluePods.map((pod) => pod.name).sort());
    console.log(`  back after ${back.provenAtMs - back.orderedAtMs} ms`);
    expect(back.provenAtMs - back.orderedAtMs).toBeLessThan(15_000);
    const steps = watch.seen.map(({ status }) => status).filter(({ candidate }) => candidate === blue);
    expect(steps.map(({ reason }) => reason)).not.toContain('PausedUntilDecision');
    expect(steps.map(({ reason }) => reason)).not.toContain('WaitingForPods');
  });

  it('keeps the side that was left for as long as the spec says, and ends it then', () => {
    expect(greenGoneAtMs - promotedBackAtMs).toBeGreaterThan(keepOldMs);
    expect(
      watch.seen.some(({ status }) => status.message?.includes(`${green} is kept for the way back`)),
    ).toBe(true);
  });
});

async function apply(model: string, settings: object = {}): Promise<void> {
  const keepOldFor = `${keepOldMs / 1000}s`;
  const blueGreen = { keepOldFor, preview: { header, host: previewHost }, ...settings };
  const rollout = { strategy: 'BlueGreen', blueGreen };
  await stack.bed.kubectl.apply([modelDeployment({ ...fraud, modelUri: stack.modelUri(model), rollout })]);
}

async function podsOf(revision: string): Promise<PodSummary[]> {
  return await listPods(stack.bed, namespace, `${labels.revision}=${revision}`);
}

/** By header and by host, at each gateway. */
async function askForPreviews(): Promise<Answer[]> {
  const body = await readFile(join(repository, 'examples/models/sample-request.json'), 'utf8');
  const path = `/v2/models/${name}/infer`;
  const questions = (await gatewayTargets(stack.bed)).flatMap((target) => [
    { target, path, host: hostOf(name), headers: { [header.name]: header.value } },
    { target, path, host: previewHost },
  ]);
  return await Promise.all(questions.map((question) => ask(question, body)));
}

async function switched(to: string, order: () => Promise<void>): Promise<Switch> {
  const orderedAtMs = Date.now();
  await order();
  const { routing } = await watch.until('every gateway has switched', (status) =>
    isProven(status, to, 10_000),
  );
  const [askedAtMs, provenAtMs] = [routing?.askedAt, routing?.provenAt].map((time) => Date.parse(time ?? ''));
  await watch.until('it is promoted', ({ stable, phase }) => stable === to && phase === 'Healthy');
  return { to, orderedAtMs, askedAtMs: askedAtMs ?? NaN, provenAtMs: provenAtMs ?? NaN };
}
