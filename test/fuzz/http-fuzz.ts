import { sampleRequest } from '../support/example-models.ts';
import { Dice } from '../support/dice.ts';
import { mutateBytes } from './bytes.ts';
import { HttpConnection, type Reply } from './http-connection.ts';
import { encodeMessage, type HttpMessage } from './http-message.ts';
import { HttpMutator } from './http-mutations.ts';

export interface HttpFuzzOptions {
  readonly port: number;
  readonly seed: number;
  readonly requests: number;
  readonly connections: number;
  /** Undefined: whatever the dice make of a request. */
  readonly always?: HttpMessage;
}

export interface HttpFuzzReport {
  /** How often each status came, with `closed` and `silent` beside them. */
  readonly replies: Readonly<Record<string, number>>;
  /** What no client may ever see, with the request that brought it about. */
  readonly faults: readonly string[];
}

/** Nothing that a client sends is the server's fault; 501 and 505 are HTTP's own words for what Node does not speak. */
const rightful: ReadonlySet<number> = new Set([
  ...[200, 400, 403, 404, 405, 408, 413, 415, 417, 422, 429, 431, 501, 505],
]);
const MOST_FAULTS = 20;
const PATIENCE_MS = 10_000;
/** A message whose very framing is broken may leave the server waiting for the rest of it. */
const RAW_PATIENCE_MS = 20;
const RAW_ONE_IN = 64;

interface Shot {
  readonly bytes: Buffer;
  readonly isFramed: boolean;
}

function shoot(mutator: HttpMutator, dice: Dice, always: HttpMessage | undefined): Shot {
  if (always !== undefined) return { bytes: encodeMessage(always), isFramed: true };
  const bytes = encodeMessage(mutator.next());
  if (dice.below(RAW_ONE_IN) > 0) return { bytes, isFramed: true };
  return { bytes: mutateBytes(bytes, dice), isFramed: false };
}

function isFault(reply: Reply, isFramed: boolean): boolean {
  if (reply === 'silent' || reply === 'closed') return isFramed;
  return !rightful.has(reply.status);
}

/** A request that is right. */
export const wellFormed: HttpMessage = {
  method: 'POST',
  path: '/v2/models/tumour/infer',
  headers: [
    ['host', 'fuzz'],
    ['content-length', String(sampleRequest.length)],
  ],
  body: sampleRequest,
};

/** Sends mutated requests over several connections at once, each waiting for its answer. */
export async function fuzzHttp(options: HttpFuzzOptions): Promise<HttpFuzzReport> {
  const { port, seed, requests, connections, always } = options;
  const replies: Record<string, number> = {};
  const faults: string[] = [];
  let left = requests;
  const attack = async (index: number): Promise<void> => {
    const dice = new Dice(seed + index);
    const mutator = new HttpMutator(dice);
    const framed = new HttpConnection(port, PATIENCE_MS);
    const raw = new HttpConnection(port, RAW_PATIENCE_MS);
    while (left-- > 0) {
      const { bytes, isFramed } = shoot(mutator, dice, always);
      const reply = await (isFramed ? framed : raw).ask(bytes);
      raw.close();
      const name = typeof reply === 'string' ? reply : String(reply.status);
      replies[name] = (replies[name] ?? 0) + 1;
      if (isFault(reply, isFramed) && faults.length < MOST_FAULTS) {
        faults.push(`${name}: ${bytes.toString('latin1').slice(0, 2000)}`);
      }
    }
    framed.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => attack(index)));
  return { replies, faults };
}
