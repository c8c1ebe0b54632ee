import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { HangUpError } from '../inference/inference-service.ts';
import type { Body, BodyBudget } from '../body/budget.ts';
import { createDecoder } from '../body/compression.ts';
import { Gathering, isWorthGathering } from '../body/gathering.ts';
import { HEADER_LENGTH } from './binary-data.ts';

const NOTHING = Buffer.alloc(0);
const BROKEN_CODING =
  'the body is not what its content-encoding says: expected complete gzip or deflate data';

interface Expected {
  /** Of the whole body; undefined where nothing says so. */
  readonly bytes: number | undefined;
  /** What begins there is to be used as numbers where it lies. */
  readonly alignedAt: number;
}

class BodyReader implements Body {
  /** All of it, once it is finished. */
  bytes: Buffer = NOTHING;
  readonly #budget: BodyBudget;
  readonly #expected: Expected;
  #pieces: Buffer[] = [];
  #gathering: Gathering | undefined;
  #length = 0;

  constructor(budget: BodyBudget, expected: Expected) {
    this.#budget = budget;
    this.#expected = expected;
  }

  add(piece: Buffer): void {
    this.#budget.checkSize(this.#length + piece.length);
    this.#budget.reserve(piece.length);
    this.#length += piece.length;
    if (this.#gathering !== undefined) {
      this.#gathering.add(piece);
      return;
    }
    this.#pieces.push(piece);
    const { bytes = 0 } = this.#expected;
    if (isWorthGathering(bytes, this.#length)) this.#gather(bytes);
  }

  release(isUnread = false): void {
    this.#budget.release(this.#length);
    this.#length = 0;
    if (isUnread && this.#gathering !== undefined) this.#budget.blocks.giveBack(this.#gathering.block);
    this.#gathering = undefined;
  }

  /** What came in more than one piece is aligned. */
  finish(): this {
    const [only] = this.#pieces;
    const isOne = this.#gathering === undefined && this.#pieces.length === 1;
    this.bytes = isOne && only !== undefined ? only : this.#gather(this.#length);
    return this;
  }

  #gather(bytes: number): Buffer {
    this.#gathering ??= new Gathering(this.#budget.blocks, bytes, this.#expected.alignedAt);
    for (const piece of this.#pieces) this.#gathering.add(piece);
    this.#pieces = [];
    return this.#gathering.bytes;
  }
}

/** The plain bytes of the body, whatever its coding. Rejects with RequestError or HangUpError. */
export function readBody(request: IncomingMessage, budget: BodyBudget): Promise<Body> {
  const decoder = createDecoder(request.headers['content-encoding']);
  const declared = Number(request.headers['content-length'] ?? 0);
  const reader = new BodyReader(budget, {
    bytes: decoder === undefined ? declared : undefined,
    // Not checked yet: whatever it says only places the body in memory.
    alignedAt: Number(request.headers[HEADER_LENGTH] ?? 0) || 0,
  });
  return new Promise((resolve, reject) => {
    const source = decoder === undefined ? request : request.pipe(decoder);
    const fail = (error: Error): void => {
      reader.release();
      source.removeAllListeners('data');
      request.unpipe();
      // What still arrives is thrown away, so that the client can read the refusal.
      request.resume();
      decoder?.destroy();
      reject(error);
    };
    try {
      budget.checkSize(declared);
    } catch (error) {
      fail(error as Error);
      return;
    }
    source.on('data', (chunk: Buffer) => {
      try {
        reader.add(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
    // `on`, not `once`, whose wrappers cost every request: only the first of these counts, and failing twice is harmless.
    source.on('end', () => resolve(reader.finish()));
    decoder?.on('error', () => fail(new RequestError('MalformedRequest', BROKEN_CODING)));
    request.on('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.on('error', () => fail(new HangUpError()));
  });
}
