import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from '../../bed/bed.ts';
import { repository } from '../../bed/layout.ts';
import { startLoad, type Load } from '../../bed/load.ts';
import { gatewayTargets } from '../../bed/pods.ts';
import { hostOf } from './model-deployment.ts';

export interface InferLoadOptions {
  readonly name: string;
  readonly host?: string;
  readonly pathPrefix?: string;
  readonly requestsPerSecond: number;
  /** `address:port`; both gateways in turn, where it is left out. */
  readonly targets?: readonly string[];
  readonly enter?: readonly string[];
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly overGrpc?: boolean;
}

/** Real inference requests of the Open Inference Protocol at a fixed rate, whatever becomes of the ones before. */
export async function startInferLoad(bed: Bed, options: InferLoadOptions): Promise<Load> {
  const {
    name,
    host = hostOf(name),
    pathPrefix = '',
    requestsPerSecond,
    enter,
    timeoutMs,
    headers,
    overGrpc = false,
  } = options;
  const body = await readFile(join(repository, 'examples/models/sample-request.json'), 'utf8');
  return await startLoad({
    requestsPerSecond,
    targets: options.targets ?? (await gatewayTargets(bed)),
    host,
    path: `${pathPrefix === '/' ? '' : pathPrefix}/v2/models/${name}/infer`,
    bodies: [JSON.stringify(JSON.parse(body))],
    ...(enter === undefined ? {} : { enter }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(headers === undefined ? {} : { headers }),
    ...(overGrpc ? { grpcModel: name } : {}),
  });
}
