import Type from 'typebox';
import { Ajv } from 'ajv';
import { labels, MANAGEMENT_PORT } from '../api/names.ts';
import type { RuntimeReport } from '../plan/observed.ts';
import { httpGet, type Answer, type Question } from './http-get.ts';
import type { Pod } from './pods.ts';

/** Sockets that one pass opens at the same time. */
const LARGEST_BATCH = 64;

const count = Type.Number({ minimum: 0 });
const requestCount = Type.Object({ requests: count, errors: count });
const reportSchema = Type.Object({
  revision: Type.String(),
  modelDigest: Type.Union([Type.String(), Type.Null()]),
  total: requestCount,
  mirrors: Type.Optional(requestCount),
  window: Type.Object({ seconds: count, requests: count, errors: count }),
  latencyP95Ms: count,
  inFlight: count,
  lastRequestSecondsAgo: Type.Union([count, Type.Null()]),
  routings: Type.Array(Type.Object({ hash: Type.String(), lastSeenSecondsAgo: count })),
  lastConnectionSecondsAgo: Type.Optional(Type.Union([count, Type.Null()])),
});

const isReport = new Ajv().compile<RuntimeReport & { readonly revision: string }>(reportSchema);

/** Asks each runtime for its report; who does not answer in time, or with something else, is not in the map. */
export async function gatherReports(
  pods: readonly Pod[],
  ask: (question: Question) => Promise<Answer> = httpGet,
): Promise<ReadonlyMap<string, RuntimeReport>> {
  const reports = new Map<string, RuntimeReport>();
  const running = pods.filter(({ status }) => status?.phase === 'Running' && status.podIP !== undefined);
  for (let first = 0; first < running.length; first += LARGEST_BATCH) {
    await Promise.all(
      running.slice(first, first + LARGEST_BATCH).map(async (pod) => {
        const report = await readReport(pod, ask);
        if (report !== undefined) reports.set(pod.metadata.name, report);
      }),
    );
  }
  return reports;
}

async function readReport(
  pod: Pod,
  ask: (question: Question) => Promise<Answer>,
): Promise<RuntimeReport | undefined> {
  const address = pod.status?.podIP ?? '';
  try {
    const { status, body } = await ask({ address, port: MANAGEMENT_PORT, path: '/headgate/report' });
    const report: unknown = JSON.parse(body);
    if (status !== 200 || !isReport(report)) return undefined;
    // The address of a pod that is gone may belong to another pod by now.
    return report.revision === pod.metadata.labels?.[labels.revision] ? report : undefined;
  } catch {
    return undefined;
  }
}
