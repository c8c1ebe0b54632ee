import type { Client } from '../load/client.ts';

export type WireName = 'JSON' | 'binary' | 'gRPC';

/** The numbers of each output by its name, row-major. */
export type Outputs = ReadonlyMap<string, readonly number[]>;

/** One question, as one protocol puts it. */
export interface Wire {
  readonly connect: (port: number) => Client;
  /** Reads the latest answer of a client of this wire. */
  readonly decode: (client: Client) => Outputs;
}

export interface BenchTensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'INT64';
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface Question {
  readonly modelName: string;
  readonly inputs: readonly BenchTensor[];
  /** The protocol's `timeout` parameter, in microseconds, for servers that know it. */
  readonly timeoutUs: number | undefined;
}

export function bytesOf({ data }: BenchTensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

export function numbersOf(datatype: string, bytes: Buffer): number[] {
  const copy = new Uint8Array(bytes).buffer;
  if (datatype === 'FP32') return [...new Float32Array(copy)];
  if (datatype === 'INT64') return [...new BigInt64Array(copy)].map(Number);
  throw new Error(`expected outputs of FP32 or INT64, got ${datatype}`);
}
