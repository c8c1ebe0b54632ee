import { deflateSync, gzipSync } from 'node:zlib';
import { sampleRequest } from '../support/example-models.ts';
import type { Dice } from '../support/dice.ts';
import { mutateBytes } from './bytes.ts';
import type { HttpMessage } from './http-message.ts';
import { JsonMutator } from './json-tokens.ts';

const INFER = '/v2/models/tumour/infer';
const paths = [
  ...[
    INFER,
    '/v2/models/tumour/versions/1/infer',
    '/v2/models/tumour/versions/2/infer',
    '/v2/models/x/infer',
  ],
  ...['/v2', '/v2/', '/v2/health/live', '/v2/health/ready', '/v2/models/tumour', '/v2/models/tumour/config'],
  ...['/v2/models/tumour/stats', '/v2/repository/index', '/v2/repository/models/tumour/unload', '/v2/docs'],
  ...[
    '/',
    '//',
    '/%',
    '/%00',
    '/../../etc/passwd',
    '/v2/models/%2e%2e/infer',
    '*',
    '/?',
    `/${'a'.repeat(3000)}`,
  ],
  ...['/v2/models/__proto__', '/v2/models/tumour/infer?x=1#y', '/\u00e9'],
];
const methods = ['POST', 'GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'post', 'QUERY'];
const headerNames = [
  ...['content-type', 'content-encoding', 'accept-encoding', 'inference-header-content-length', 'expect'],
  ...['x-request-id', 'x-headgate-destination', 'x-headgate-routing', 'connection', 'accept', 'traceparent'],
];
const headerValues = [
  ...['application/json', 'application/octet-stream', 'text/plain', 'gzip', 'deflate', 'br', 'identity', '*'],
  ...['gzip;q=0', 'gzip, deflate', '0', '-1', '10', '1e9', '99999999999999999999', 'x', '', '100-continue'],
  ...[
    'close',
    'keep-alive',
    'upgrade',
    'tumour-7cb4d9f2a1;preview',
    '00-0-0-0',
    '\u00ff\u00fe',
    'a'.repeat(20_000),
  ],
];

/** With one binary tensor behind the JSON, as clients send it. */
function binaryRequest(): { readonly json: string; readonly tail: Buffer } {
  const { inputs } = JSON.parse(sampleRequest.toString()) as {
    inputs: { data: number[]; [name: string]: unknown }[];
  };
  const [{ data, ...input } = { data: [] }] = inputs;
  const tail = Buffer.from(Float32Array.from(data).buffer);
  const parameters = { binary_data_size: tail.length };
  return { json: JSON.stringify({ inputs: [{ ...input, parameters }] }), tail };
}

/** Makes requests that are almost right: by what they say, how they say it, and how it is packed. */
export class HttpMutator {
  readonly #dice: Dice;
  readonly #json: JsonMutator;
  readonly #binary = binaryRequest();
  readonly #binaryJson: JsonMutator;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#json = new JsonMutator(sampleRequest.toString(), dice);
    this.#binaryJson = new JsonMutator(this.#binary.json, dice);
  }

  next(): HttpMessage {
    const dice = this.#dice;
    const message = dice.pick([
      () => this.#inJson(),
      () => this.#inJson(),
      () => this.#inBinary(),
      () => this.#inBytes(),
      () => this.#packed(),
      () => this.#elsewhere(),
    ])?.();
    if (message === undefined) throw new Error('there is always a kind');
    return dice.below(4) === 0 ? this.#withOtherHeader(message) : message;
  }

  #post(body: Buffer, headers: HttpMessage['headers'] = []): HttpMessage {
    return {
      method: 'POST',
      path: INFER,
      headers: [['host', 'fuzz'], ['content-length', String(body.length)], ...headers],
      body,
    };
  }

  #inJson(): HttpMessage {
    return this.#post(Buffer.from(this.#json.mutate()));
  }

  #inBinary(): HttpMessage {
    const dice = this.#dice;
    const json = Buffer.from(dice.below(3) === 0 ? this.#binary.json : this.#binaryJson.mutate());
    const tail = dice.below(2) === 0 ? this.#binary.tail : mutateBytes(this.#binary.tail, dice);
    const length = dice.below(4) === 0 ? dice.below(2 * json.length) : json.length;
    return this.#post(Buffer.concat([json, tail]), [['inference-header-content-length', String(length)]]);
  }

  #inBytes(): HttpMessage {
    return this.#post(mutateBytes(sampleRequest, this.#dice));
  }

  #packed(): HttpMessage {
    const dice = this.#dice;
    const coding = dice.below(2) === 0 ? 'gzip' : 'deflate';
    const plain = dice.below(2) === 0 ? sampleRequest : Buffer.from(this.#json.mutate());
    const packed = coding === 'gzip' ? gzipSync(plain) : deflateSync(plain);
    return this.#post(dice.below(2) === 0 ? packed : mutateBytes(packed, dice), [
      ['content-encoding', coding],
    ]);
  }

  #elsewhere(): HttpMessage {
    const dice = this.#dice;
    const message = this.#post(dice.below(2) === 0 ? Buffer.alloc(0) : sampleRequest);
    return { ...message, method: dice.pick(methods) ?? 'GET', path: dice.pick(paths) ?? '/' };
  }

  #withOtherHeader(message: HttpMessage): HttpMessage {
    const dice = this.#dice;
    const header = [dice.pick(headerNames) ?? '', dice.pick(headerValues) ?? ''] as const;
    return { ...message, headers: [...message.headers, header] };
  }
}
