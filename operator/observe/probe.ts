import { messageOf } from '../controller/errors.ts';
import type { ProxyObservation } from '../plan/observed.ts';
import type { GatewayPod } from './gateway-port.ts';
import { httpGet } from './http-get.ts';

export interface Probe {
  readonly host: string;
  readonly path: string;
  readonly port: number;
  readonly tls: boolean;
}

const LONGEST_HASH = 64;

/** Asks one proxy which routing it holds: its first route answers the routing's hash itself. */
export async function probe(pod: GatewayPod, { host, path, port, tls }: Probe): Promise<ProxyObservation> {
  const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
  const address = pod.status?.podIP;
  if (address === undefined) return { name, problem: 'it has no address yet' };
  try {
    const { status, body } = await httpGet({ address, port, path, tls, host: askable(host) });
    const hash = body.trim();
    if (status !== 200) return { name, problem: `it answered ${status}` };
    return hash === '' || hash.length > LONGEST_HASH
      ? { name, problem: 'it answered something else' }
      : { name, hash };
  } catch (error) {
    return { name, problem: messageOf(error) };
  }
}

/** A wildcard is no name that a request can bear: any name below it is routed alike. */
function askable(host: string): string {
  return host.startsWith('*.') ? `headgate-probe${host.slice(1)}` : host;
}
