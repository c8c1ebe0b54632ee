import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../controller/errors.ts';

export interface Question {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  /** The Host header, and with TLS the name in its hello. */
  readonly host?: string;
  readonly tls?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 800;
/** More than the longest report; whoever answers with more is not who we asked for. */
const LONGEST_BODY_BYTES = 65_536;

/**
 * One small GET to a pod, over a connection of its own: one that was kept could outlive the configuration of the
 * proxy that answers. Throws a few words when there is no whole answer in time.
 */
export async function httpGet(question: Question): Promise<Answer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await send(question, signal);
    return { status: answer.statusCode ?? 0, body: await readBody(answer) };
  } catch (error) {
    throw new Error(signal.aborted ? `no answer within ${TIMEOUT_MS} ms` : inFewWords(error), {
      cause: error,
    });
  }
}

async function send(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
  const { address, port, path, host, tls = false } = question;
  const request = tls ? httpsRequest : httpRequest;
  return await new Promise((resolve, reject) => {
    const sending = request({
      ...{ host: address, port, path, signal, agent: false },
      headers: { connection: 'close', ...(host === undefined ? {} : { host }) },
      // The proxy shows the certificate of a public name; what it answers is compared with a hash that we know.
      ...(tls ? { rejectUnauthorized: false, ...(host === undefined ? {} : { servername: host }) } : {}),
    });
    sending.on('response', resolve);
    sending.on('error', reject);
    sending.end();
  });
}

async function readBody(answer: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    body += chunk;
    if (body.length > LONGEST_BODY_BYTES) throw new Error('the answer is too long');
  }
  return body;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the pod',
  ENETUNREACH: 'no route to the pod',
};

function inFewWords(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return (typeof code === 'string' ? words[code] : undefined) ?? messageOf(error);
}
