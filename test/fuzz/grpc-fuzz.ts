import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Dice } from '../support/dice.ts';
import { mutateBytes } from './bytes.ts';
import { shootGrpc, type GrpcShot } from './grpc-messages.ts';

export interface GrpcFuzzOptions {
  readonly port: number;
  readonly seed: number;
  readonly requests: number;
  readonly connections: number;
}

export interface GrpcFuzzReport {
  /** How often each grpc-status came, with `http 415`, `left`, `raw`, `reset` and `silent` beside them. */
  readonly replies: Readonly<Record<string, number>>;
  /** What no client may ever see, with the call that brought it about. */
  readonly faults: readonly string[];
}

/** UNKNOWN and INTERNAL say that the server is at fault, CANCELLED that somebody else is. */
const wrongful: ReadonlySet<string> = new Set(['1', '2', '13', 'reset', 'silent', 'none']);
const MOST_FAULTS = 20;
const PATIENCE_MS = 10_000;
const RAW_PATIENCE_MS = 20;
const RAW_ONE_IN = 64;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

async function call(
  session: ClientHttp2Session,
  { path, headers, body, isCancelled }: GrpcShot,
): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers', ...headers });
  const found: Record<string, unknown> = {};
  const read = (received: IncomingHttpHeaders): void => void Object.assign(found, received);
  stream.on('response', read);
  stream.on('trailers', read);
  stream.on('error', () => undefined);
  stream.resume();
  stream.end(body);
  if (isCancelled) {
    stream.close(constants.NGHTTP2_CANCEL);
    return 'left';
  }
  const over = new AbortController();
  const closed = new Promise<string>((resolve) => stream.once('close', () => resolve('closed')));
  const silent = pause(PATIENCE_MS, 'silent', { signal: over.signal }).catch(() => '');
  const end = stream.closed ? 'closed' : await Promise.race([closed, silent]);
  over.abort();
  if (end === 'silent') return end;
  const [httpStatus, code] = [found[':status'], found['grpc-status']].map((value) =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : 'none',
  );
  if (httpStatus === '200') return code ?? 'none';
  return httpStatus === 'none' ? 'reset' : `http ${httpStatus ?? ''}`;
}

/** Bytes that begin as HTTP/2 and go on as they like: the server may close, and must live. */
async function shootRaw(port: number, dice: Dice): Promise<void> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const frames = Array.from({ length: 64 }, () => dice.below(256));
  socket.write(
    Buffer.concat([PREFACE, mutateBytes(Buffer.concat([PREFACE.subarray(24), Buffer.from(frames)]), dice)]),
  );
  await pause(RAW_PATIENCE_MS);
  socket.destroy();
}

/** Sends mutated calls over several connections at once, each waiting for its answer. */
export async function fuzzGrpc({
  port,
  seed,
  requests,
  connections,
}: GrpcFuzzOptions): Promise<GrpcFuzzReport> {
  const replies: Record<string, number> = {};
  const faults: string[] = [];
  let left = requests;
  const attack = async (index: number): Promise<void> => {
    const dice = new Dice(seed + index);
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    while (left-- > 0) {
      const isRaw = dice.below(RAW_ONE_IN) === 0;
      const shot = shootGrpc(dice);
      const reply = isRaw ? await shootRaw(port, dice).then(() => 'raw') : await call(session, shot);
      replies[reply] = (replies[reply] ?? 0) + 1;
      if (wrongful.has(reply) && faults.length < MOST_FAULTS)
        faults.push(
          `${reply}: ${shot.path} ${JSON.stringify(shot.headers)} ${shot.body.toString('hex').slice(0, 2000)}`,
        );
    }
    session.destroy();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => attack(index)));
  return { replies, faults };
}
