import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Prey } from './mutants/hunt.ts';
import { mutants } from './mutants/mutants.ts';

const HUNT = fileURLToPath(new URL('mutants/hunt.ts', import.meta.url));
const run = promisify(execFile);

async function hunt(...args: readonly string[]): Promise<Prey | null> {
  const { stdout } = await run(process.execPath, [HUNT, ...args]);
  return JSON.parse(stdout) as Prey | null;
}

describe('a plan with a fault in it turns the simulator red', () => {
  it('has a mutant for each of the invariants that a plan can break', () => {
    const codes = new Set(mutants.map(({ caughtBy }) => caughtBy));
    expect([...codes].sort()).toEqual(
      ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I10', 'I11', 'I12', 'I13', 'I14', 'I15', 'I16'].sort(),
    );
  });

  // Each hunts in a process of its own.
  it.concurrent.each(mutants)('$caughtBy notices when $name', async ({ name, caughtBy }) => {
    expect((await hunt(name))?.code).toBe(caughtBy);
  });

  it('tells what went wrong as a story, with its seed', async () => {
    const { story = '' } = (await hunt('the stable keeps all of its weight', 'tell')) ?? {};
    const lines = story.split('\n');
    expect(lines[0]).toMatch(/^The story begins with: (created|serving v1)$/);
    expect(lines).toContainEqual(
      expect.stringMatching(/the operator: apply VirtualService fraud\.mesh .+=10000 .+=500$/),
    );
    expect(lines.at(-2)).toMatch(
      /✗ I4 weights are whole and sum to 10,000: the weights are 10000 \+ 500 = 10500/,
    );
    expect(lines.at(-1)).toBe('(found with seed 1)');
  });
});
