import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One thing to run; a check counts as one test, a vitest project as the tests in it. */
type Tier =
  | { readonly name: string; readonly kind: 'check'; readonly command: readonly string[] }
  | { readonly name: string; readonly kind: 'vitest' };

interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/** Cheap first; a failing tier does not hide the next one. */
const tiers: readonly Tier[] = [
  { name: 'types', kind: 'check', command: ['tsc', '--noEmit'] },
  { name: 'lint', kind: 'check', command: ['eslint', '--flag', 'unstable_native_nodejs_ts_config', '.'] },
  { name: 'format', kind: 'check', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'verify', kind: 'check', command: ['node', 'scripts/generate.ts', '--check'] },
  { name: 'unit', kind: 'vitest' },
  { name: 'charts', kind: 'vitest' },
  { name: 'model-sources', kind: 'vitest' },
  { name: 'simulator', kind: 'vitest' },
  { name: 'api-server', kind: 'vitest' },
  { name: 'e2e', kind: 'vitest' },
];

const fast = ['types', 'verify', 'unit'];

async function main(selection: string): Promise<void> {
  const chosen = tiers.filter(
    ({ name }) => selection === 'all' || (selection === 'fast' ? fast : [selection]).includes(name),
  );
  if (chosen.length === 0)
    throw new Error(`no tier is called ${selection}: all, fast, ${tiers.map(({ name }) => name).join(', ')}`);
  const rows: string[] = [];
  let total: Totals = { passed: 0, failed: 0 };
  for (const tier of chosen) {
    const startedMs = performance.now();
    console.log(`\n── ${tier.name}`);
    const { passed, failed } =
      tier.kind === 'check' ? await runCheck(tier.command) : await runProject(tier.name);
    total = { passed: total.passed + passed, failed: total.failed + failed };
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    rows.push(
      `${tier.name.padEnd(12)}${String(passed).padStart(6)} passed${String(failed).padStart(6)} failed${seconds.padStart(7)} s`,
    );
  }
  console.log(`\n${rows.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

async function runCheck([program = '', ...args]: readonly string[]): Promise<Totals> {
  return (await exitCodeOf(program, args)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runProject(project: string): Promise<Totals> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  const outputFile = join(folder, 'result.json');
  try {
    const exitCode = await exitCodeOf('vitest', [
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${outputFile}`,
    ]);
    return await totalsOf(outputFile, exitCode);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A run that fails outside of any test, or finds none, counts as one failure: silence is never a pass. */
async function totalsOf(outputFile: string, exitCode: number): Promise<Totals> {
  const result = JSON.parse(await readFile(outputFile, 'utf8').catch(() => '{}')) as Partial<
    Record<'numPassedTests' | 'numFailedTests', number>
  >;
  const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = result;
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}

function exitCodeOf(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

await main(process.argv[2] ?? 'all');
