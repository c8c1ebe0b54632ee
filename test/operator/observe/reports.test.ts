import { afterEach, describe, expect, it } from 'vitest';
import { MANAGEMENT_PORT } from '../../../operator/api/names.ts';
import { httpGet, type Question } from '../../../operator/observe/http-get.ts';
import type { Pod } from '../../../operator/observe/pods.ts';
import { gatherReports } from '../../../operator/observe/reports.ts';
import { Loopback } from './loopback.ts';

const REVISION = 'fraud-abcd234567';

/** As the runtime writes it, with more than the operator reads. */
const report = {
  ...{ revision: REVISION, modelDigest: 'd'.repeat(64), ready: true, startedSecondsAgo: 12.5 },
  total: { requests: 100, errors: 1 },
  window: { seconds: 30, requests: 10, errors: 1 },
  ...{ latencyP95Ms: 12.25, inFlight: 0, lastRequestSecondsAgo: 0.4 },
  routings: [{ hash: 'abcd234567', lastSeenSecondsAgo: 0.4 }],
};

let loopback: Loopback | undefined;

afterEach(async () => {
  await loopback?.stop();
  loopback = undefined;
});

function podNamed(
  name: string,
  status: NonNullable<Pod['status']> = { phase: 'Running', podIP: '127.0.0.1' },
): Pod {
  const metadata = { name, namespace: 'ml', labels: { 'headgate.dev/revision': REVISION } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, status };
}

/** The question as it is, at the port of the test's own server. */
function redirected(port: number) {
  return async (question: Question): ReturnType<typeof httpGet> => {
    expect(question).toMatchObject({ port: MANAGEMENT_PORT, path: '/headgate/report' });
    return await httpGet({ ...question, port });
  };
}

async function gatherWhenAnswered(body: string, status = 200): ReturnType<typeof gatherReports> {
  loopback = await Loopback.http((_, response) => response.writeHead(status).end(body));
  return await gatherReports([podNamed('pod-a')], redirected(loopback.port));
}

describe('the reports of runtimes', () => {
  it('are taken as they are', async () => {
    const reports = await gatherWhenAnswered(JSON.stringify(report));
    expect(reports.get('pod-a')).toEqual(report);
  });

  it('may come from a runtime that nobody has asked yet', async () => {
    const fresh = { ...report, modelDigest: null, lastRequestSecondsAgo: null, routings: [] };
    const reports = await gatherWhenAnswered(JSON.stringify(fresh));
    expect(reports.get('pod-a')).toEqual(fresh);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '<html>not found</html>'],
    ['half of it', JSON.stringify(report).slice(0, 50)],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['no window', JSON.stringify({ ...report, window: undefined })],
    ['a window without errors', JSON.stringify({ ...report, window: { seconds: 30, requests: 1 } })],
    ['a negative count', JSON.stringify({ ...report, total: { requests: -1, errors: 0 } })],
    ['a count as text', JSON.stringify({ ...report, inFlight: '0' })],
    ['a latency that is no number', JSON.stringify({ ...report, latencyP95Ms: NaN })],
    ['a routing without its hash', JSON.stringify({ ...report, routings: [{ lastSeenSecondsAgo: 1 }] })],
    ['routings that are no list', JSON.stringify({ ...report, routings: {} })],
    ['another revision', JSON.stringify({ ...report, revision: 'other-abcd234567' })],
    ['no revision', JSON.stringify({ ...report, revision: undefined })],
  ])('are unknown when the answer is %s', async (_, body) => {
    await expect(gatherWhenAnswered(body)).resolves.toEqual(new Map());
  });

  it('are unknown when the answer is an error, whatever it says', async () => {
    await expect(gatherWhenAnswered(JSON.stringify(report), 500)).resolves.toEqual(new Map());
  });

  it('of one runtime are not lost because another hangs or refuses', async () => {
    loopback = await Loopback.http((request, response) => {
      if (request.headers.host?.startsWith('127.0.0.1') === true) response.end(JSON.stringify(report));
    });
    const { port } = loopback;
    const refusing = await Loopback.refusing();
    const names = ['well', 'hangs', 'refuses'];
    const reports = await gatherReports(
      names.map((name) => podNamed(name, { phase: 'Running', podIP: name })),
      (question) =>
        httpGet({
          ...{ ...question, address: '127.0.0.1' },
          port: question.address === 'refuses' ? refusing : port,
          host: question.address === 'well' ? '127.0.0.1' : question.address,
        }),
    );
    expect([...reports.keys()]).toEqual(['well']);
  });

  it.each<[string, NonNullable<Pod['status']>]>([
    ['no state yet', {}],
    ['no address', { phase: 'Running' }],
    ['not started', { phase: 'Pending', podIP: '127.0.0.1' }],
    ['ended', { phase: 'Failed', podIP: '127.0.0.1' }],
  ])('are not asked of a pod that has %s', async (_, status) => {
    const asked: Question[] = [];
    await gatherReports([podNamed('pod-a', status)], (question) => {
      asked.push(question);
      return Promise.reject(new Error('nobody is there'));
    });
    expect(asked).toEqual([]);
  });

  it('are asked of many pods, a bounded number at a time', async () => {
    let [open, most] = [0, 0];
    const pods = Array.from({ length: 300 }, (_, index) => podNamed(`pod-${index}`));
    const reports = await gatherReports(pods, async () => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      return { status: 200, body: JSON.stringify(report) };
    });
    expect(reports.size).toBe(300);
    expect(most).toBeLessThanOrEqual(64);
  });
});
