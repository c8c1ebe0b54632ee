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

class BodyReader {
  readonly #budget: BodyBudget;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  add(chunk: Buffer): void {
    this.#budget.checkSize(this.#length + chunk.length);
    this.#budget.reserve(chunk.length);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  release(): void {
    this.#budget.release(this.#length);
    this.#length = 0;
  }

  /** What begins at `alignedAt` can be used as numbers where it lies, if it came in more than one piece. */
  finish(alignedAt: number): Body {
    const [first] = this.#chunks;
    const isOne = this.#chunks.length === 1 && first !== undefined;
    const bytes = isOne ? first : joinAligned(this.#chunks, this.#length, alignedAt);
    return { bytes, release: () => this.release() };
  }
}

function joinAligned(chunks: readonly Buffer[], length: number, alignedAt: number): Buffer {
  const padding = -alignedAt & (ALIGNMENT_BYTES - 1);
  const memory = Buffer.allocUnsafeSlow(padding + length);
  let position = padding;
  for (const chunk of chunks) position += chunk.copy(memory, position);
  return memory.subarray(padding);
}

/** The plain bytes of the body, whatever its coding. Rejects with RequestError or HangUpError. */
export function readBody(request: IncomingMessage, budget: BodyBudget): Promise<Body> {
  const decoder = createDecoder(request.headers['content-encoding']);
  const reader = new BodyReader(budget);
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
      budget.checkSize(Number(request.headers['content-length'] ?? 0));
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
    // Not checked yet: whatever it says only places the body in memory.
    const jsonBytes = Number(request.headers[HEADER_LENGTH] ?? 0) || 0;
    source.once('end', () => resolve(reader.finish(jsonBytes)));
    decoder?.once('error', () => fail(new RequestError('MalformedRequest', BROKEN_CODING)));
    request.once('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.once('error', () => fail(new HangUpError()));
  });
}
