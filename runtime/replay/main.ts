import { parseArgs } from 'node:util';
import { ask } from './ask.ts';
import { compareOutput } from './compare.ts';
import { parseRecordLine, readLines, type RecordedRequest } from './recorded.ts';
import { Tally } from './tally.ts';

/**
 * Asks a server what another one was asked, and compares the answers. Exits with 0 when enough of them agree, with 1 when
 * they do not, and with 2 when there is nothing to compare.
 */

const USAGE = `usage: replay --records FILE_OR_FOLDER --to http://HOST:PORT [options]

  --records       decision records with full inputs, as the sink File (or Stdout) of a runtime wrote them
  --to            the server to ask
  --model         its name there (default: as it was recorded)
  --tolerance     how far numbers may lie apart: so much, and so much of their size (default 1e-5)
  --agreement     the share of requests that has to agree, 0 to 1 (default 1)
  --concurrency   how many requests are under way at once (default 4)
  --limit         no more than so many requests`;

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        records: { type: 'string' },
        to: { type: 'string' },
        model: { type: 'string' },
        tolerance: { type: 'string', default: '1e-5' },
        agreement: { type: 'string', default: '1' },
        concurrency: { type: 'string', default: '4' },
        limit: { type: 'string', default: 'Infinity' },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function readNumber(name: string, text: string, maximum = Infinity): number {
  const value = Number(text);
  return value >= 0 && value <= maximum ? value : fail(`--${name} is '${text}': expected a number from 0`);
}

const options = readOptions();
const records = options.records ?? fail('--records is missing');
const server = options.to ?? fail('--to is missing');
const tolerance = readNumber('tolerance', options.tolerance);
const wantedAgreement = readNumber('agreement', options.agreement, 1);
const limit = readNumber('limit', options.limit);
const tally = new Tally();

async function replay(request: RecordedRequest): Promise<void> {
  const url = `${server.replace(/\/$/u, '')}/v2/models/${options.model ?? request.modelName}/infer`;
  const { status, outputs, latencyMs } = await ask(url, request);
  const comparisons = request.outputs.map((recorded) => {
    const actual = outputs.find(({ name }) => name === recorded.tensor.name);
    return compareOutput(recorded, actual, tolerance);
  });
  tally.add({ recordedMs: request.latencyMs, latencyMs, status, comparisons });
}

/** Every worker takes the next line from the one generator. */
const lines = readLines(records);
let taken = 0;

async function work(): Promise<void> {
  for (;;) {
    if (taken >= limit) return;
    const next = await lines.next();
    if (next.done === true) return;
    const recorded = parseRecordLine(next.value);
    if (typeof recorded === 'string') {
      tally.skip(recorded);
      continue;
    }
    taken++;
    await replay(recorded);
  }
}

try {
  await Promise.all(
    Array.from({ length: Math.max(1, readNumber('concurrency', options.concurrency)) }, work),
  );
} catch (error) {
  const { message, cause } = error as Error;
  fail(`${message}${cause instanceof Error ? `: ${cause.message}` : ''}`);
}
for (const line of tally.lines()) console.log(line);
const { agreement } = tally;
if (agreement === undefined)
  fail('there is no record with an answer and full inputs (spec.runtime.records.content: Full)');
process.exitCode = agreement >= wantedAgreement ? 0 : 1;
