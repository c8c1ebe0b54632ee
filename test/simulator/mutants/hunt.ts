import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { mutants } from './mutants.ts';

/** What a hunt has found; printed as the only line of output. */
export interface Prey {
  readonly code: string;
  readonly message: string;
  /** In its shortest form, where that was asked for. */
  readonly story?: string;
}

/** Little effort: whoever makes such a fault has to hear of it at once. */
const EFFORT = { seed: 1, sweeps: 2, walks: 3, steps: 60, states: 300 };

async function main(name: string | undefined, tells: boolean): Promise<void> {
  const mutant = mutants.find((known) => known.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called '${name ?? ''}'`);
  const url = new URL(`../../../operator/${mutant.file}`, import.meta.url);
  const source = readFileSync(url, 'utf8').split(mutant.snippet);
  if (source.length !== 2)
    throw new Error(`${mutant.file} holds the snippet ${source.length - 1} times, not once`);
  registerHooks({
    load: (address, context, nextLoad) =>
      address === url.href
        ? { format: 'module-typescript', source: source.join(mutant.replacement), shortCircuit: true }
        : nextLoad(address, context),
  });
  // Loaded only now, with the mutant in it.
  const { confess, hunt } = await import('../campaign.ts');
  const effort = { ...EFFORT, ...(mutant.near !== undefined && { moments: mutant.near }) };
  const bad = hunt(mutant.caughtBy, effort);
  const prey: Prey | undefined = bad && {
    code: bad.violation.code,
    message: bad.message,
    ...(tells && { story: confess(bad, effort) }),
  };
  console.log(JSON.stringify(prey ?? null));
}

await main(process.argv[2], process.argv[3] === 'tell');
