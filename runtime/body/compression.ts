import { createGunzip, createInflate, deflate, gzip } from 'node:zlib';
import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { RequestError } from '../errors.ts';
import { youngMemory } from '../memory/young.ts';

/** The content codings of RFC 9110, §8.4.1, that this server reads and writes. */
export type Coding = 'gzip' | 'deflate';

/** Below, a header more and the work weigh more than what is saved. */
const SMALLEST_BYTES = 1024;
/** Tensors seldom shrink much further, and every level more costs the serving process. */
const LEVEL = 1;

/**
 * What turns a body into its plain bytes, or undefined when it is plain already. It holds one piece at a time: whoever
 * reads it bounds the plain bytes, so a small body can never unfold into more than the limit.
 */
export function createDecoder(contentEncoding: string | undefined): Transform | undefined {
  switch (contentEncoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    default:
      throw new RequestError(
        'UnsupportedContent',
        `expected content-encoding gzip, deflate or none, got '${contentEncoding ?? ''}'`,
      );
  }
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^\s*q=/iu.test(parameter));
  return weight === undefined ? 1 : Number(weight.split('=')[1]);
}

/** What the client likes best of what this server can write (RFC 9110, §12.5.3); undefined: plain. */
export function chooseCoding(acceptEncoding: string | undefined, bytes: number): Coding | undefined {
  if (acceptEncoding === undefined || bytes < SMALLEST_BYTES) return undefined;
  const weights = new Map(
    acceptEncoding.split(',').map((entry) => {
      const [name = '', ...parameters] = entry.split(';');
      return [name.trim().toLowerCase(), weightOf(parameters)];
    }),
  );
  const weigh = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
  const best = weigh('deflate') > weigh('gzip') ? 'deflate' : 'gzip';
  const plainWeight = weights.get('identity') ?? 0;
  return weigh(best) > 0 && weigh(best) >= plainWeight ? best : undefined;
}

const writers = { gzip: promisify(gzip), deflate: promisify(deflate) };

/** On a thread of Node's pool: the serving process goes on. */
export async function encodeBody(coding: Coding, body: string | Buffer): Promise<Buffer> {
  const encoded = await writers[coding](body, { level: LEVEL });
  youngMemory.take(encoded.length);
  return encoded;
}
