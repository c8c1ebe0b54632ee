import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { HangUpError } from '../inference/inference-service.ts';
import type { Body, BodyBudget } from '../body/budget.ts';
import { createDecoder } from '../body/compression.ts';

const BROKEN_CODING =
  'the body is not what its content-encoding says: expected complete gzip or deflate data';
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

  finish(): Body {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    return { bytes, release: () => this.release() };
  }
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
    source.once('end', () => resolve(reader.finish()));
    decoder?.once('error', () => fail(new RequestError('MalformedRequest', BROKEN_CODING)));
    request.once('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.once('error', () => fail(new HangUpError()));
  });
}
