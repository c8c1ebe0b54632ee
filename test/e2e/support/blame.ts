import type { Bed } from '../../bed/bed.ts';
import { gatewayPods } from '../../bed/pods.ts';
import { askEnvoy } from '../../bed/proxies.ts';
import type { ObjectName } from './status.ts';

/** What the gateways have counted of their own requests to one revision, since they know it. */
export interface UpstreamCounts {
  readonly requests: number;
  /** Answers of 500 and above, connections that failed, requests that timed out or were not even sent. */
  readonly failures: number;
}

const failureCounters = [
  'upstream_rq_5xx',
  'upstream_cx_connect_fail',
  'upstream_rq_timeout',
  'upstream_rq_pending_overflow',
  'upstream_rq_pending_failure_eject',
];

/**
 * An answer that a gateway makes itself names no revision, so the load alone cannot tell who is to blame for it: the
 * gateways' counters can.
 */
export async function countAtGateways(
  bed: Bed,
  { namespace }: Pick<ObjectName, 'namespace'>,
  revision: string,
): Promise<UpstreamCounts> {
  const cluster = `outbound|80||${revision}.${namespace}.svc.cluster.local`;
  const texts = await Promise.all(
    (await gatewayPods(bed)).map(({ address }) => askEnvoy(address, `/stats?filter=${revision}`)),
  );
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.includes(cluster));
  const sum = (counter: string): number =>
    lines
      .filter((line) => line.includes(`.${counter}: `))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  return {
    requests: sum('upstream_rq_total'),
    failures: failureCounters.reduce((total, counter) => total + sum(counter), 0),
  };
}
