import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** One thing to run; a check counts as one test, a vitest project as the tests in it. */
type Tier =
  | { readonly name: string; readonly kind: 'check'; readonly command: readonly string[] }
  | { readonly name: string; readonly kind: 'vitest' };

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What failed and with which words, a line each. */
  readonly failures: readonly string[];
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
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
  { name: 'clients', kind: 'vitest' },
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
  const outcomes: Outcome[] = [];
  for (const tier of chosen) {
    const startedMs = performance.now();
    console.log(`\n── ${tier.name}`);
    const outcome = await (tier.kind === 'check' ? runCheck(tier) : runProject(tier.name));
    outcomes.push(outcome);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    rows.push(
      `${tier.name.padEnd(12)}${String(outcome.passed).padStart(6)} passed${String(outcome.failed).padStart(6)} failed${seconds.padStart(7)} s`,
    );
  }
  const [passed, failed] = [sum(outcomes, 'passed'), sum(outcomes, 'failed')];
  // Whoever reads only the end of a long log still learns what failed.
  for (const failure of outcomes.flatMap(({ failures }) => failures)) console.log(`\n✗ ${failure}`);
  console.log(`\n${rows.join('\n')}\n\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function sum(outcomes: readonly Outcome[], field: 'passed' | 'failed'): number {
  return outcomes.reduce((total, outcome) => total + outcome[field], 0);
}

async function runCheck({ name, command }: Extract<Tier, { kind: 'check' }>): Promise<Outcome> {
  const [program = '', ...args] = command;
  return (await exitCodeOf(program, args)) === 0
    ? { passed: 1, failed: 0, failures: [] }
    : { passed: 0, failed: 1, failures: [`${name}: ${command.join(' ')}`] };
}

async function runProject(project: string): Promise<Outcome> {
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
    return await outcomeOf(project, outputFile, exitCode);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A run that fails outside of any test, or finds none, counts as one failure: silence is never a pass. */
async function outcomeOf(project: string, outputFile: string, exitCode: number): Promise<Outcome> {
  const report = JSON.parse(await readFile(outputFile, 'utf8').catch(() => '{}')) as Report;
  const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = report;
  if (failed > 0 || (exitCode === 0 && passed > 0)) return { passed, failed, failures: failuresIn(report) };
  return { passed, failed: 1, failures: [`${project}: vitest ended with ${exitCode} outside of any test`] };
}

function failuresIn({ testResults = [] }: Report): string[] {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(
        ({ fullName, failureMessages = [] }) =>
          `${relative(process.cwd(), name)}: ${fullName}\n${withoutLibraries(failureMessages.join('\n'))}`,
      ),
  );
}

/** The first lines of a failure, less the frames that are not ours. */
function withoutLibraries(message: string): string {
  const lines = message.split('\n').filter((line) => !/^\s+at .*(node_modules|node:|new Promise)/.test(line));
  return lines.slice(0, 8).join('\n');
}

function exitCodeOf(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

await main(process.argv[2] ?? 'all');
