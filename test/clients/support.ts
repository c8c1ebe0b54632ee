import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { part } from '../bed/programs.ts';
import { readReference } from '../support/example-models.ts';
import type { RuntimeProcess } from '../support/runtime-process.ts';

const { request, answers } = readReference();
const [{ data, shape }] = request.inputs;
const [rowCount = 0, width = 0] = shape;

/** What the client sends. */
export const rows = Array.from({ length: rowCount }, (_, row) => data.slice(row * width, (row + 1) * width));
/** What scikit-learn answers. */
export const expected = answers['v1'];

interface Numbers {
  readonly label: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
}

/** What a client's program beside this file prints, told where the server is and what it is to ask. */
export async function seenBy(program: string, server: RuntimeProcess, ...words: string[]): Promise<unknown> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const ports = [server.grpcPort, server.port].map(String);
  const { stdout } = await promisify(execFile)(part('clients-python'), [file, ...ports, ...words]);
  return JSON.parse(stdout);
}

export function expectReference(numbers: unknown): void {
  const { label, probabilities } = numbers as Numbers;
  expect(label).toEqual(expected?.label);
  const differences = probabilities
    .flat()
    .map((value, index) => Math.abs(value - (expected?.probabilities[index] ?? NaN)));
  expect(differences).toHaveLength(rowCount * 2);
  expect(Math.max(...differences)).toBeLessThan(1e-5);
}
