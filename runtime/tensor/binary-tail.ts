import { RequestError } from '../errors.ts';

const nothing = Buffer.alloc(0);

/**
 * The bytes behind the JSON of a request with binary tensor data: each input that announces a `binary_data_size` takes
 * its part, in the order of the inputs.
 */
export class BinaryTail {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer = nothing) {
    this.#bytes = bytes;
  }

  take(name: string, size: number): Buffer {
    const end = this.#position + size;
    if (end > this.#bytes.length) {
      throw new RequestError(
        'MalformedRequest',
        `tensor '${name}': expected ${size} bytes of binary data behind the JSON, got ${this.#bytes.length - this.#position}`,
      );
    }
    const part = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return part;
  }

  /** Throws RequestError when bytes are left that belong to no input. */
  checkEnd(): void {
    const left = this.#bytes.length - this.#position;
    if (left === 0) return;
    throw new RequestError(
      'MalformedRequest',
      `the body has ${left} bytes behind the JSON that belong to no input: expected the sum of all 'binary_data_size'`,
    );
  }
}
