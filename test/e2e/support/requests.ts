import { request } from 'node:http';
import { labels, MANAGEMENT_PORT } from '../../../operator/api/names.ts';
import type { Bed } from '../../bed/bed.ts';
import { listPods } from '../../bed/pods.ts';

interface Question {
  /** `address:port` */
  readonly target: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly revision: string;
  readonly body: string;
}

/** One GET, or with a body one POST, by a connection of its own. */
export async function ask({ target, host, path, headers = {} }: Question, body?: string): Promise<Answer> {
  const [address = '', port] = target.split(':');
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: address, port, path, agent: false },
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, host, ...(body !== undefined && { 'content-type': 'application/json' }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          const revision = response.headers['x-headgate-revision'];
          resolve({
            status: response.statusCode ?? 0,
            revision: typeof revision === 'string' ? revision : '',
            body: text,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface RequestCounts {
  readonly users: number;
  readonly mirrors: number;
  readonly previews: number;
}

/** What the runtimes of a revision have counted, by whose requests they were. */
export async function requestCounts(bed: Bed, namespace: string, revision: string): Promise<RequestCounts> {
  const pods = await listPods(bed, namespace, `${labels.revision}=${revision}`);
  const texts = await Promise.all(
    pods.map(async ({ address }) => {
      const target = `${address}:${MANAGEMENT_PORT}`;
      return (await ask({ target, host: address, path: '/metrics' })).body;
    }),
  );
  const total = (metric: string): number =>
    texts
      .flatMap((text) => [...text.matchAll(new RegExp(`^${metric}\\{.*\\} (\\d+)$`, 'gm'))])
      .reduce((sum, [, value]) => sum + Number(value), 0);
  return {
    users: total('headgate_requests_total'),
    mirrors: total('headgate_mirrored_requests_total'),
    previews: total('headgate_preview_requests_total'),
  };
}
