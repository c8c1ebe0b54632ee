import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { HangUpError } from '../inference/inference-service.ts';
import type { Body, BodyBudget } from '../body/budget.ts';
import { createDecoder } from '../body/compression.ts';
import { HEADER_LENGTH } from './binary-data.ts';

const BROKEN_CODING =
  'the body is not what its content-encoding says: expected complete gzip or deflate data';
/** Of the widest numbers. */
const ALIGNMENT_BYTES = 8;

/** A body that declares this much gets a block of memory for all of it, once this share of it has come. */
const LARGE_BYTES = 131_072;
const SHARE_OF_A_CLAIM = 0.25;

interface Expected {
  /** Of the whole body; undefined where nothing says so. */
  readonly bytes: number | undefined;
  /** What begins there is to be used as numbers where it lies. */
  readonly alignedAt: number;
}

class BodyReader {
  readonly #budget: BodyBudget;
  readonly #expected: Expected;
  readonly #padding: number;
  #chunks: Buffer[] = [];
  #block: ArrayBuffer | undefined;
  #length = 0;

  constructor(budget: BodyBudget, expected: Expected) {
    this.#budget = budget;
    this.#expected = expected;
    this.#padding = -expected.alignedAt & (ALIGNMENT_BYTES - 1);
  }

  add(chunk: Buffer): void {
    this.#budget.checkSize(this.#length + chunk.length);
    this.#budget.reserve(chunk.length);
    this.#length += chunk.length;
    if (this.#block !== undefined) {
      chunk.copy(new Uint8Array(this.#block), this.#padding + this.#length - chunk.length);
      return;
    }
    this.#chunks.push(chunk);
    const { bytes = 0 } = this.#expected;
    if (bytes >= LARGE_BYTES && this.#length >= bytes * SHARE_OF_A_CLAIM) this.#gather(bytes);
  }

  release(isUnread = false): void {
    this.#budget.release(this.#length);
    this.#length = 0;
    if (isUnread && this.#block !== undefined) this.#budget.blocks.giveBack(this.#block);
    this.#block = undefined;
  }

  /** What came in more than one piece is aligned. */
  finish(): Body {
    const [first] = this.#chunks;
    if (this.#chunks.length !== 1) this.#gather(this.#length);
    const bytes = this.#block === undefined ? first : Buffer.from(this.#block, this.#padding, this.#length);
    return { bytes: bytes ?? Buffer.alloc(0), release: (isUnread) => this.release(isUnread) };
  }

  #gather(bytes: number): void {
    this.#block ??= this.#budget.blocks.take(this.#padding + bytes);
    const memory = new Uint8Array(this.#block);
    let position = this.#padding;
    for (const chunk of this.#chunks) position += chunk.copy(memory, position);
    this.#chunks = [];
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
    source.once('end', () => resolve(reader.finish()));
    decoder?.once('error', () => fail(new RequestError('MalformedRequest', BROKEN_CODING)));
    request.once('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.once('error', () => fail(new HangUpError()));
  });
}
